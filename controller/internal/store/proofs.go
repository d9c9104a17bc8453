package store

import (
	"context"

	"ledcast/playlists"
)

// Proofs keeps what signs prove that they put out, and the keys that they
// prove it with.
type Proofs interface {
	// Pin keeps a sign's public key if it has none yet, and returns the one
	// that is pinned.
	Pin(ctx context.Context, sign string, x [32]byte, nowMS int64) (pinned [32]byte, err error)
	// Unpin lets the next key be pinned: a person has confirmed the change.
	Unpin(ctx context.Context, sign string) error
	// End is the last record of a chain: 0 and "" before the first.
	End(ctx context.Context, sign, chain string) (n int64, digest string, err error)
	// Digest is that of one record; NotFound where there is none.
	Digest(ctx context.Context, sign, chain string, n int64) (string, error)
	// Add keeps a record and its plays, all or nothing; Conflict for one that
	// is there.
	Add(ctx context.Context, r playlists.PlayRecord) error
	// Records returns the next records that q asks for with their plays, but
	// without their JWS, ordered by FromMS, sign, chain and N; fewer than q.Most
	// are the last. EachRecord reads them all.
	Records(ctx context.Context, q RecordQuery) ([]playlists.PlayRecord, error)
}

// RecordQuery asks for play records, one page after the other.
type RecordQuery struct {
	// FromMS and UntilMS select the records that begin from FromMS until before
	// UntilMS.
	FromMS, UntilMS int64
	Sign            string       // "" for all signs
	After           RecordCursor // the last record of the page before; zero for the first
	Most            int          // records a page, at least 1
}

// RecordCursor is a record's place in the order of Records.
type RecordCursor struct {
	FromMS      int64
	Sign, Chain string
	N           int64
}

// CursorOf is r's place in the order of Records.
func CursorOf(r *playlists.PlayRecord) RecordCursor {
	return RecordCursor{FromMS: r.FromMS, Sign: r.Sign, Chain: r.Chain, N: r.N}
}

// recordPage is what EachRecord holds in memory, in records.
const recordPage = 256

// EachRecord calls do with every record from fromMS until before untilMS, of one
// sign or ("") of all, in the order of Records, and stops at its first error. It
// holds a page at a time and no transaction: a record that is added meanwhile
// may be among them.
func EachRecord(ctx context.Context, p Proofs, fromMS, untilMS int64, sign string,
	do func(*playlists.PlayRecord) error) error {
	q := RecordQuery{FromMS: fromMS, UntilMS: untilMS, Sign: sign, Most: recordPage}
	for {
		page, err := p.Records(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			if err := do(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < q.Most {
			return nil
		}
		q.After = CursorOf(&page[len(page)-1])
	}
}
