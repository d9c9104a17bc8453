package playlists

import (
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

// Kind is a kind of thing that people and programs put into the controller.
type Kind string

const (
	KindOwner    Kind = "owner"
	KindArea     Kind = "area"
	KindSign     Kind = "sign"
	KindMessage  Kind = "message"
	KindPlaylist Kind = "playlist"
	KindMedia    Kind = "media"
	KindSchedule Kind = "schedule"
	KindCampaign Kind = "campaign"
	// KindAgreement is what a company has agreed to show of the department's.
	KindAgreement Kind = "agreement"
	KindUser      Kind = "user"
	KindToken     Kind = "token"
	KindAudit     Kind = "audit"
	KindAlert     Kind = "alert"
	KindReport    Kind = "report"
)

// Kinds lists every kind.
var Kinds = []Kind{KindOwner, KindArea, KindSign, KindMessage, KindPlaylist, KindMedia, KindSchedule, KindCampaign, KindAgreement,
	KindUser, KindToken, KindAudit, KindAlert, KindReport}

// Principal is who is asking: a person in a session, or a token.
type Principal struct {
	ID    string   `json:"id"`    // user or token id, for the audit log
	Owner string   `json:"owner"` // company, or Public for the department
	Role  Role     `json:"role"`
	Areas []string `json:"areas,omitempty"` // an officer's; none means everywhere
	Only  []Kind   `json:"only,omitempty"`  // a token's: kinds that it may touch; none means all
	From  string   `json:"from,omitempty"`  // remote address
	Until int64    `json:"-"`               // a token's: when it expires, Unix seconds; 0 for a person
}

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
			return &Error{Code: Denied, Field: where + ".areas", Value: wide, Problem: "reach beyond the areas that you act in", Remedy: "ask an administrator who acts everywhere"}
		}
	}
	if len(p.Only) > 0 {
		wide := len(only) == 0
		for _, k := range only {
			wide = wide || !slices.Contains(p.Only, k)
		}
		if wide {
			return &Error{Code: Denied, Field: where + ".only", Problem: "could touch more than your own token", Remedy: "use kinds that yours may touch, or sign in as a person"}
		}
	}
	return nil
}

// Department reports whether the principal belongs to the department.
func (p *Principal) Department() bool { return p.Owner == Public }

// MayRead reports whether p may see things of that kind that belong to owner.
// What it may not see does not exist for it: 404, never 403.
//
// A company sees its own things and the department's content, which it may
// show. The department sees every sign and owner, and never a company's
// content: it has no business in a company's playlists.
func (p *Principal) MayRead(k Kind, owner string) bool {
	if len(p.Only) > 0 && !slices.Contains(p.Only, k) {
		return false
	}
	own := owner == p.Owner
	switch k {
	case KindArea, KindCampaign:
		return true
	case KindOwner, KindSign, KindAgreement:
		return own || p.Department()
	case KindMessage, KindPlaylist, KindMedia:
		return own || owner == Public
	case KindSchedule:
		return own
	case KindUser, KindToken:
		return own && p.Role == RoleAdmin || p.Department() && p.Role == RoleAdmin
	case KindAudit:
		return own && p.Role == RoleAdmin
	case KindAlert:
		// A company can neither see nor outrank one; its signs show it.
		return p.Department()
	case KindReport:
		return own || p.Department()
	}
	return false
}

// MayWrite reports whether p may change things of that kind that belong to
// owner. It implies MayRead.
func (p *Principal) MayWrite(k Kind, owner string) bool {
	if !p.MayRead(k, owner) {
		return false
	}
	own := owner == p.Owner
	is := func(roles ...Role) bool { return slices.Contains(roles, p.Role) }
	switch k {
	case KindOwner, KindArea:
		return p.Department() && is(RoleAdmin)
	case KindCampaign:
		return p.Department() && is(RoleAdmin, RoleAuthor)
	case KindAgreement:
		// Its word, not the department's: nobody agrees for somebody else.
		return own && is(RoleAdmin)
	case KindSign:
		return is(RoleAdmin)
	case KindMessage, KindPlaylist, KindMedia, KindSchedule:
		return own && is(RoleAdmin, RoleEditor, RoleAuthor)
	case KindUser, KindToken:
		return is(RoleAdmin)
	case KindAlert:
		return is(RoleAdmin, RoleAuthor) // approving is the approver's
	}
	return false
}

// User is a person who signs in. The password is kept elsewhere.
type User struct {
	ID       string   `yaml:"id" json:"id"` // login name
	Owner    string   `yaml:"owner" json:"owner"`
	Name     string   `yaml:"name,omitempty" json:"name,omitempty"` // as people write it
	Role     Role     `yaml:"role" json:"role"`
	Areas    []string `yaml:"areas,omitempty" json:"areas,omitempty"` // an officer's, within which they act; none means everywhere
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
	return &Error{Code: Invalid, Field: field, Value: string(role), Problem: "is no role of " + owner, Remedy: "use one of " + strings.Join(names, ", ")}
}

// CheckOfficer returns an *Error of code Invalid for areas that somebody of the
// owner cannot hold.
func CheckOfficer(where, owner string, areas []string) error {
	if len(areas) > 0 && owner != Public {
		return &Error{Code: Invalid, Field: where + ".areas", Value: areas[0], Problem: "are for the department's officers only", Remedy: "leave them out"}
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
