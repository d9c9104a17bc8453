// Package store is the contract of what a controller remembers.
//
// The database is the truth: brokers and signs are made to agree with it, never
// the other way round. So a write that returned without error survives a kill
// of the process and a power cut, and a write that returned an error has changed
// nothing. (One exception that no database can spare its caller: an error from
// a cancelled context or a broken link may come after the change was kept.)
//
// A Store hands out one small interface for each noun. Consumers declare the
// methods that they need of it; what implements it passes the suite in package
// storetest. Everything is safe for concurrent use, and nothing here reads a
// clock: times are arguments, Unix seconds, or milliseconds where the name ends
// in MS.
//
// Errors that a caller can act on are *playlists.Error: Invalid for a value that
// cannot be kept, NotFound for what is not there, Conflict for a change that
// somebody else overtook. Everything else is the database's trouble.
package store

import (
	"context"
	"errors"
	"io"

	"ledcast/playlists"
)

// ErrLost is in the errors of writes when the store is no longer this
// controller's to write: it lost its lock, or another has taken the database.
// Reads may go on; nothing can be written until the controller is restarted.
var ErrLost = errors.New("the database is no longer this controller's; restart it, and see that no other one runs")

// Store is everything that a controller remembers.
type Store interface {
	Content
	Issuing
	Access
	Evidence
	// Dump writes all but sessions to w as a backup, all of one moment, while
	// others write. atMS is the time to put into it. It holds the signing keys.
	Dump(ctx context.Context, w io.Writer, atMS int64) error
	// Restore fills an empty store with a backup of any kind of store, all or
	// nothing. Invalid for a backup that is truncated, changed or of another
	// version; Conflict for a store that holds something. r is read twice.
	Restore(ctx context.Context, r io.ReadSeeker) error
	// Close waits for what runs and closes the store. Nothing may be called
	// after it.
	Close() error
}

// Content is what people and programs have asked for, and who did.
type Content interface {
	Objects() Objects
	Audit() Audit
	Settings() Settings
}

// Issuing is what the controller signs with, what it has signed, and the topics
// on which brokers retain it.
type Issuing interface {
	Keys() Keys
	Documents() Documents
	Topics() Topics
}

// Access is what lets signs and people in.
type Access interface {
	Credentials() Credentials
	Sessions() Sessions
}

// Evidence is what signs have reported: plays that they prove, and conditions.
type Evidence interface {
	Proofs() Proofs
	Health() Health
}

// Expected versions that are not a version.
const (
	Absent     int64 = 0  // there must be no such object
	AnyVersion int64 = -1 // whatever is there is overwritten
	Unused     int64 = -2 // there must never have been such an object
)

// AllOwners in place of an owner lists everybody's objects. No owner is called
// so.
const AllOwners = "*"

// Object is one thing that people or programs put into the controller: a sign,
// a message, a playlist.
type Object struct {
	Kind      string // "sign", "message", …
	Owner     string // "" for what belongs to the installation
	ID        string // unique within kind and owner
	Data      []byte // JSON, kept byte for byte
	Version   int64  // 1 at first; every write adds 1
	UpdatedMS int64  // when it was written, by the writer's clock
}

// Objects holds them.
//
// A version is never used twice for one (kind, owner, id): a deleted object that
// is made again goes on counting, so that somebody who still holds the old one
// cannot overwrite the new.
type Objects interface {
	// Put writes o's Data and UpdatedMS and returns the new version; o.Version
	// is not looked at. It writes only if expected is the present version, or
	// is Absent, AnyVersion or Unused and that holds; else Conflict, or NotFound
	// where there is no such object.
	Put(ctx context.Context, o Object, expected int64) (version int64, err error)
	// Get returns NotFound for what is not there.
	Get(ctx context.Context, kind, owner, id string) (Object, error)
	// List returns the objects of a kind and an owner, or of AllOwners, sorted
	// bytewise by owner, then id.
	List(ctx context.Context, kind, owner string) ([]Object, error)
	// Delete removes the object if expected is its version or AnyVersion; else
	// as Put.
	Delete(ctx context.Context, kind, owner, id string, expected int64) error
	// Stamp is another text after every write of an object of these kinds
	// through this Store, for those who keep what they have read. One
	// controller writes at a time, so nobody else's writes are missed.
	Stamp(kinds ...string) string
	// Used reports whether there was such an object that has been deleted, and
	// none is there now: a sign's name, for one, is never used again.
	Used(ctx context.Context, kind, owner, id string) (bool, error)
}

// KeyState is where a signing key is in its life.
type KeyState string

const (
	KeyNext    KeyState = "next"    // published, not yet used
	KeyActive  KeyState = "active"  // signs
	KeyRetired KeyState = "retired" // no longer signs; what it signed holds
	KeyRevoked KeyState = "revoked" // what it signed is dropped; for good
)

// Key is one of the controller's online signing keys.
type Key struct {
	KID   string // first 16 hex digits of the SHA-256 of the public key
	Role  string // "program", "alerts", "alerts-test" or "request"
	Seed  []byte // 32 bytes, an Ed25519 seed
	Nbf   int64  // not before
	Exp   int64  // not at or after
	State KeyState
}

// KeySet is the last key set that was signed.
type KeySet struct {
	Epoch, Seq int64
	JWS        []byte
	// Roots are the root's and its spares' public keys, 32 bytes each, the one
	// that signs first. Their private halves are never here.
	Roots [][]byte
}

// Keys holds the online signing keys and what is known of the roots.
type Keys interface {
	// Add keeps all of the keys or none; Conflict for a kid that is known.
	Add(ctx context.Context, keys ...Key) error
	// List returns all keys, sorted by role, then Nbf, then KID.
	List(ctx context.Context) ([]Key, error)
	// SetState returns NotFound for an unknown kid, and Conflict for a revoked
	// key that should become something else: signs have dropped what it signed.
	SetState(ctx context.Context, kid string, state KeyState) error
	// PutSet replaces the key set. Sets rise: Conflict unless (Epoch, Seq) is
	// higher than the present one's, or both it and the JWS are the same and
	// only Roots differ.
	PutSet(ctx context.Context, set KeySet) error
	// Set returns NotFound before the first PutSet.
	Set(ctx context.Context) (KeySet, error)
}

// Documents gives out sequence numbers and remembers what was signed with them.
//
// A seq is max(last + 1, iat in ms) for its role, subject and epoch (PROTOCOL.md,
// Signed documents): it rises even where the clock does not, and a database that
// was restored from a backup is ahead of what signs have seen. It is at least 1
// and below 2^53.
type Documents interface {
	// NextSeqs takes one seq for each subject, in their order, all in one
	// transaction. A subject that is named twice gets two. The seqs are durable
	// before they are returned, and they are never returned again.
	NextSeqs(ctx context.Context, role string, subjects []string, epoch, iatMS int64) ([]int64, error)
	// Issue takes a seq for each draft, has seal sign it, and keeps seq and
	// document together: after an error neither is kept and all seqs are free
	// again, so nothing that seal made may leave before Issue has returned.
	// seal is called in the order of the drafts, inside the transaction: it
	// must be quick and must not call the store. Conflict for an epoch below
	// the latest document's.
	Issue(ctx context.Context, drafts []playlists.Draft, seal func(i int, seq int64) ([]byte, error)) ([]playlists.Issued,
		error)
	// Latest returns the last document issued; NotFound if there is none.
	Latest(ctx context.Context, role, subject string) (playlists.Issued, error)
	// Heads returns the latest document's head of every subject of a role,
	// sorted bytewise by subject.
	Heads(ctx context.Context, role string) ([]playlists.Head, error)
	// History returns the subject's kept documents, in the order of issue, that
	// answer what was in force from `from` until before `until`: all that were
	// issued in between, and the one before them, which was in force at from.
	History(ctx context.Context, role, subject string, from, until int64) ([]playlists.Issued, error)
	// Prune removes the kept documents that were replaced before that time, of
	// every role, and returns how many. The latest of each subject and the one
	// that was in force at before stay: History answers as it did from then on.
	// It works in steps; after an error those that it removed stay removed.
	Prune(ctx context.Context, before int64) (removed int, err error)
}

// Credential is what lets a sign in at the broker. The password itself is 256
// random bits, so that its SHA-256 cannot be searched.
type Credential struct {
	Sign      string
	SHA256    [32]byte // of the password as the sign sends it
	CreatedMS int64
	// Verifiers are the same password as outside brokers check it, by broker, in
	// their own forms, e.g. "$7$101$…"; nil for none.
	Verifiers map[string]string
}

// Credentials holds one for each sign.
type Credentials interface {
	// Set keeps c in place of the sign's last one.
	Set(ctx context.Context, c Credential) error
	// Get returns NotFound for a sign that has none.
	Get(ctx context.Context, sign string) (Credential, error)
	// List returns all, sorted bytewise by sign.
	List(ctx context.Context) ([]Credential, error)
	// Remove returns NotFound for a sign that has none.
	Remove(ctx context.Context, sign string) error
}

// Settings holds small values by name.
type Settings interface {
	Set(ctx context.Context, key, value string) error
	// Get returns NotFound for a key that was never set.
	Get(ctx context.Context, key string) (string, error)
}

// Change is a write of an object, or its removal, by somebody.
type Change struct {
	Object   Object
	Expected int64
	Remove   bool
	By       playlists.Actor
	// Of is whose the thing is, for the log: a sign belongs to a company and is
	// kept as the installation's. "" is the object's owner.
	Of string
}

// Audit changes objects and remembers who did. Entries are appended only; each
// carries a digest over itself and the one before, so that a changed, removed
// or inserted row shows.
type Audit interface {
	// Change writes the object and its entry, and those of what goes with it,
	// all or nothing. It returns the version of the first.
	Change(ctx context.Context, c Change, with ...Change) (version int64, err error)
	// List returns entries after n, oldest first; owner AllOwners lists all.
	List(ctx context.Context, owner string, after int64, most int) ([]playlists.AuditEntry, error)
	// Newest returns entries before n, newest first; owner AllOwners lists all.
	Newest(ctx context.Context, owner string, before int64, most int) ([]playlists.AuditEntry, error)
	// Verify walks the chain and returns the number of entries, or an *Error
	// of code Conflict that names the first entry that does not fit. each, if
	// given, is called with every entry that does.
	Verify(ctx context.Context, each func(*playlists.AuditEntry)) (entries int64, err error)
}
