package sqldb

import (
	"bytes"
	"testing"

	"ledcast/controller/internal/store/storetest"
)

func FuzzArchive(f *testing.F) {
	f.Add([]byte("a.b.c"))
	f.Add(storetest.Sealed(storetest.Program(1, 2, 1e9, 3)))
	f.Add(storetest.Sealed(map[string]any{"frames": "\"\\{}[],:", "items": [3]int{}}))
	f.Fuzz(func(t *testing.T, jws []byte) {
		compact, cut := archive(jws)
		back, err := restore(compact, cut)
		if err != nil || !bytes.Equal(back, jws) {
			t.Errorf("%q came back as %q, %v", jws, back, err)
		}
	})
}

// FuzzRestore checks that restore returns an error or a document for any row, and never panics.
func FuzzRestore(f *testing.F) {
	compact, cut := archive(storetest.Sealed(storetest.Program(1, 2, 1e9, 3)))
	f.Add(compact, cut[0], cut[1], cut[2])
	f.Add([]byte{formWhole}, []byte("a"), []byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, compact, a, b, c []byte) {
		_, _ = restore(compact, parts{a, b, c})
		text := deflate([]byte{formSplit}, nil)
		text = append(text[:1], make([]byte, signatureSize)...)
		_, _ = restore(deflate(text, compact), parts{a, nil, c})
	})
}

// TestArchiveCuts checks that a program is split and not stored whole.
func TestArchiveCuts(t *testing.T) {
	jws := storetest.Sealed(storetest.Program(1, 2, 1e9, 3))
	compact, cut := archive(jws)
	for i, b := range cut {
		if len(b) < minPart || b[0] != '[' || b[len(b)-1] != ']' {
			t.Errorf("part %s is %.40q", shared[i], b)
		}
	}
	t.Logf("a program of %d bytes: row %d bytes, parts %d bytes", len(jws), len(compact),
		len(deflate(nil, bytes.Join(cut[:], nil))))
	if len(compact) > len(jws)/10 {
		t.Errorf("a program of %d bytes takes %d bytes", len(jws), len(compact))
	}
}

func BenchmarkArchive(b *testing.B) {
	jws := storetest.Sealed(storetest.Program(1, 2, 1e9, 3))
	b.ReportMetric(float64(len(jws)), "jws-bytes")
	for b.Loop() {
		archive(jws)
	}
}

func BenchmarkRestore(b *testing.B) {
	compact, cut := archive(storetest.Sealed(storetest.Program(1, 2, 1e9, 3)))
	for b.Loop() {
		if _, err := restore(compact, cut); err != nil {
			b.Fatal(err)
		}
	}
}
