package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"ledcast/playlists"
)

// Chain is the digest of an entry behind the one whose digest is prev ("" for
// the first): SHA-256 over the JSON array of prev and every field, so that no
// two different entries write the same bytes.
func Chain(prev string, e *playlists.AuditEntry) string {
	text, err := json.Marshal([]any{prev, e.N, e.By.AtMS, e.By.Who, e.By.From, e.Action,
		e.Kind, e.Owner, e.ID, e.Before, e.After})
	if err != nil {
		panic(err) // numbers, strings and bytes always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
