package store

import (
	"context"

	"ledcast/playlists"
)

// Proofs stores the signs' play records and the public keys that verify them.
type Proofs interface {
	// Pin stores a sign's public key unless the sign has one already, and returns the pinned key.
	Pin(ctx context.Context, sign string, x [32]byte, nowMS int64) (pinned [32]byte, err error)
	// Unpin removes the pinned key, so that the next one can be pinned. It is called after a person has confirmed
	// the change.
	Unpin(ctx context.Context, sign string) error
	// End returns the number and the digest of a chain's last record. They are 0 and "" for a chain without
	// records.
	End(ctx context.Context, sign, chain string) (n int64, digest string, err error)
	// Digest returns the digest of record n. The error is NotFound if there is no such record.
	Digest(ctx context.Context, sign, chain string, n int64) (string, error)
	// Add stores a record and its plays, all or nothing. The error is Conflict if the record is stored already.
	Add(ctx context.Context, r playlists.PlayRecord) error
	// Prune deletes records that ended before beforeMS, with their plays, at most limit of them, and returns how
	// many. It keeps the last record of each chain: the next one continues it.
	Prune(ctx context.Context, beforeMS int64, limit int) (n int, err error)
	// Records returns one page of the records that q selects, ordered by FromMS, sign, chain and N. The records
	// have their plays but not their JWS. A page with fewer than q.Limit records is the last. EachRecord reads all
	// pages.
	Records(ctx context.Context, q RecordQuery) ([]playlists.PlayRecord, error)
}

// RecordQuery selects a page of play records.
type RecordQuery struct {
	// FromMS and UntilMS select the records that begin in [FromMS, UntilMS).
	FromMS, UntilMS int64
	Sign            string       // "" for all signs
	After           RecordCursor // the last record of the previous page; zero for the first page
	Limit           int          // records per page, at least 1
}

// RecordCursor is a record's position in the order of Records.
type RecordCursor struct {
	FromMS      int64
	Sign, Chain string
	N           int64
}

// CursorOf returns r's position in the order of Records.
func CursorOf(r *playlists.PlayRecord) RecordCursor {
	return RecordCursor{FromMS: r.FromMS, Sign: r.Sign, Chain: r.Chain, N: r.N}
}

// recordPage is the number of records that EachRecord holds in memory.
const recordPage = 256

// EachRecord calls do for every record of a sign that begins in [fromMS, untilMS), in the order of Records. If sign
// is "", it reads the records of all signs. It stops at the first error of do and returns it. It reads page by page
// and without a transaction, so a record that is added meanwhile may or may not be included.
func EachRecord(ctx context.Context, p Proofs, fromMS, untilMS int64, sign string,
	do func(*playlists.PlayRecord) error) error {
	q := RecordQuery{FromMS: fromMS, UntilMS: untilMS, Sign: sign, Limit: recordPage}
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
		if len(page) < q.Limit {
			return nil
		}
		q.After = CursorOf(&page[len(page)-1])
	}
}
