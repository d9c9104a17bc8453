package publish

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// world implements a publisher's dependencies in memory.
type world struct {
	mu       sync.Mutex
	signs    []playlists.Sign
	lists    map[string]*playlists.Playlist
	messages map[string]*playlists.Message

	schedules  []plan.Dated[playlists.Schedule]
	campaigns  []playlists.Campaign
	agreements []playlists.Agreement
	notes      map[string][]byte // by sign

	latest   map[string]*playlists.Issued
	history  map[string][]*timeline.Program // by sign
	kept     memoryTopics
	seq      int64
	sent     []string          // topics in the order of publishing
	retained map[string]string // topic → payload
	sentAt   map[string][]time.Time
	down     error
	drawn    int
	drawing  map[string]*playlists.Artwork // cache of artworks, if not nil
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
	return nil, &playlists.Error{Code: playlists.NotFound, Field: "playlist", Value: owner + "/" + id, Key: "not-here"}
}

func (w *world) Message(_ context.Context, owner, id string) (*playlists.Message, error) {
	if m := w.messages[owner+"/"+id]; m != nil {
		return m, nil
	}
	return nil, &playlists.Error{Code: playlists.NotFound, Field: "message", Value: owner + "/" + id, Key: "not-here"}
}

func (w *world) Rulebook(context.Context) (plan.Rulebook, error) {
	return plan.Rulebook{Schedules: w.schedules, Campaigns: w.campaigns, Agreements: w.agreements}, nil
}

// Artwork draws two pages of 4 s; a message called "bad-letter" cannot be drawn.
func (w *world) Artwork(_ context.Context, m *playlists.Message, c playlists.Class,
	_ playlists.Motion) (*playlists.Artwork, error) {
	if a := w.drawing[m.Owner+"/"+m.ID+c.String()]; a != nil {
		return a, nil
	}
	w.mu.Lock()
	w.drawn++
	w.mu.Unlock()
	if m.ID == "bad-letter" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "messages/bad-letter.variants[0].body", Value: "☃",
			Key: "letter-without-glyph"}
	}
	a := &playlists.Artwork{}
	for i := range 2 {
		data := fmt.Appendf(nil, "%s %s page %d", m.ID, c, i)
		a.Frames = append(a.Frames, playlists.FrameFile{Data: data,
			Frame: timeline.Frame{SHA256: wire.Digest(data), Len: int64(len(data)), Type: "image/png", W: int64(c.W),
				H: int64(c.H)}})
		a.Steps = append(a.Steps, timeline.Step{Frame: int64(i), MS: 4000})
	}
	if w.drawing != nil {
		w.drawing[m.Owner+"/"+m.ID+c.String()] = a
	}
	return a, nil
}

func (w *world) Issue(_ context.Context, drafts []playlists.Draft,
	seal func(int, int64) ([]byte, error)) ([]playlists.Issued, error) {
	w.mu.Lock() // programs and alerts are issued concurrently
	defer w.mu.Unlock()
	var out []playlists.Issued
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
		x := playlists.Issued{Head: playlists.Head{Epoch: d.Epoch, Seq: w.seq, Iat: d.IatMS / 1000, Exp: d.Exp,
			Digest: d.Digest}, JWS: jws}
		w.latest[d.Role+d.Subject] = &x
		if w.history != nil && d.Role == wire.RoleProgram {
			g, err := wire.StoredProgram(jws)
			if err != nil {
				return nil, err
			}
			w.history[d.Subject] = append(w.history[d.Subject], g)
		}
		out = append(out, x)
	}
	return out, nil
}

func (w *world) Latest(_ context.Context, role, subject string) (*playlists.Issued, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest[role+subject], nil
}

func (w *world) Programs(_ context.Context, sign string, from, until int64) (out []*timeline.Program, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, g := range w.history[sign] {
		if next := i + 1; g.Iat < until && (next == len(w.history[sign]) || w.history[sign][next].Iat > from) {
			out = append(out, g)
		}
	}
	return out, nil
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

// got returns what is retained on a topic.
func (w *world) got(topic string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.retained[topic]
}

// at returns when a topic was published, in order.
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

// topics returns the topics of all published messages, in order.
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
		return playlists.Sign{ID: id, Owner: "viet-ads", Class: rgb, Areas: []string{"quang-ngai"}, Mode: mode,
			Playlist: list}
	}
	w := &world{signs: []playlists.Sign{sign("one", "", ""), sign("two", "", ""), sign("three", "", "own"),
		sign("pic", playlists.ModePicture, "")},
		lists: map[string]*playlists.Playlist{
			"public/default": {ID: "default", Owner: "public", Items: []playlists.Item{{Message: "hello"},
				{Message: "bye", DwellMS: 10000}}},
			"viet-ads/own": {ID: "own", Owner: "viet-ads", Items: []playlists.Item{{Message: "ours"},
				{Message: "public/hello"}}},
		},
		messages: map[string]*playlists.Message{}, latest: map[string]*playlists.Issued{}, retained: map[string]string{},
		sentAt: map[string][]time.Time{}}
	for _, m := range []string{"public/hello", "public/bye", "viet-ads/ours"} {
		owner, id, _ := strings.Cut(m, "/")
		w.messages[m] = &playlists.Message{ID: id, Owner: owner, Variants: []playlists.Variant{{Lang: "vi", Body: id}}}
	}
	return w, New(Options{Broker: w, Catalogue: w, Artist: w, Ledger: w, Keys: w, Now: time.Now,
		Log: slog.New(slog.DiscardHandler)})
}
