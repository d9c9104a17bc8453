package playlists

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Role is what somebody may do within an owner: a company, or the department.
type Role string

const (
	RoleAdmin    Role = "admin"    // both: people, tokens, signs, settings, and everything below
	RoleEditor   Role = "editor"   // company: messages, media, playlists, schedules
	RoleAuthor   Role = "author"   // department: its messages and playlists; writes alerts
	RoleApprover Role = "approver" // department: approves alerts
	RoleViewer   Role = "viewer"   // both: reads
)

// Roles lists those that an owner's people may have.
func Roles(owner string) []Role {
	if owner == Public {
		return []Role{RoleAdmin, RoleAuthor, RoleApprover, RoleViewer}
	}
	return []Role{RoleAdmin, RoleEditor, RoleViewer}
}

// Principal is who is asking: a person in a session, or a token.
type Principal struct {
	ID    string   `json:"id"`    // user or token id, for the audit log
	Owner string   `json:"owner"` // company, or Public for the department
	Role  Role     `json:"role"`
	Areas []string `json:"areas,omitempty"` // an officer's; none means everywhere
	Only  []Kind   `json:"only,omitempty"`  // a token's: kinds that it may touch; none means all
	From  string   `json:"from,omitempty"`  // remote address
	Until int64    `json:"-"`               // a token's: when it expires, Unix seconds; 0 for a person
	// Program is a token that does not stand for the person who made it. It writes, and approves nothing.
	Program bool `json:"-"`
	// May lists what a program may do beyond its role: MayCancelAlerts.
	May []string `json:"-"`
	// Stands is the person that a token stands for: their own, made while signed in.
	Stands string `json:"-"`
	// Lineage are those who made the credential, and who made what they made it with, up to a person. Makers is the
	// same for a credential that is younger than 24 h, else empty.
	Lineage []string `json:"-"`
	// Fresh is a way in that is younger than 24 h and that no second administrator has vouched for. It approves
	// nothing.
	Fresh  bool     `json:"-"`
	Makers []string `json:"-"`
}

// MayCancelAlerts lets a program end urgent messages.
const MayCancelAlerts = "cancel"

// Actor is the principal as the audit log names them, at a time in Unix ms.
func (p *Principal) Actor(atMS int64) Actor { return Actor{Who: p.ID, From: p.From, AtMS: atMS} }

// Officer reports whether the principal acts in some areas only.
func (p *Principal) Officer() bool { return len(p.Areas) > 0 }

// CheckGrant returns an *Error of code Denied where somebody of that owner,
// with those areas and kinds of things, could do what p cannot: nobody lets
// anybody do more than they may themselves.
func (p *Principal) CheckGrant(where, owner string, areas []string, only []Kind) error {
	if p.Officer() {
		wide := owner
		if owner == Public {
			wide = "no areas"
			if len(areas) > 0 {
				wide = ""
			}
			for _, a := range areas {
				if !Within(p.Areas, a) {
					wide = a
				}
			}
		}
		if wide != "" {
			return &Error{Code: Denied, Field: where + ".areas", Value: wide, Key: "areas-too-wide"}
		}
	}
	if len(p.Only) > 0 {
		wide := len(only) == 0
		for _, k := range only {
			wide = wide || !slices.Contains(p.Only, k)
		}
		if wide {
			return &Error{Code: Denied, Field: where + ".only", Key: "token-too-wide"}
		}
	}
	return nil
}

// Department reports whether the principal belongs to the department.
func (p *Principal) Department() bool { return p.Owner == Public }

// User is a person who signs in. The password is kept elsewhere.
type User struct {
	ID    string `yaml:"id" json:"id"` // login name
	Owner string `yaml:"owner" json:"owner"`
	Name  string `yaml:"name,omitempty" json:"name,omitempty"` // as people write it
	Role  Role   `yaml:"role" json:"role"`
	// an officer's, within which they act; none means everywhere
	Areas    []string `yaml:"areas,omitempty" json:"areas,omitempty"`
	Phone    string   `yaml:"phone,omitempty" json:"phone,omitempty"`
	Disabled bool     `yaml:"disabled,omitempty" json:"disabled,omitempty"` // cannot sign in
}

// Validate returns an *Error of code Invalid that names the field.
func (u *User) Validate() error {
	if err := CheckSlug("users/id", u.ID); err != nil {
		return err
	}
	where := "users/" + u.ID
	if err := CheckSlug(where+".owner", u.Owner); err != nil {
		return err
	}
	if err := CheckRole(where+".role", u.Owner, u.Role); err != nil {
		return err
	}
	if err := CheckOfficer(where, u.Owner, u.Areas); err != nil {
		return err
	}
	if err := checkName(where, u.Name); err != nil {
		return err
	}
	return checkPhone(where+".phone", u.Phone)
}

// CheckRole returns an *Error of code Invalid unless role is one of the owner's.
func CheckRole(field, owner string, role Role) error {
	roles := Roles(owner)
	if slices.Contains(roles, role) {
		return nil
	}
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return &Error{Code: Invalid, Field: field, Value: string(role),
		Key: "role-unknown", Args: []any{Word(owner), strings.Join(names, ", ")}}
}

// CheckOfficer returns an *Error of code Invalid for areas that somebody of the
// owner cannot hold.
func CheckOfficer(where, owner string, areas []string) error {
	if len(areas) > 0 && owner != Public {
		return &Error{Code: Invalid, Field: where + ".areas", Value: areas[0], Key: "areas-for-officers-only"}
	}
	for i, a := range areas {
		if err := CheckArea(fmt.Sprintf("%s.areas[%d]", where, i), a); err != nil {
			return err
		}
	}
	return nil
}

// Within reports whether an officer of those areas may act in area: none means
// everywhere.
func Within(officer []string, area string) bool {
	return len(officer) == 0 || slices.ContainsFunc(officer, func(a string) bool { return Covers(a, area) })
}

// Key implements Thing.
func (u *User) Key() Key { return Key{KindUser, "", u.ID} }

// Of implements Thing.
func (u *User) Of() string { return u.Owner }

// Complete implements Thing.
func (u *User) Complete(_, id string) {
	u.ID = cmp.Or(u.ID, id)
}

// Refs implements Thing: a person names an owner and the areas of an officer.
func (u *User) Refs() []Ref {
	where := "users/" + u.ID
	return append([]Ref{ownerRef(where, u.Owner)}, areaRefs(where, u.Areas)...)
}

// Reach implements Thing: what a person may do is CheckGrant's.
func (u *User) Reach() Reach { return Reach{} }
