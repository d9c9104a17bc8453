package publish

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// world is a publisher's surroundings in memory.
type world struct {
	mu       sync.Mutex
	signs    []playlists.Sign
	lists    map[string]*playlists.Playlist
	messages map[string]*playlists.Message

	schedules  []playlists.Dated[playlists.Schedule]
	campaigns  []playlists.Campaign
	agreements []playlists.Agreement
	notes      map[string][]byte // by sign

	latest   map[string]*Issued
	seq      int64
	sent     []string          // topics in the order of publishing
	retained map[string]string // topic → payload
	sentAt   map[string][]time.Time
	down     error
	drawn    int
	drawing  map[string]*playlists.Artwork // where given, what was drawn before
}

func (w *world) Signs(context.Context) ([]playlists.Sign, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.signs), nil
}

func (w *world) Playlist(_ context.Context, owner, id string) (*playlists.Playlist, error) {
	if p := w.lists[owner+"/"+id]; p != nil {
		return p, nil
	}
	return nil, &playlists.Error{Code: playlists.NotFound, Field: "playlist", Value: owner + "/" + id, Problem: "is not here"}
}

func (w *world) Message(_ context.Context, owner, id string) (*playlists.Message, error) {
	if m := w.messages[owner+"/"+id]; m != nil {
		return m, nil
	}
	return nil, &playlists.Error{Code: playlists.NotFound, Field: "message", Value: owner + "/" + id, Problem: "is not here"}
}

func (w *world) Schedules(context.Context) ([]playlists.Dated[playlists.Schedule], error) {
	return w.schedules, nil
}
func (w *world) Campaigns(context.Context) ([]playlists.Campaign, error)   { return w.campaigns, nil }
func (w *world) Agreements(context.Context) ([]playlists.Agreement, error) { return w.agreements, nil }

// Artwork draws two pages of 4 s; a message called "bad" cannot be drawn.
func (w *world) Artwork(_ context.Context, m *playlists.Message, c playlists.Class, _ bool) (*playlists.Artwork, error) {
	if a := w.drawing[m.Owner+"/"+m.ID+c.String()]; a != nil {
		return a, nil
	}
	w.mu.Lock()
	w.drawn++
	w.mu.Unlock()
	if m.ID == "bad-letter" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "messages/bad-letter.variants[0].body", Value: "☃", Problem: "has a letter that no font has", Remedy: "take it out"}
	}
	a := &playlists.Artwork{}
	for i := range 2 {
		data := fmt.Appendf(nil, "%s %s page %d", m.ID, c, i)
		a.Frames = append(a.Frames, playlists.FrameFile{Data: data,
			Frame: timeline.Frame{SHA256: wire.Digest(data), Len: int64(len(data)), Type: "image/png", W: int64(c.W), H: int64(c.H)}})
		a.Steps = append(a.Steps, timeline.Step{Frame: int64(i), MS: 4000})
	}
	if w.drawing != nil {
		w.drawing[m.Owner+"/"+m.ID+c.String()] = a
	}
	return a, nil
}

func (w *world) Issue(_ context.Context, drafts []Draft, seal func(int, int64) ([]byte, error)) ([]Issued, error) {
	w.mu.Lock() // programs and alerts are issued beside each other
	defer w.mu.Unlock()
	var out []Issued
	for i, d := range drafts {
		w.seq++
		jws, err := seal(i, w.seq)
		if err != nil {
			return nil, err
		}
		if w.notes == nil {
			w.notes = map[string][]byte{}
		}
		w.notes[d.Subject] = d.Notes
		x := Issued{Epoch: d.Epoch, Seq: w.seq, Iat: d.IatMS / 1000, Exp: d.Exp, Digest: d.Digest, JWS: jws}
		w.latest[d.Role+d.Subject] = &x
		out = append(out, x)
	}
	return out, nil
}

func (w *world) Latest(_ context.Context, role, subject string) (*Issued, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest[role+subject], nil
}

func (w *world) NextSeqs(_ context.Context, _ string, subjects []string, _, _ int64) ([]int64, error) {
	out := make([]int64, len(subjects))
	for i := range out {
		w.seq++
		out[i] = w.seq
	}
	return out, nil
}

func (w *world) Publish(_ context.Context, topic string, payload []byte, retained bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down != nil {
		return w.down
	}
	w.sent = append(w.sent, topic)
	w.sentAt[topic] = append(w.sentAt[topic], time.Now())
	if retained {
		w.retained[topic] = string(payload)
	}
	return nil
}

// got is what is retained on a topic.
func (w *world) got(topic string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.retained[topic]
}

// at is when a topic was published, in order.
func (w *world) at(topic string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sentAt[topic])
}

func (w *world) setDown(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = err
}

// topics are all that was published, in order.
func (w *world) topics() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent)
}

var signer = ed25519.NewKeyFromSeed(make([]byte, 32))

func (w *world) Signer(string) (ed25519.PrivateKey, int64, error) { return signer, 1, nil }
func (w *world) KeySet() []byte                                   { return []byte("the key set") }

func newWorld() (*world, *Publisher) {
	rgb := playlists.Class{W: 128, H: 64, Colour: playlists.RGB}
	sign := func(id string, mode playlists.Mode, list string) playlists.Sign {
		return playlists.Sign{ID: id, Owner: "viet-ads", Class: rgb, Areas: []string{"quang-ngai"}, Mode: mode, Playlist: list}
	}
	w := &world{signs: []playlists.Sign{sign("one", "", ""), sign("two", "", ""), sign("three", "", "own"), sign("pic", playlists.ModePicture, "")},
		lists: map[string]*playlists.Playlist{
			"public/default": {ID: "default", Owner: "public", Items: []playlists.Item{{Message: "hello"}, {Message: "bye", DwellMS: 10000}}},
			"viet-ads/own":   {ID: "own", Owner: "viet-ads", Items: []playlists.Item{{Message: "ours"}, {Message: "public/hello"}}},
		},
		messages: map[string]*playlists.Message{}, latest: map[string]*Issued{}, retained: map[string]string{}, sentAt: map[string][]time.Time{}}
	for _, m := range []string{"public/hello", "public/bye", "viet-ads/ours"} {
		owner, id, _ := strings.Cut(m, "/")
		w.messages[m] = &playlists.Message{ID: id, Owner: owner, Variants: []playlists.Variant{{Lang: "vi", Body: id}}}
	}
	return w, New(Options{Broker: w, Catalogue: w, Artist: w, Ledger: w, Keys: w, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
}

func TestFramesComeBeforePrograms(t *testing.T) {
	w, p := newWorld()
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.stopPictures()
	if w.got(wire.SignTopic("one", wire.Program)) == "" {
		t.Fatal("no program")
	}
	if w.got(wire.SignTopic("pic", wire.Program)) != "" {
		t.Error("a picture sign was sent a program")
	}
	have := map[string]bool{}
	programs := 0
	for _, topic := range w.topics() {
		if sign, leaf, ok := wire.SplitSignTopic(topic); ok && leaf == wire.Program {
			programs++
			for _, f := range p.Plan(sign).Program.Frames {
				if !have[wire.FrameTopic(f.Owner, f.SHA256)] {
					t.Errorf("the program of %s came before its frame %s", sign, f.SHA256)
				}
			}
		}
		have[topic] = true
	}
	if programs != 3 {
		t.Errorf("%d programs", programs)
	}
}

func TestNothingChangedNothingSent(t *testing.T) {
	w, p := newWorld()
	for range 3 {
		if err := p.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	defer p.stopPictures()
	count := map[string]int{}
	for _, topic := range w.topics() {
		if _, leaf, _ := wire.SplitSignTopic(topic); leaf != wire.Frame {
			count[topic]++
		}
	}
	for topic, n := range count {
		if n != 1 {
			t.Errorf("%s was sent %d times", topic, n)
		}
	}
	// One company's change leaves the others' programs as they are.
	before := w.got(wire.SignTopic("one", wire.Program))
	own := w.got(wire.SignTopic("three", wire.Program))
	w.lists["viet-ads/own"].Items[0].DwellMS = 20000
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.got(wire.SignTopic("one", wire.Program)) != before {
		t.Error("another sign's program changed")
	}
	if w.got(wire.SignTopic("three", wire.Program)) == own {
		t.Error("the changed sign's program did not change")
	}
	// A broker that came back empty is filled again, with the same documents.
	w.mu.Lock()
	w.retained = map[string]string{}
	w.mu.Unlock()
	p.Connected()
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.got(wire.SignTopic("one", wire.Program)) != before {
		t.Error("the emptied broker did not get the same program again")
	}
}

// What cannot be drawn is named, and everything else goes on.
func TestABadMessageStopsOneSign(t *testing.T) {
	w, p := newWorld()
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.stopPictures()
	kept := w.got(wire.SignTopic("three", wire.Program))
	w.messages["viet-ads/bad-letter"] = &playlists.Message{ID: "bad-letter", Owner: "viet-ads"}
	w.lists["viet-ads/own"].Items = append(w.lists["viet-ads/own"].Items, playlists.Item{Message: "bad-letter"})
	w.lists["public/default"].Items[1].DwellMS = 12000
	one := w.got(wire.SignTopic("one", wire.Program))
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.Problem("three"); !strings.Contains(got, "☃") || !strings.Contains(got, "take it out") {
		t.Errorf("the problem says %q", got)
	}
	if w.got(wire.SignTopic("three", wire.Program)) != kept {
		t.Error("the sign did not keep its last program")
	}
	if w.got(wire.SignTopic("one", wire.Program)) == one {
		t.Error("another sign's change was held up")
	}
	if p.Problem("one") != "" {
		t.Errorf("problem of another sign: %s", p.Problem("one"))
	}
}

func TestProgramsAreRenewedDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		p.Connected()
		synctest.Wait()
		topic := wire.SignTopic("one", wire.Program)
		if n := len(w.at(topic)); n != 1 {
			t.Fatalf("%d programs at the start", n)
		}
		time.Sleep(3*24*time.Hour + time.Hour)
		synctest.Wait()
		if n := len(w.at(topic)); n != 4 {
			t.Errorf("%d programs in three days and an hour, want 4", n)
		}
		plan := p.Plan("one").Program
		if s := plan.Segments; s[len(s)-1].Until < time.Now().Add(7*24*time.Hour).Unix() {
			t.Error("the coming week is not covered")
		}
		cancel()
		<-done
	})
}

// The picture is published at every change and at least once a minute.
func TestPicturesComeAtTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld()
		w.lists["public/default"].Items = []playlists.Item{{Message: "hello", DwellMS: 200_000}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		p.Connected()
		synctest.Wait()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		times := w.at(wire.SignTopic("pic", wire.Frame))
		plan := p.Plan("pic").Program
		changes := 0
		for i, at := range times {
			s := timeline.At(plan, nil, timeline.Conditions{ClockTrusted: true, LastContactMS: at.UnixMilli()}, at.UnixMilli())
			if s.TauMS == 0 {
				changes++
			}
			if i > 0 && at.Sub(times[i-1]) > time.Minute {
				t.Errorf("%v without a picture", at.Sub(times[i-1]))
			}
		}
		if changes < 5 || changes > 7 { // 100 s a page
			t.Errorf("%d pictures exactly at a change in 10 minutes of 100 s pages", changes)
		}
		if len(times) > 20 {
			t.Errorf("%d pictures in 10 minutes", len(times))
		}
		cancel()
		<-done
	})
}

func TestUnnamedFramesGoAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		p.Connected()
		synctest.Wait()
		gone := p.Plan("three").Program.Frames[0] // of "ours"
		topic := wire.FrameTopic(gone.Owner, gone.SHA256)
		w.lists["viet-ads/own"].Items = w.lists["viet-ads/own"].Items[1:]
		p.Kick()
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		if w.got(topic) == "" {
			t.Error("the frame went within a day; a sign that was away still needs it")
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if w.got(topic) != "" {
			t.Error("the frame is still there after 25 hours")
		}
		cancel()
		<-done
	})
}

func TestBrokerDownIsTriedAgain(t *testing.T) {
	w, p := newWorld()
	w.setDown(errors.New("no broker"))
	if err := p.Reconcile(t.Context()); err == nil || p.Ready() {
		t.Fatalf("err %v, ready %v", err, p.Ready())
	}
	w.setDown(nil)
	if err := p.Reconcile(t.Context()); err != nil || !p.Ready() {
		t.Fatalf("err %v, ready %v", err, p.Ready())
	}
	p.stopPictures()
}

// A sign that was away still needs what the program names that it acked last.
func TestFramesOfAnAckedProgramStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld()
		var acked atomic.Int64
		p.o.Acked = func(sign string) int64 {
			if sign != "three" {
				return 1 << 40
			}
			return acked.Load()
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		p.Connected()
		synctest.Wait()
		acked.Store(p.Plan("three").Program.Seq)
		gone := p.Plan("three").Program.Frames[0] // of "ours"
		topic := wire.FrameTopic(gone.Owner, gone.SHA256)
		w.lists["viet-ads/own"] = &playlists.Playlist{ID: "own", Owner: "viet-ads", Items: []playlists.Item{{Message: "public/hello"}}}
		p.Kick()
		time.Sleep(3*24*time.Hour + time.Minute)
		synctest.Wait()
		if w.got(topic) == "" {
			t.Error("the frame went while the sign has acked only the program that names it")
		}
		p.Connected() // an empty broker gets it again
		synctest.Wait()
		if at := w.at(topic); len(at) != 2 {
			t.Errorf("the frame was published %d times", len(at))
		}
		acked.Store(p.Plan("three").Program.Seq)
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		if w.got(topic) == "" {
			t.Error("the frame went within a day")
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if w.got(topic) != "" {
			t.Error("the frame is still there a day after the sign acked another program")
		}
		cancel()
		<-done
	})
}

// One playlist changes: only the signs that carry it get another program.
func TestOneChangeTouchesWhatCarriesIt(t *testing.T) {
	w, p := newWorld()
	w.schedules = []playlists.Dated[playlists.Schedule]{{Thing: playlists.Schedule{ID: "night", Owner: "viet-ads", Playlist: "own", Signs: []string{"two"}, Window: playlists.Window{From: "22:00", Until: "05:00"}}}}
	seqs := func() string {
		if err := p.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(p.Plan("one").Program.Seq, p.Plan("two").Program.Seq, p.Plan("three").Program.Seq)
	}
	defer p.stopPictures()
	first := seqs()
	if again := seqs(); again != first {
		t.Errorf("nothing changed: %s, then %s", first, again)
	}
	one := p.Plan("one").Program.Seq
	w.lists["viet-ads/own"] = &playlists.Playlist{ID: "own", Owner: "viet-ads", Items: []playlists.Item{{Message: "ours"}}}
	second := seqs()
	if p.Plan("one").Program.Seq != one || second == first {
		t.Errorf("before %s, after %s", first, second)
	}
	var a, b, c, x, y, z int64
	fmt.Sscan(first, &a, &b, &c)
	fmt.Sscan(second, &x, &y, &z)
	if a != x || b == y || c == z {
		t.Errorf("before %s, after %s", first, second)
	}
	var r playlists.Notes
	if err := json.Unmarshal(w.notes["two"], &r); err != nil || !reflect.DeepEqual(r.Reasons, p.Plan("two").Reasons) || r.Owner != p.Plan("two").Sign.Owner {
		t.Errorf("notes %s (%v)", w.notes["two"], err)
	}
	// Another run of the controller finds the same and issues nothing.
	q := New(p.o)
	if err := q.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer q.stopPictures()
	for _, id := range []string{"one", "two", "three"} {
		if q.Plan(id).Program.Seq != p.Plan(id).Program.Seq || !reflect.DeepEqual(q.Plan(id).Reasons, p.Plan(id).Reasons) {
			t.Errorf("%s: another run issued or tells other reasons", id)
		}
	}
	// What is over a sign's own limits is held back, by name.
	p.o.Limits = func(sign string) playlists.Limits { return playlists.Limits{Frames: 1} }
	third := seqs()
	if third != second || !strings.Contains(p.Problem("one"), "over the limit of 1") {
		t.Errorf("before %s, after %s: %q", second, third, p.Problem("one"))
	}
}

// A change that goes before all other signs may be the first thing that
// happens.
func TestOwnerFirstOfAll(t *testing.T) {
	w, p := newWorld()
	defer p.stopPictures()
	p.KickOwner("viet-ads")
	if err := p.Reconcile(t.Context()); err != nil || w.got("led/v1/signs/three/program") == "" {
		t.Errorf("%v", err)
	}
}
