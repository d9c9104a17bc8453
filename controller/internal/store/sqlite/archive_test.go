package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"

	"ledcast/controller/internal/store/storetest"
	"ledcast/playlists"
)

// TestArchiveSize checks that the programs of 10,000 signs for 13 months fit on an ordinary disk.
func TestArchiveSize(t *testing.T) {
	const signs, days, perGroup = 50, 12, 10
	s := open(t, filepath.Join(t.TempDir(), "ledcast.db"))
	drafts := make([]playlists.Draft, signs)
	raw := 0
	for day := range int64(days) {
		iat := int64(1767200400) + day*86400
		for i := range drafts {
			drafts[i] = playlists.Draft{Role: "program", Subject: fmt.Sprintf("qn-%05d", i), IatMS: iat * 1000,
				Exp: iat + 8*86400, Digest: fmt.Sprintf("%064d", iat), Keep: true}
		}
		docs, err := s.Documents().Issue(t.Context(), drafts, func(i int, seq int64) ([]byte, error) {
			return storetest.Sealed(storetest.Program(i/perGroup, i, iat, seq)), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			raw += len(d.JWS)
		}
	}
	var size int
	if err := s.r.QueryRow(`SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(
		&size); err != nil {
		t.Fatal(err)
	}
	per := size / (signs * days)
	t.Logf("a program of %d bytes takes %d bytes: 10,000 signs x 396 days are %.1f GB instead of %.1f",
		raw/(signs*days), per, float64(per)*3.96e-3, float64(raw/(signs*days))*3.96e-3)
	if per > 1500 {
		t.Errorf("a program takes %d bytes", per)
	}

	// After all documents but the latest are pruned, no part without references is left.
	if n, err := s.Documents().Prune(t.Context(), 1<<40); err != nil || n != signs*(days-1) {
		t.Fatalf("%d removed, %v", n, err)
	}
	var documents, parts, uses int
	if err := s.r.QueryRow(`SELECT (SELECT count(*) FROM documents), count(*), SUM(uses) FROM parts`).Scan(&documents,
		&parts, &uses); err != nil {
		t.Fatal(err)
	}
	if documents != signs || parts >= 3*signs || uses != 3*signs {
		t.Errorf("%d documents use %d parts %d times", documents, parts, uses)
	}
}
