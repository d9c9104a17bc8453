package api

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"testing"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// liveSigns is a Source of n signs of 128x64 that play the same still, each with
// a snapshot of it that came just now.
type liveSigns struct {
	Source
	signs   []playlists.Sign
	program *timeline.Program
	frame   []byte
	shot    []byte
	shotAt  time.Time
	reads   int // of frames
}

func still(tb testing.TB, w, h int) []byte {
	tb.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 31)
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func newLiveSigns(tb testing.TB, n int, now time.Time) *liveSigns {
	tb.Helper()
	l := &liveSigns{frame: still(tb, 128, 64), shotAt: now}
	l.shot = l.frame
	for i := range n {
		l.signs = append(l.signs, playlists.Sign{ID: fmt.Sprintf("s-%d", i), Owner: "a-co",
			Class: playlists.Class{W: 128, H: 64, Colour: playlists.RGB}})
	}
	l.program = &timeline.Program{Frames: []timeline.Frame{{SHA256: "f"}}, CommLoss: timeline.CommLoss{AfterS: 1e6},
		Items: []timeline.Item{{ID: "a", Owner: "a-co", Steps: []timeline.Step{{MS: 8000}}}},
		Loops: []timeline.Loop{{Order: []int64{0}}}}
	l.program.Seq, l.program.Exp = 7, now.Unix()+1e6
	l.program.Prepare()
	return l
}

func (l *liveSigns) Signs(context.Context) ([]playlists.Sign, error)   { return l.signs, nil }
func (l *liveSigns) Owners(context.Context) ([]playlists.Owner, error) { return nil, nil }
func (l *liveSigns) Program(string) (*timeline.Program, playlists.Text) {
	return l.program, playlists.Text{}
}
func (l *liveSigns) Title(string, string, string) string   { return "A" }
func (l *liveSigns) Has(*playlists.Sign) []timeline.Alert  { return nil }
func (l *liveSigns) Frame(string, string) ([]byte, string) { l.reads++; return l.frame, "image/png" }
func (l *liveSigns) Snapshot(string)                       {}
func (l *liveSigns) Heard(string) Heard {
	return Heard{Online: true, At: l.shotAt, ProgramSeq: 7, Trusted: true, Snapshot: l.shot, ShotAt: l.shotAt}
}

// A snapshot is compared once, however often the wall is drawn, and again when
// another one comes.
func TestComparesASnapshotOnce(t *testing.T) {
	now := time.Date(2021, 1, 30, 18, 0, 0, 0, time.UTC)
	l := newLiveSigns(t, 1, now)
	s := &Server{src: l, now: func() time.Time { return now }}
	s.wall = newWall(s)
	agrees := func() bool {
		t.Helper()
		v, err := s.views(t.Context(), nil)
		if err != nil || len(v) != 1 || v[0].Agrees == nil {
			t.Fatalf("%+v %v", v, err)
		}
		return *v[0].Agrees
	}
	first, second := agrees(), agrees()
	if !first || !second || l.reads != 1 {
		t.Errorf("agrees %v after %d comparisons, want one", agrees(), l.reads)
	}
	// What claims another size or depth is not decoded, and does not agree.
	deep := image.NewRGBA64(image.Rect(0, 0, 128, 64))
	deep.Set(0, 0, color.White)
	var b bytes.Buffer
	if err := png.Encode(&b, deep); err != nil {
		t.Fatal(err)
	}
	for what, shot := range map[string][]byte{"another size": still(t, 64, 64), "16 bits": b.Bytes(),
		"no picture": []byte("GIF")} {
		reads := l.reads
		l.shot, l.shotAt = shot, l.shotAt.Add(time.Millisecond)
		if agrees() || l.reads != reads {
			t.Errorf("%s: agrees, or was compared", what)
		}
	}
	l.shot, l.shotAt = l.frame, l.shotAt.Add(time.Millisecond)
	if !agrees() {
		t.Error("a good snapshot after bad ones does not agree")
	}
}

// One turn of the wall while somebody watches 2,000 live signs: five times a
// second.
func BenchmarkWall2000(b *testing.B) {
	now := time.Date(2021, 1, 30, 18, 0, 0, 0, time.UTC)
	l := newLiveSigns(b, 2000, now)
	s := &Server{src: l, alerts: oneAlert{}, now: func() time.Time { return now }}
	s.wall = newWall(s)
	ch := make(chan []byte, 4096)
	s.wall.watchers[ch] = &watcher{who: &playlists.Principal{ID: "user:minh", Owner: playlists.Public,
		Role: playlists.RoleAdmin}, told: map[string]string{}}
	turn := func() {
		views, err := s.wall.watched(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		s.wall.tell(views)
		s.wall.ask(views, now)
	}
	turn() // compares every snapshot
	for b.Loop() {
		turn()
	}
}

// One snapshot against its program: each watched sign sends one every 5 s.
func BenchmarkAgrees(b *testing.B) {
	now := time.Date(2021, 1, 30, 18, 0, 0, 0, time.UTC)
	l := newLiveSigns(b, 1, now)
	s := &Server{src: l}
	for b.Loop() {
		if !s.agrees(l.program, nil, &l.signs[0], l.Heard("s-0")) {
			b.Fatal("it does not agree")
		}
	}
}
