package playlists

import (
	"context"
	"encoding/json"
	"fmt"
)

// Records cross boundaries between packages and are kept in the database. They
// are plain types: a store writes them, a report reads them, and neither knows
// the other. What HTTP answers is a type of its own in package api, so that the
// database can change without it.

// Stored is a thing as it is kept.
type Stored struct {
	Key
	Data    []byte // JSON
	Version int64  // rises with every write
}

// Written is what became of a write.
type Written struct {
	Thing   Thing // as it was written
	Version int64
	Waits   bool // a part of it waits for the department
}

// Play says how often and how long a sign put a frame on its output.
type Play struct {
	Item, Campaign, Frame, Why string // Frame is the file's digest; "" is dark
	Count, MS                  int64
}

// PlayRecord is a proof of play that was checked: what a sign put out from
// FromMS until UntilMS (Unix ms).
type PlayRecord struct {
	Sign, Chain string
	N           int64  // place in the chain
	Digest      string // of the JWS
	FromMS      int64
	UntilMS     int64
	JWS         []byte // as the sign signed it; left out where nobody asked for it
	Plays       []Play
}

// Condition says how a sign was from AtMS (Unix ms) on, until its next one. A
// sign's time without a condition is unknown. The conditions of the sign "" are
// the controller's own: it is online while it listens to signs.
type Condition struct {
	Sign   string
	AtMS   int64
	Online bool
	Clock  string   // "trusted" or "untrusted"; "" where that is unknown
	Faults []string // as the sign names them
}

// ConditionState says how a sign was in a time of its history.
type ConditionState string

const (
	WasOnline  ConditionState = "online"
	WasOffline ConditionState = "offline"
	WasUnknown ConditionState = "unknown" // not connected before, or the controller did not listen
)

// ConditionSpan is a time in which a sign's condition did not change.
type ConditionSpan struct {
	FromMS, UntilMS int64 // Unix ms; UntilMS is exclusive
	State           ConditionState
	Clock           string // as in Condition, while online
	Faults          []string
}

// ConditionDay adds up the spans of one day in a sign's zone. Online, offline
// and unknown add up to the part of the day that was asked for.
type ConditionDay struct {
	Day       string // YYYY-MM-DD
	FromMS    int64  // when the day begins
	UntilMS   int64  // when it ends: a day need not have 24 hours
	OnlineMS  int64
	OfflineMS int64
	UnknownMS int64
	FaultyMS  int64 // of the time online: the sign had a fault
	ClockMS   int64 // of the time online: its clock was not trusted
	Outages   int   // times that it went offline
}

// Draft is a document that is to be signed and kept.
type Draft struct {
	Role    string // "program", "alerts", …
	Subject string // the sign or class that it is for
	Epoch   int64
	IatMS   int64 // issued, Unix ms; the document's Iat is this in whole seconds
	Exp     int64 // not at or after, Unix seconds
	Digest  string
	// Notes says why the document is as it is: JSON, or nil for nothing.
	// Documents that share their rules share the bytes.
	Notes []byte
	// Seq is that of a document which was signed while the database could not be reached; 0 for one that is given now.
	Seq int64
	// Keep keeps the document in the history after a later one has replaced
	// it. Without it the later one takes its place.
	Keep bool
}

// Head is what is known of a signed document without its bytes.
type Head struct {
	Role    string // as in Draft
	Subject string
	Epoch   int64
	Seq     int64
	Iat     int64  // issued, Unix seconds
	Exp     int64  // not at or after, Unix seconds
	Digest  string // of what was planned, by the planner: equal means nothing changed
}

// Issued is a signed document as it was issued.
type Issued struct {
	Head
	JWS   []byte
	Notes []byte // the draft's
}

// Actor is who changed something.
type Actor struct {
	Who  string // user or token id
	From string // remote address
	AtMS int64
}

// AuditEntry is one row of the audit log.
type AuditEntry struct {
	N               int64 // 1, 2, …
	By              Actor
	Action          string // "create", "replace", "delete"
	Kind, Owner, ID string
	Before, After   []byte // JSON; nil for nothing
	Digest          string // of this entry and the one before: the chain
}

// AuditHead is the newest entry of the log, as a person keeps it.
type AuditHead struct {
	N      int64
	Digest string
}

// Medium is a picture that an owner uploaded under a name. Its file is kept
// under its digest.
type Medium struct {
	ID     string `json:"id"`
	Owner  string `json:"owner"`
	SHA256 string `json:"sha256"` // of the file as it is kept
	Type   string `json:"type"`
	W      int    `json:"w"`
	H      int    `json:"h"`
	Frames int    `json:"frames"` // 1 for a still
	Len    int64  `json:"len"`
}

// PendingChange is a part of a company's change of a sign that waits for the
// department: where the sign counts as standing, whether it shows tests, and how
// far it is trusted.
type PendingChange struct {
	Sign  string   `json:"sign"`
	Areas []string `json:"areas"`
	Test  bool     `json:"test"`
	Mode  Mode     `json:"mode"`
	By    string   `json:"by"` // user or token id
	AtMS  int64    `json:"at_ms"`
}

// Waiver records a legibility rule that a person overrode, and why.
type Waiver struct {
	Code   string   `json:"code"` // of the finding, e.g. "distance"
	Reason string   `json:"reason"`
	Signs  []string `json:"signs"`  // on which the change would have been refused
	Detail string   `json:"detail"` // what the refusal would have said
}

// RecordLister lists the records of a kind by id, as JSON.
type RecordLister interface {
	List(ctx context.Context, kind string) (map[string][]byte, error)
}

// LoadRecords decodes every record of a kind. Its error names the record that cannot be read.
func LoadRecords[T any](ctx context.Context, r RecordLister, kind string, each func(id string, v T)) error {
	rows, err := r.List(ctx, kind)
	if err != nil {
		return err
	}
	for id, row := range rows {
		var v T
		if err := json.Unmarshal(row, &v); err != nil {
			return fmt.Errorf("record %s/%s: %w", kind, id, err)
		}
		each(id, v)
	}
	return nil
}
