package sqlite

import (
	"path/filepath"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// BenchmarkRecords40x672x10 reads as many records as a report: 40 signs, one week, a record of 10 plays every 15
// minutes.
func BenchmarkRecords40x672x10(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "ledcast.db"))
	for _, fill := range []string{
		`WITH RECURSIVE sign(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM sign WHERE i < 39),
			n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 672)
		INSERT INTO play_records
			SELECT 'qn-' || sign.i, 'chain', n.i, 'digest', n.i * 900000, n.i * 900000 + 900000, X'00' FROM sign, n`,
		`WITH RECURSIVE p(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM p WHERE i < 9)
		INSERT INTO plays
			SELECT sign, chain, n, 'message-' || p.i, 'bluezone', 'frame', 'program', 11, 88000 FROM play_records, p`,
	} {
		if _, err := s.w.Exec(fill); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		n := 0
		err := store.EachRecord(b.Context(), s.Proofs(), 0, 1e12, "",
			func(r *playlists.PlayRecord) error { n += len(r.Plays); return nil })
		if err != nil || n != 40*672*10 {
			b.Fatal(n, err)
		}
	}
}
