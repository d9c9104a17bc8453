package report_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/controller/internal/report"
	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
	"ledcast/sign/box"
	"ledcast/sign/link"
	"ledcast/sign/output"
	"ledcast/sign/wire"
)

func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func pub(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

var rootKey, spareKey, programKey, requestKey = key(1), key(2), key(3), key(5)

// content provides the companies' playlists and messages. Each message is a small picture.
type content struct{ t *testing.T }

func (c content) Playlist(owner, id string) (*playlists.Playlist, error) {
	l := &playlists.Playlist{ID: id, Owner: owner}
	items, dwell := 4, int64(100_000)
	if owner == "company-0" { // seven weighted items
		items, dwell = 7, 60_000
	}
	for i := range items {
		l.Items = append(l.Items, playlists.Item{Message: fmt.Sprintf("m%d", i), Weight: playlists.Plays(1 + i%2),
			DwellMS: dwell})
	}
	return l, nil
}

func (c content) Message(owner, id string) (*playlists.Message, error) {
	return &playlists.Message{ID: id, Owner: owner,
		Variants: []playlists.Variant{{Lang: "vi", Headline: owner + " " + id}}}, nil
}

func picture(name string) (timeline.Frame, []byte) {
	n := uint8(len(name)) * 7
	for i := range len(name) {
		n = n*31 + name[i]
	}
	img := image.NewPaletted(image.Rect(0, 0, 16, 8), color.Palette{color.RGBA{n, 0, 0, 255}, color.RGBA{0, 255, n, 255}})
	img.Pix[int(n)%len(img.Pix)] = 1
	img.Pix[int(n/2)%len(img.Pix)] = 1
	var b bytes.Buffer
	_ = png.Encode(&b, img) // never fails for a bytes.Buffer
	return timeline.Frame{SHA256: wire.Digest(b.Bytes()), Len: int64(b.Len()), Type: "image/png", W: 16, H: 8}, b.Bytes()
}

func (c content) Artwork(m *playlists.Message, _ playlists.Class, _ playlists.Motion) (*playlists.Artwork, error) {
	f, data := picture(m.Owner + m.ID)
	return &playlists.Artwork{Frames: []playlists.FrameFile{{Frame: f, Data: data}},
		Steps: []timeline.Step{{Frame: 0, MS: 50_000}}}, nil
}

// book is a report.Book in memory.
type book struct {
	programs map[string][]plan.InForce
	records  map[string][]playlists.PlayRecord
}

func (b *book) Signs(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(b.programs)), nil
}

func (b *book) Programs(_ context.Context, sign string, from, until int64) ([]plan.InForce, error) {
	var out []plan.InForce
	for _, p := range b.programs[sign] {
		if p.From < until && p.Until > from {
			out = append(out, p)
		}
	}
	return out, nil
}

func (b *book) Records(_ context.Context, sign string, from, until int64, do func(*playlists.PlayRecord) error) error {
	for i := range b.records[sign] {
		if r := &b.records[sign][i]; r.UntilMS >= from && r.FromMS < until {
			if err := do(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// week simulates a controller and the signs of several companies.
type week struct {
	t      *testing.T
	n      *network
	book   *book
	seen   int
	seq    int64
	ends   map[string]int64  // chain → n
	prevs  map[string]string // chain → digest
	signs  []*testSign
	events []event // sorted by time
	kills  int
	off    time.Duration // total time without power
}

// event is a scheduled action on a sign.
type event struct {
	at time.Time
	do func()
}

type testSign struct {
	sign playlists.Sign
	dir  string
	out  *countingOutput
	stop context.CancelFunc // nil while it is off
	done chan error
	ran  []report.Span // the time for which it can have records
}

const companies, weekHours = 4, 7 * 24

func (w *week) header(role string, life int64) timeline.Header {
	w.seq = max(w.seq+1, time.Now().UnixMilli())
	return wire.NewHeader(role, 1, w.seq, time.Now().Unix(), life)
}

func (w *week) seal(k ed25519.PrivateKey, typ string, v any) []byte {
	doc, err := wire.Seal(k, typ, v)
	if err != nil {
		w.t.Fatal(err)
	}
	return doc
}

func (w *week) start(s *testSign) {
	begin := time.Now()
	s.out.last = output.Picture{}
	b, err := box.New(box.Options{Dir: s.dir, Outputs: []output.Output{s.out}, Software: "week",
		Config: box.Config{Sign: s.sign.ID, Class: s.sign.Class.String(), Areas: s.sign.Areas, Broker: "mqtt://memory:1",
			Username: s.sign.ID, Password: "x",
			Root: wire.EncodeKey(pub(rootKey)), RootSpare: wire.EncodeKey(pub(spareKey))},
		Network: func(o link.Options) (box.Runner, error) { return &memoryLink{w.n, s.sign.ID, o}, nil },
		Times: box.Times{Mono: func() int64 { return time.Since(begin).Milliseconds() },
			System: func() (int64, bool) { return time.Now().UnixMilli(), true }}})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	s.stop, s.done = cancel, make(chan error, 1)
	s.ran = append(s.ran, report.Span{FromMS: begin.UnixMilli()})
	go func() { s.done <- b.Run(ctx) }()
}

// halt stops a sign cleanly. kill stops it like a power cut.
func (w *week) halt(s *testSign) {
	s.stop()
	if err := <-s.done; err != nil {
		w.t.Error(err)
	}
	s.stop = nil
	s.ended(s.out.close(time.Now().UnixMilli()))
}

func (w *week) kill(s *testSign) {
	copied := tempDir(w.t)
	if err := os.CopyFS(copied, os.DirFS(s.dir)); err != nil {
		w.t.Fatal(err)
	}
	s.stop()
	<-s.done
	s.stop = nil
	s.dir = copied
	w.kills++
	s.ended(s.out.cut(time.Now().UnixMilli()))
}

func (s *testSign) ended(atMS int64) { s.ran[len(s.ran)-1].UntilMS = atMS }

// tempDir returns a directory for a sign, in memory if possible: a week has about ten thousand synced records.
func tempDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "ledcast-week-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// schedule adds an event after a delay.
func (w *week) schedule(d time.Duration, do func()) {
	w.events = append(w.events, event{time.Now().Add(d), do})
	slices.SortStableFunc(w.events, func(a, b event) int { return a.at.Compare(b.at) })
}

// advance lets the simulated time pass. It runs the scheduled events and collects the signs' records every five
// minutes.
func (w *week) advance(d time.Duration) {
	for end, tick := time.Now().Add(d), time.Now().Add(5*time.Minute); time.Now().Before(end); {
		next := tick
		if len(w.events) > 0 && w.events[0].at.Before(next) {
			next = w.events[0].at
		}
		time.Sleep(time.Until(next))
		synctest.Wait()
		if next == tick {
			w.collectRecords()
			tick = tick.Add(5 * time.Minute)
			continue
		}
		do := w.events[0].do
		w.events = w.events[1:]
		do()
	}
}

// randomOutage schedules a random event within the next hour, or none: the sign's link is cut or restored, or the
// sign is stopped or loses power for seconds, minutes or hours.
func (w *week) randomOutage(random *rand.Rand, s *testSign) {
	at := time.Duration(random.Int64N(3600_000)) * time.Millisecond
	off := []time.Duration{13 * time.Second, 7*time.Minute + 13*time.Second,
		time.Duration(random.Int64N(9*3600_000)) * time.Millisecond}[random.IntN(3)]
	end := w.kill
	switch random.IntN(40) {
	case 0, 1:
		w.schedule(at, func() { w.n.link(s.sign.ID, false) })
		return
	case 2, 3, 4:
		w.schedule(at, func() { w.n.link(s.sign.ID, true) })
		return
	case 5:
	case 6:
		end = w.halt
	default:
		return
	}
	w.schedule(at, func() {
		if s.stop == nil {
			return // it is already off
		}
		end(s)
		w.off += off
		w.schedule(off, func() { w.start(s) })
	})
}

// publishPrograms plans, signs and publishes the programs of all signs.
func (w *week) publishPrograms(r plan.Rulebook) {
	now := time.Now().Unix()
	p := plan.NewPlanner(content{w.t}, r)
	for _, s := range w.signs {
		planned, err := p.Plan(&s.sign, now-wire.Early, now+wire.LifeProgram, plan.Limits{})
		if err != nil {
			w.t.Fatal(err)
		}
		g := planned.Program
		g.Header = w.header(wire.RoleProgram, wire.LifeProgram)
		g.Prepare()
		titles := map[string]string{}
		for _, it := range g.Items {
			titles[it.Owner+"/"+it.ID] = it.Owner + " " + it.ID
		}
		list := w.book.programs[s.sign.ID]
		if n := len(list); n > 0 {
			list[n-1].Until = now
		}
		w.book.programs[s.sign.ID] = append(list, plan.InForce{From: now, Until: g.Exp, Program: g,
			Notes: &plan.Notes{Owner: s.sign.Owner, Titles: titles, Reasons: planned.Reasons}})
		for _, it := range g.Items {
			f, data := picture(it.Owner + it.ID)
			w.n.send(wire.FrameTopic(it.Owner, f.SHA256), data, true)
		}
		w.n.send(wire.SignTopic(s.sign.ID, wire.LeafProgram), w.seal(programKey, wire.TypProgram, g), true)
	}
}

// collectRecords checks the published records, stores each once, and acknowledges them.
func (w *week) collectRecords() {
	w.n.mu.Lock()
	published := w.n.published[w.seen:]
	w.seen = len(w.n.published)
	w.n.mu.Unlock()
	for _, m := range published {
		parts := strings.Split(m.Topic, "/")
		if parts[len(parts)-1] != string(wire.LeafPlayed) {
			continue
		}
		id := parts[3]
		w.n.mu.Lock()
		status, err := wire.ParseStatus(w.n.retained[wire.SignTopic(id, wire.LeafStatus)])
		w.n.mu.Unlock()
		if err != nil {
			w.t.Fatal(err)
		}
		if status.Key == nil {
			continue // the sign has disconnected; it will send the record again
		}
		x, err := wire.DecodeKey(status.Key.X)
		if err != nil {
			w.t.Fatal(err)
		}
		p, err := wire.OpenPlayed(m.Payload, id, x)
		if err != nil {
			w.t.Fatalf("%s: %v", id, err)
		}
		if p.N == w.ends[p.Chain]+1 {
			if p.Prev != w.prevs[p.Chain] {
				w.t.Fatalf("%s: record %d does not continue its chain", id, p.N)
			}
			w.ends[p.Chain], w.prevs[p.Chain] = p.N, wire.Digest(m.Payload)
			r := playlists.PlayRecord{FromMS: p.FromMS, UntilMS: p.UntilMS}
			for _, y := range p.Plays {
				r.Plays = append(r.Plays, playlists.Play{Item: y.Item, Campaign: y.Campaign, Frame: y.Frame,
					Why: y.Why, Count: y.Count, MS: y.MS})
			}
			w.book.records[id] = append(w.book.records[id], r)
		}
		q := &wire.SignRequest{Header: w.header(wire.RoleRequest, wire.LifeRequest), Sign: id, ID: fmt.Sprint(w.seq),
			Op: wire.OpPlayedHave, Chain: p.Chain, N: p.N}
		w.n.send(wire.SignTopic(id, wire.LeafRequest), w.seal(requestKey, wire.TypRequest, q), false)
	}
}

// TestWeekOfForty simulates 40 signs of four companies for a week. Links are cut, signs are stopped, and signs lose
// power for hours. The numbers of the report must equal what the outputs showed, its coverage must equal the time
// with records, and a campaign of 20 % must have its share. The first sign has seven weighted items and no outages.
func TestWeekOfForty(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; left out with -short")
	}
	count, hours := 8, 30
	if os.Getenv("LEDCAST_FULL") != "" && !raceEnabled {
		count, hours = 40, weekHours
	}
	synctest.Test(t, func(t *testing.T) {
		w := &week{t: t, n: &network{retained: map[string][]byte{}, conns: map[string]*conn{},
			cut: map[string]chan struct{}{}},
			book: &book{map[string][]plan.InForce{}, map[string][]playlists.PlayRecord{}}, ends: map[string]int64{},
			prevs: map[string]string{}}
		class, err := playlists.ParseClass("16x8-rgb")
		if err != nil {
			t.Fatal(err)
		}
		rules := plan.Rulebook{Campaigns: []playlists.Campaign{
			{ID: "bluezone", Letter: playlists.Letter{Number: "12/STTTT-TTBCXB", Date: "2021-01-28"},
				Messages: []string{"install"}, SharePercent: 20, Areas: []string{"quang-ngai"}, First: "1999-01-01",
				Last: "2100-01-01"}}}
		for i := range companies {
			owner := fmt.Sprintf("company-%d", i)
			rules.Agreements = append(rules.Agreements, playlists.Agreement{ID: "deal", Owner: owner, SharePercent: 25})
		}
		for i := range count {
			s := &testSign{dir: tempDir(t), out: &countingOutput{put: map[playlists.Play]*[2]int64{}},
				sign: playlists.Sign{ID: fmt.Sprintf("w-%03d", i),
					Owner: fmt.Sprintf("company-%d", i%companies), Class: class, Areas: []string{"quang-ngai/son-tinh"},
					Playlist: "all-day"}}
			w.signs = append(w.signs, s)
			w.start(s)
		}
		from := time.Now().Unix()
		k := &wire.KeySet{Header: w.header(wire.RoleKeys, wire.LifeKeys), Revoked: []string{}}
		for role, priv := range map[string]ed25519.PrivateKey{wire.RoleProgram: programKey, wire.RoleRequest: requestKey} {
			k.Keys = append(k.Keys, wire.Key{Kid: wire.KeyID(pub(priv)), Role: role, X: wire.EncodeKey(pub(priv)), Nbf: k.Nbf,
				Exp: k.Exp})
		}
		w.n.send(wire.TopicKeys, w.seal(rootKey, wire.TypKeys, k), true)
		random := rand.New(rand.NewPCG(7, 40))
		for hour := range hours {
			if hour%24 == 0 {
				w.publishPrograms(rules)
			}
			for _, s := range w.signs[1:] {
				w.randomOutage(random, s)
			}
			w.advance(time.Hour)
		}
		w.events = nil
		for _, s := range w.signs {
			w.n.link(s.sign.ID, true)
			if s.stop == nil {
				w.start(s)
			}
		}
		// Collect all records. Then stop each sign and start it once more, so that it sends its last record.
		collect := func() {
			for range 400 {
				time.Sleep(2 * time.Second)
				synctest.Wait()
				w.collectRecords()
			}
		}
		collect()
		for range 40 {
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			w.collectRecords()
		}
		for _, s := range w.signs {
			w.halt(s)
		}
		after := map[string]map[playlists.Play][2]int64{}
		for _, s := range w.signs {
			after[s.sign.ID] = map[playlists.Play][2]int64{}
			for k, v := range s.out.put {
				after[s.sign.ID][k] = *v
			}
		}
		until := time.Now().Unix()
		ran := map[string][]report.Span{}
		for _, s := range w.signs {
			ran[s.sign.ID] = slices.Clone(s.ran)
		}
		for _, s := range w.signs {
			w.start(s)
		}
		collect()
		for _, s := range w.signs {
			w.halt(s)
		}
		w.compare(from, until, after, ran)
	})
}
