// Package store defines the interfaces of the controller's database.
//
// The database is the source of truth: the controller brings brokers and signs into agreement with it, never the
// other way round. A write that returned no error survives a kill of the process and a power cut. A write that
// returned an error has changed nothing, with one exception: if the context was cancelled or the connection broke,
// the change may have been committed nevertheless.
//
// A Store has one small interface for each kind of data. Consumers declare the methods that they need. Every
// implementation passes the tests in package storetest. All methods are safe for concurrent use. No method reads a
// clock: times are arguments, in Unix seconds, or in milliseconds where the name ends in MS.
//
// Errors that a caller can act on are *playlists.Error. Their codes are Invalid for a value that cannot be stored,
// NotFound for something that does not exist, and Conflict for a change that is based on an outdated state. All
// other errors are failures of the database.
package store

import (
	"context"
	"errors"
	"io"

	"ledcast/playlists"
)

// ErrLost is wrapped by the errors of writes after this controller has lost its lock on the database or another
// controller has opened the database. Reads still work. Writes fail until the controller is restarted.
var ErrLost = errors.New("this controller has lost its lock on the database; " +
	"restart it, and make sure that no other controller runs")

// ErrStale is the reason of Lost if the database has a change that its writer was told has failed. What the controller
// has in memory is not what is in the database.
var ErrStale = errors.New("the database has a change whose success this controller did not learn of; " +
	"restart it, so that it reads everything again")

// Store is the controller's database.
type Store interface {
	Content
	Issuing
	Access
	Evidence
	Watched
	// Dump writes a backup of everything except sessions to w. The backup is a consistent snapshot, and writes may
	// go on meanwhile. atMS is the backup's timestamp. The backup contains the signing keys.
	Dump(ctx context.Context, w io.Writer, atMS int64) error
	// Restore loads a backup into an empty store, all or nothing. The backup may come from another kind of
	// database. The error is Invalid if the backup is truncated, altered or of another version, and Conflict if the
	// store is not empty. Restore reads r twice.
	Restore(ctx context.Context, r io.ReadSeeker) error
	// Close waits for running calls and closes the store. No other method may be called after it.
	Close() error
}

// Watched says whether writes are safe.
type Watched interface {
	// Trouble says why writes fail, as far as is known: the disk is full, the database was replaced or cannot be
	// reached, or Lost is closed.
	Trouble() error
	// Lost is closed when the controller may no longer write until it is restarted. Trouble returns ErrLost or ErrStale
	// then.
	Lost() <-chan struct{}
}

// Content holds what users and API clients have configured, and the audit log of their changes.
type Content interface {
	Objects() Objects
	Audit() Audit
	Settings() Settings
}

// Issuing holds the signing keys, the signed documents, and the topics on which brokers retain them.
type Issuing interface {
	Keys() Keys
	Documents() Documents
	Topics() Topics
}

// Access holds the credentials of signs and the sessions of users.
type Access interface {
	Credentials() Credentials
	Sessions() Sessions
}

// Evidence holds what signs have reported: play records and conditions.
type Evidence interface {
	Proofs() Proofs
	Health() Health
}

// Special values of the argument expected.
const (
	Absent     int64 = 0  // the object must not exist
	AnyVersion int64 = -1 // any version is overwritten
	Unused     int64 = -2 // the object must not exist and must never have existed
)

// AllOwners in place of an owner selects the objects of all owners. No owner has this name.
const AllOwners = "*"

// Object is a configured resource, such as a sign, a message or a playlist.
type Object struct {
	Kind      string // "sign", "message", …
	Owner     string // "" for an object of the installation
	ID        string // unique within kind and owner
	Data      []byte // JSON, stored byte for byte
	Version   int64  // starts at 1; every write adds 1
	UpdatedMS int64  // time of the last write, by the writer's clock
}

// Objects stores the objects.
//
// A version is never used twice for one (kind, owner, id). If a deleted object is created again, its version
// continues to rise. So a client that still has the old version cannot overwrite the new object.
type Objects interface {
	// Put writes o's Data and UpdatedMS and returns the new version. It ignores o.Version. It writes only if
	// expected is the current version or is Absent, AnyVersion or Unused and its condition holds. Otherwise the
	// error is Conflict, or NotFound if expected is a version and the object does not exist.
	Put(ctx context.Context, o Object, expected int64) (version int64, err error)
	// Get returns an error with code NotFound if the object does not exist.
	Get(ctx context.Context, kind, owner, id string) (Object, error)
	// List returns the objects of a kind and an owner, or of AllOwners, sorted bytewise by owner, then id.
	List(ctx context.Context, kind, owner string) ([]Object, error)
	// Delete removes the object if expected is its version or AnyVersion. Otherwise it returns the same errors as
	// Put.
	Delete(ctx context.Context, kind, owner, id string, expected int64) error
	// Stamp returns a text that changes with every write of an object of these kinds through this Store. Callers
	// use it to validate their caches. Only one controller writes at a time, so no write of another process is
	// missed.
	Stamp(kinds ...string) string
	// Used reports whether the object existed and is deleted now. The ID of a deleted sign, for example, is never
	// used again.
	Used(ctx context.Context, kind, owner, id string) (bool, error)
}

// KeyState is the state of a signing key's lifecycle.
type KeyState string

const (
	KeyNext    KeyState = "next"    // published, not used yet
	KeyActive  KeyState = "active"  // used to sign
	KeyRetired KeyState = "retired" // no longer used to sign; its signatures stay valid
	KeyRevoked KeyState = "revoked" // its signatures are invalid; final
)

// Key is one of the controller's online signing keys.
type Key struct {
	KID   string // the first 16 hex digits of the public key's SHA-256
	Role  string // "program", "alerts", "alerts-test" or "request"
	Seed  []byte // 32 bytes, an Ed25519 seed
	Nbf   int64  // valid from, Unix seconds
	Exp   int64  // valid until, Unix seconds, exclusive
	State KeyState
}

// KeySet is the latest signed key set.
type KeySet struct {
	Epoch, Seq int64
	JWS        []byte
	// Roots are the public keys of the root and its spares, 32 bytes each. The root that signs comes first. The
	// store never has their private keys.
	Roots [][]byte
}

// Keys stores the online signing keys and the public keys of the roots.
type Keys interface {
	// Add stores all of the keys or none. The error is Conflict if a kid is known already.
	Add(ctx context.Context, keys ...Key) error
	// List returns all keys, sorted by role, then Nbf, then KID.
	List(ctx context.Context) ([]Key, error)
	// SetState returns an error with code NotFound for an unknown kid, and Conflict for a change of a revoked key:
	// signs have already dropped the documents that it signed.
	SetState(ctx context.Context, kid string, state KeyState) error
	// Remove deletes a retired key: nothing that it signed is in force any more. The error is NotFound for a kid that is
	// unknown or not retired.
	Remove(ctx context.Context, kid string) error
	// PutSet replaces the key set. The error is Conflict unless (Epoch, Seq) is higher than that of the current
	// set. A set with the same (Epoch, Seq) and the same JWS may replace the current one to change Roots.
	PutSet(ctx context.Context, set KeySet) error
	// Set returns an error with code NotFound before the first PutSet.
	Set(ctx context.Context) (KeySet, error)
}

// Documents allocates sequence numbers and stores the documents that were signed with them.
//
// The seq of a role, subject and epoch is max(last + 1, iat in ms) (docs/protocol.md, Signed documents). So it rises
// even if the clock is set back, and after a restore from a backup it is higher than what signs have seen. It is at
// least 1 and below 2^53.
type Documents interface {
	// NextSeqs allocates one seq for each subject in one transaction and returns them in the order of subjects. A
	// subject that is listed twice gets two. The seqs are durable before they are returned, and are never returned
	// again.
	NextSeqs(ctx context.Context, role string, subjects []string, epoch, iatMS int64) ([]int64, error)
	// Issue allocates a seq for each draft, calls seal to sign it, and stores the seq and the document in one
	// transaction. After an error nothing is stored and the seqs are free again. So the caller must not send a
	// document that seal made before Issue has returned. seal is called in the order of the drafts, inside the
	// transaction: it must be quick and must not call the store. The error is Conflict for an epoch below that of
	// the latest document, and for a draft's Seq that is not above the last one.
	Issue(ctx context.Context, drafts []playlists.Draft, seal func(i int, seq int64) ([]byte, error)) ([]playlists.Issued,
		error)
	// Latest returns the document that was issued last. The error is NotFound if there is none.
	Latest(ctx context.Context, role, subject string) (playlists.Issued, error)
	// Heads returns the head of the latest document of every subject of a role, sorted bytewise by subject.
	Heads(ctx context.Context, role string) ([]playlists.Head, error)
	// History returns the subject's kept documents that were in force in [from, until), in the order of issue.
	// These are the documents that were issued in this range and the last one issued before it, which was in force
	// at from.
	History(ctx context.Context, role, subject string, from, until int64) ([]playlists.Issued, error)
	// Prune removes the kept documents of every role that were replaced before the time before, and returns their
	// number. The latest document of each subject and the one that was in force at before stay. For times from
	// before on, History returns the same as it did. Prune runs in several transactions, so after an error some
	// documents may have been removed.
	Prune(ctx context.Context, before int64) (removed int, err error)
}

// Credential is a sign's password at the broker, as hashes. The password has 256 random bits, so a plain SHA-256 is
// safe against guessing.
type Credential struct {
	Sign      string
	SHA256    [32]byte // of the password as the sign sends it
	CreatedMS int64
	// Verifiers are hashes of the same password for external brokers, by broker, in each broker's own format, e.g.
	// "$7$101$…". It is nil if there is none.
	Verifiers map[string]string
}

// Credentials stores one credential for each sign.
type Credentials interface {
	// Set stores c. It replaces the sign's earlier credential.
	Set(ctx context.Context, c Credential) error
	// Get returns an error with code NotFound for a sign without a credential.
	Get(ctx context.Context, sign string) (Credential, error)
	// List returns all credentials, sorted bytewise by sign.
	List(ctx context.Context) ([]Credential, error)
	// Remove returns an error with code NotFound for a sign without a credential.
	Remove(ctx context.Context, sign string) error
}

// Settings stores small values by name.
type Settings interface {
	Set(ctx context.Context, key, value string) error
	// Get returns an error with code NotFound for a key that was never set.
	Get(ctx context.Context, key string) (string, error)
}

// Change is a user's write or removal of an object.
type Change struct {
	Object   Object
	Expected int64
	Remove   bool
	By       playlists.Actor
	// Of is the owner in the audit log. It differs from the object's owner for signs: a sign belongs to a company
	// but is stored as an object of the installation. "" means the object's owner.
	Of string
}

// Audit changes objects and logs who changed them. The log is append-only. Each entry has a digest over itself and
// the previous entry (see Chain), so that Verify detects a row that was changed, removed or inserted.
type Audit interface {
	// Change writes the objects of c and with and an entry for each, all or nothing. It returns the new version of
	// c's object.
	Change(ctx context.Context, c Change, with ...Change) (version int64, err error)
	// List returns at most limit entries with numbers above after, oldest first. The owner AllOwners selects all
	// entries.
	List(ctx context.Context, owner string, after int64, limit int) ([]playlists.AuditEntry, error)
	// Newest returns at most limit entries with numbers below before, newest first. The owner AllOwners selects all
	// entries.
	Newest(ctx context.Context, owner string, before int64, limit int) ([]playlists.AuditEntry, error)
	// Verify checks the chain and returns the number of entries. At the first entry whose digest is wrong it stops
	// with a *playlists.Error with code Conflict that names the entry. If each is not nil, it is called for every
	// correct entry.
	Verify(ctx context.Context, each func(*playlists.AuditEntry)) (entries int64, err error)
}
