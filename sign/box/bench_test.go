package box

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"image/png"
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/accept"
	"ledcast/sign/link"
	"ledcast/sign/output"
	"ledcast/sign/wire"
)

// nowhere is an output that costs nothing.
type nowhere struct{}

func (nowhere) Show(output.Picture) error { return nil }
func (nowhere) Close() error              { return nil }

// scrolling is a sign of 320x160 with one strip of 6,000 pixels on its disk,
// and the time it reads.
func scrolling(b *testing.B) (o Options, mono *int64) {
	b.Helper()
	img := image.NewPaletted(image.Rect(0, 0, 6000, 160), color.Palette{color.Black, color.White})
	for i := range img.Pix {
		img.Pix[i] = uint8(i / 7 % 2)
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256(buf.Bytes())
	sha := hex.EncodeToString(sum[:])
	const now = 1_767_200_400
	p := &timeline.Program{Header: wire.NewHeader(wire.RoleProgram, 1, 1, now, wire.LifeProgram), Sign: "qn-001",
		Class: "320x160-rgb", Areas: []string{"a"},
		Frames: []timeline.Frame{{SHA256: sha, Len: int64(buf.Len()), Type: "image/png", W: 6000, H: 160, Owner: "public"}},
		Items: []timeline.Item{
			{ID: "strip", Owner: "public",
				Steps: []timeline.Step{{Frame: 0, MS: 60_000, Scroll: &timeline.Scroll{Axis: "x", PxS: 90}}}}},
		Loops:    []timeline.Loop{{Anchor: now, Order: []int64{0}}},
		Segments: []timeline.Segment{{From: now, Until: now + wire.LifeProgram}},
		CommLoss: timeline.CommLoss{AfterS: 86400}}
	doc, err := wire.Seal(programKey, wire.TypProgram, p)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	d, err := openDisk(dir)
	if err != nil {
		b.Fatal(err)
	}
	d.state.SavedMS, d.state.ContactMS = now*1000, now*1000
	if err := d.putFrame(sha, buf.Bytes()); err != nil {
		b.Fatal(err)
	}
	if err := d.accept(&accept.Store{Role: wire.RoleProgram, Subject: "qn-001", Epoch: 1, Seq: 1,
		Digest: wire.Digest(doc), Doc: doc}); err != nil {
		b.Fatal(err)
	}
	mono = new(int64)
	return Options{Dir: dir, Outputs: []output.Output{nowhere{}},
		Network: func(link.Options) (Runner, error) { return nil, nil },
		Times:   Times{Mono: func() int64 { return *mono }, System: func() (int64, bool) { return now * 1000, true }},
		Config: Config{Sign: "qn-001", Class: "320x160-rgb", Areas: []string{"a"}, Broker: "mqtt://x:1", Username: "qn-001",
			Root: wire.EncodeKey(pub(rootKey)), RootSpare: wire.EncodeKey(pub(spareKey))}}, mono
}

// BenchmarkScrollStep is what the player does for one step of a scroll at
// 320x160: what shows now, its pixels, the hand-over. At 60 steps a second the
// share of a core is ns/op x 60 / 1e9. The limit is the copy beside it.
func BenchmarkScrollStep(b *testing.B) {
	o, mono := scrolling(b)
	s, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("player", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			*mono += 17
			s.present()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)*60/1e9*100, "%core@60fps")
	})
	b.Run("copy", func(b *testing.B) {
		from := make([]byte, len(s.face.Pix))
		for b.Loop() {
			copy(s.face.Pix, from)
		}
	})
}

// BenchmarkFirstFrame is from nothing to the first picture put out, from disk,
// with no network.
func BenchmarkFirstFrame(b *testing.B) {
	o, _ := scrolling(b)
	for b.Loop() {
		s, err := New(o)
		if err != nil {
			b.Fatal(err)
		}
		s.present()
		if !s.drawn || s.shown.Item != "strip" {
			b.Fatalf("the face shows %+v", s.shown)
		}
	}
}
