package playlists

import "slices"

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
	KindUser     Kind = "user"
	KindToken    Kind = "token"
	KindAudit    Kind = "audit"
)

// Principal is who is asking: a person in a session, or a token.
type Principal struct {
	ID    string   `json:"id"`    // user or token id, for the audit log
	Owner string   `json:"owner"` // company, or Public for the department
	Role  Role     `json:"role"`
	Areas []string `json:"areas,omitempty"` // an officer's; none means everywhere
	From  string   `json:"from,omitempty"`  // remote address
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
	own := owner == p.Owner
	switch k {
	case KindArea:
		return true
	case KindOwner, KindSign:
		return own || p.Department()
	case KindMessage, KindPlaylist:
		return own || owner == Public
	case KindUser, KindToken:
		return own && p.Role == RoleAdmin || p.Department() && p.Role == RoleAdmin
	case KindAudit:
		return own && p.Role == RoleAdmin
	}
	return false
}

// MayWrite reports whether p may change things of that kind that belong to
// owner. It implies MayRead.
func (p *Principal) MayWrite(k Kind, owner string) bool {
	if !p.MayRead(k, owner) {
		return false
	}
	is := func(roles ...Role) bool { return slices.Contains(roles, p.Role) }
	switch k {
	case KindOwner, KindArea:
		return p.Department() && is(RoleAdmin)
	case KindSign:
		return is(RoleAdmin)
	case KindMessage, KindPlaylist:
		return owner == p.Owner && is(RoleAdmin, RoleEditor, RoleAuthor)
	case KindUser, KindToken:
		return is(RoleAdmin)
	}
	return false
}
