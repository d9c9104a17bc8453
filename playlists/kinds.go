package playlists

import (
	"fmt"
	"slices"
)

// Kind is a kind of thing that people and programs put into the controller.
type Kind string

const (
	KindOwner     Kind = "owner"
	KindArea      Kind = "area"
	KindSign      Kind = "sign"
	KindMessage   Kind = "message"
	KindPlaylist  Kind = "playlist"
	KindMedia     Kind = "media"
	KindSchedule  Kind = "schedule"
	KindCampaign  Kind = "campaign"
	KindAgreement Kind = "agreement" // what a company has agreed to show of the department's
	KindUser      Kind = "user"
	KindToken     Kind = "token"
	KindAudit     Kind = "audit"
	KindAlert     Kind = "alert"
	KindReport    Kind = "report"
)

// Key is where a thing is kept.
type Key struct {
	Kind  Kind
	Owner string // "" for kinds of the whole installation
	ID    string
}

// String is the key as errors name it, e.g. "message viet-ads/tet".
func (k Key) String() string {
	if k.Owner == "" {
		return string(k.Kind) + " " + k.ID
	}
	return string(k.Kind) + " " + k.Owner + "/" + k.ID
}

// Ref is what one thing says of another. The other must exist, and cannot be
// deleted while the reference stands.
type Ref struct {
	Key
	Field string // that names it, e.g. "schedules/tet.playlist"
	// Own says that the other must belong to the same owner. Whose it is
	// otherwise is nobody's business.
	Own bool
	// Weak says that the other need not exist: a sign without a playlist shows
	// the default rotation, if there is one.
	Weak bool
}

// Reach is where a thing takes effect. It decides what an officer, who acts in
// some areas only, may change.
type Reach struct {
	Areas      []string
	AreasField string // that names them, e.g. "signs/qn-001.areas[%d]"
	Signs      []string
	SignsField string
	Everywhere bool
	// ByUse says that a thing takes effect where the things that name it do: a
	// message where its playlists show.
	ByUse bool
}

// Thing is one of the nouns that people put into the controller.
type Thing interface {
	// Validate returns an *Error for what is wrong with the thing by itself.
	Validate() error
	// Key is where the thing is kept.
	Key() Key
	// Of is the owner that it belongs to, which is not always part of its key.
	Of() string
	// Complete fills in the owner and the id where the thing leaves them out:
	// the path of a request says them too.
	Complete(owner, id string)
	// Refs lists what the thing names.
	Refs() []Ref
	// Reach says where it takes effect.
	Reach() Reach
}

// KindInfo is what the controller knows of a kind. Manifests, routes, commands,
// seeding, quotas, the log and the scopes of tokens range over Kinds, so that a
// new kind is one row and one file.
type KindInfo struct {
	Kind   Kind
	Plural string // in paths and commands, e.g. "messages"
	// Document is the kind's name in a manifest, e.g. "Message"; "" where no
	// document makes one.
	Document string
	New      func() Thing // an empty one; nil for what is not kept as a Thing
	OfOwner  bool         // kept under its owner, and its ids are unique there only
	OwnField bool         // kept under the installation, and a field says whose it is
	Viewed   bool         // /PLURAL answers how things are now; what was put is at /specs/PLURAL and /PLURAL/{id}/spec
	Slashes  bool         // ids hold slashes
	Most     int          // things of one owner; 0 for no limit
	Logged   bool         // every write is in the audit log
	Content  bool         // an owner's content, which the log shows nobody else
	Read     Access       // who may read an owner's things
	Write    Access
}

// Access decides whether a principal may do something with an owner's things.
type Access func(p *Principal, owner string) bool

// Kinds lists every kind. A manifest's things are put in this order: what is
// named comes before what names it.
var Kinds = []KindInfo{
	{Kind: KindOwner, Plural: "owners", Document: "Owner", New: func() Thing { return new(Owner) },
		Logged: true, Read: ownOrDepartment, Write: departmentIs(RoleAdmin)},
	{Kind: KindUser, Plural: "users", Document: "User", New: func() Thing { return new(User) },
		OwnField: true, Most: 1000, Logged: true, Read: administers, Write: administers},
	{Kind: KindArea, Plural: "areas", Document: "Area", New: func() Thing { return new(Area) },
		Slashes: true, Logged: true, Read: everybody, Write: departmentIs(RoleAdmin)},
	{Kind: KindMedia, Plural: "media", New: func() Thing { return new(Medium) },
		OfOwner: true, Most: 2000, Logged: true, Content: true, Read: ownOrPublic, Write: edits},
	{Kind: KindMessage, Plural: "messages", Document: "Message", New: func() Thing { return new(Message) },
		OfOwner: true, Most: 5000, Logged: true, Content: true, Read: ownOrPublic, Write: edits},
	{Kind: KindPlaylist, Plural: "playlists", Document: "Playlist", New: func() Thing { return new(Playlist) },
		OfOwner: true, Most: 1000, Logged: true, Content: true, Read: ownOrPublic, Write: edits},
	{Kind: KindSign, Plural: "signs", Document: "Sign", New: func() Thing { return new(Sign) },
		OwnField: true, Viewed: true, Logged: true, Read: ownOrDepartment, Write: readerIs(RoleAdmin)},
	{Kind: KindSchedule, Plural: "schedules", Document: "Schedule", New: func() Thing { return new(Schedule) },
		OfOwner: true, Most: 1000, Logged: true, Content: true, Read: own, Write: edits},
	{Kind: KindAgreement, Plural: "agreements", Document: "Agreement", New: func() Thing { return new(Agreement) },
		OfOwner: true, Most: 200, Logged: true, Read: ownOrDepartment, Write: ownIs(RoleAdmin)},
	{Kind: KindCampaign, Plural: "campaigns", Document: "Campaign", New: func() Thing { return new(Campaign) },
		Most: 1000, Logged: true, Read: everybody, Write: departmentIs(RoleAdmin, RoleAuthor)},
	{Kind: KindToken, Plural: "tokens", OwnField: true, Logged: true, Read: administers, Write: administers},
	{Kind: KindAlert, Plural: "alerts", Logged: true, Read: department, Write: departmentIs(RoleAdmin, RoleAuthor)},
	{Kind: KindAudit, Plural: "audit", Read: ownIs(RoleAdmin), Write: nobody},
	{Kind: KindReport, Plural: "reports", Read: ownOrDepartment, Write: nobody},
}

// InfoOf is what the controller knows of a kind, or nil for an unknown one.
func InfoOf(k Kind) *KindInfo {
	i := slices.IndexFunc(Kinds, func(x KindInfo) bool { return x.Kind == k })
	if i < 0 {
		return nil
	}
	return &Kinds[i]
}

// Key is where the kind keeps a thing of an owner's.
func (k *KindInfo) Key(owner, id string) Key {
	if !k.OfOwner {
		owner = ""
	}
	return Key{k.Kind, owner, id}
}

// OwnerOf is whose a thing is by its key alone. ok is false where only the
// thing itself says it.
func (k *KindInfo) OwnerOf(key Key) (owner string, ok bool) {
	switch {
	case k.OfOwner:
		return key.Owner, true
	case k.OwnField:
		return "", false
	case k.Kind == KindOwner:
		return key.ID, true
	}
	return Public, true
}

// MayRead reports whether p may see things of that kind that belong to owner.
// What it may not see does not exist for it: 404, never 403.
//
// A company sees its own things and the department's content, which it may
// show. The department sees every sign and owner, and never a company's
// content: it has no business in a company's playlists.
func (p *Principal) MayRead(k Kind, owner string) bool {
	info := InfoOf(k)
	return info != nil && (len(p.Only) == 0 || slices.Contains(p.Only, k)) && info.Read(p, owner)
}

// MayWrite reports whether p may change things of that kind that belong to
// owner. It implies MayRead.
func (p *Principal) MayWrite(k Kind, owner string) bool {
	return p.MayRead(k, owner) && InfoOf(k).Write(p, owner)
}

func nobody(*Principal, string) bool         { return false }
func everybody(*Principal, string) bool      { return true }
func own(p *Principal, owner string) bool    { return owner == p.Owner }
func department(p *Principal, _ string) bool { return p.Department() }

func ownOrDepartment(p *Principal, owner string) bool { return own(p, owner) || p.Department() }
func ownOrPublic(p *Principal, owner string) bool     { return own(p, owner) || owner == Public }

func administers(p *Principal, owner string) bool {
	return ownOrDepartment(p, owner) && p.Role == RoleAdmin
}

func edits(p *Principal, owner string) bool {
	return own(p, owner) && (p.Role == RoleAdmin || p.Role == RoleEditor || p.Role == RoleAuthor)
}

func readerIs(roles ...Role) Access     { return withRole(everybody, roles) }
func ownIs(roles ...Role) Access        { return withRole(own, roles) }
func departmentIs(roles ...Role) Access { return withRole(department, roles) }

func withRole(who Access, roles []Role) Access {
	return func(p *Principal, owner string) bool { return who(p, owner) && slices.Contains(roles, p.Role) }
}

// Path is where the API keeps a thing, below /api/v1/.
func (k *KindInfo) Path(key Key) string {
	if k.OfOwner {
		return fmt.Sprintf("owners/%s/%s/%s", key.Owner, k.Plural, key.ID)
	}
	return k.Plural + "/" + key.ID
}

// SpecPath is where the API answers a thing as it was put, below /api/v1/.
func (k *KindInfo) SpecPath(key Key) string {
	if k.Viewed {
		return k.Path(key) + "/spec"
	}
	return k.Path(key)
}

// ListPath is where the API lists an owner's things as they were put, below
// /api/v1/.
func (k *KindInfo) ListPath(owner string) string {
	switch {
	case k.OfOwner:
		return fmt.Sprintf("owners/%s/%s", owner, k.Plural)
	case k.Viewed:
		return "specs/" + k.Plural
	}
	return k.Plural
}
