package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"ledcast/playlists"
)

// Chain returns the digest of the audit entry e, in hex. prev is the digest of the entry before it, or "" for the
// first. The digest is the SHA-256 of a JSON array of prev and every field of e. The array is unambiguous: two
// different entries never have the same bytes.
func Chain(prev string, e *playlists.AuditEntry) string {
	text, err := json.Marshal([]any{prev, e.N, e.By.AtMS, e.By.Who, e.By.From, e.Action,
		e.Kind, e.Owner, e.ID, e.Before, e.After})
	if err != nil {
		panic(err) // numbers, strings and byte slices always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
