package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// world is a service's surroundings in memory.
type world struct {
	mu    sync.Mutex
	rows  map[string][]byte // kind/id
	log   []string          // who wrote what, audited
	signs []playlists.Sign
	fail  string // kind/id whose write fails once
	drawn int
	reads func(*playlists.Message) bool // also from far away; nil: none is
	pages int                           // of 6 s, of every drawing; 0: one
	// pages of the department's message "sorry"; 0: as many as of others
	corrected int
	words     map[string]string // messages of the department

	deleted chan string // kind/id; nil: nobody asks
}

func newWorld() *world {
	sign := func(id, class, area string, mode playlists.Mode) playlists.Sign {
		c, err := playlists.ParseClass(class)
		if err != nil {
			panic(err) // a constant below is wrong
		}
		return playlists.Sign{ID: id, Owner: "viet-ads", Class: c, Mode: mode, Areas: []string{"quang-ngai/" + area}}
	}
	w := &world{rows: map[string][]byte{}, words: map[string]string{"sorry": "Tin trước là nhầm"}, signs: []playlists.Sign{
		sign("s1", "128x64-rgb", "son-tinh", playlists.ModeProgram), sign("s2", "128x64-rgb", "duc-pho", playlists.ModeProgram),
		sign("s3", "64x32-red", "son-tinh", playlists.ModeProgram), sign("p1", "128x64-rgb", "son-tinh", playlists.ModePicture)}}
	w.signs[1].Phone = "0255 3822 123"
	w.signs[2].OutOfService = "hỏng nguồn"
	return w
}

func (w *world) List(_ context.Context, kind string) (map[string][]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string][]byte{}
	for k, v := range w.rows {
		if id, ok := strings.CutPrefix(k, kind+"/"); ok {
			out[id] = v
		}
	}
	return out, nil
}

func (w *world) Get(_ context.Context, kind, id string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v, ok := w.rows[kind+"/"+id]; ok {
		return v, nil
	}
	return nil, &playlists.Error{Code: playlists.NotFound, Field: kind, Value: id, Problem: "is not here"}
}

func (w *world) Put(_ context.Context, by *playlists.Principal, kind, _, id string, data []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := kind + "/" + id
	if w.fail == k {
		w.fail = ""
		return errors.New("the disk is full")
	}
	w.rows[k] = data
	if by != nil {
		w.log = append(w.log, by.ID+" "+k)
	}
	return nil
}

func (w *world) Delete(_ context.Context, by *playlists.Principal, kind, _, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.rows, kind+"/"+id)
	if w.deleted != nil {
		w.deleted <- kind + "/" + id
	}
	return nil
}

func (w *world) Signs(context.Context) ([]playlists.Sign, error) { return w.signs, nil }
func (w *world) Owners(context.Context) ([]playlists.Owner, error) {
	return []playlists.Owner{{ID: "viet-ads", Name: "Công ty Quảng cáo Việt", Phone: "0255 1111 111"}}, nil
}
func (w *world) Areas(context.Context) ([]playlists.Area, error) {
	return []playlists.Area{{Code: "quang-ngai", Name: "Quảng Ngãi", Geocodes: []string{"GSO=51"}}, {Code: "quang-ngai/son-tinh", Name: "Sơn Tịnh", Geocodes: []string{"GSO=527"}}, {Code: "quang-ngai/duc-pho", Name: "Đức Phổ"}}, nil
}

func (w *world) Message(_ context.Context, id string) (*playlists.Message, error) {
	if w.words[id] == "" {
		return nil, &playlists.Error{Code: playlists.NotFound, Field: "message", Value: id, Problem: "is not here"}
	}
	return plain(id, w.words[id]), nil
}

func (w *world) KnownAreas(_ context.Context, areas []string, who *playlists.Principal, _ string) error {
	for _, a := range areas {
		if !playlists.Within(who.Areas, a) {
			return &playlists.Error{Code: playlists.Denied, Field: "areas", Value: a, Problem: "is outside"}
		}
	}
	return nil
}

func (w *world) Artwork(_ context.Context, m *playlists.Message, c playlists.Class) (*playlists.Artwork, error) {
	w.mu.Lock()
	w.drawn++
	w.mu.Unlock()
	data := fmt.Appendf(nil, "%s %s", m.Title(), c)
	f := playlists.FrameFile{Data: data, Frame: timeline.Frame{SHA256: fmt.Sprintf("%064x", len(data)), Len: int64(len(data)), Type: "image/png", W: int64(c.W), H: int64(c.H)}}
	art := &playlists.Artwork{}
	n := max(1, w.pages)
	if m.ID == "sorry" && w.corrected > 0 {
		n = w.corrected
	}
	for i := range n {
		art.Frames = append(art.Frames, f)
		art.Steps = append(art.Steps, timeline.Step{Frame: int64(i), MS: 6000})
	}
	return art, nil
}

func (w *world) Reads(_ context.Context, m *playlists.Message, s *playlists.Sign) (*playlists.Finding, error) {
	if s.Distance > 100 && (w.reads == nil || !w.reads(m)) {
		return &playlists.Finding{Level: playlists.Warn, Code: "distance"}, nil
	}
	return nil, nil
}

func (w *world) Programs(_ context.Context, sign string, fromMS, _ int64) ([]*timeline.Program, error) {
	still := func(id string) timeline.Item {
		return timeline.Item{ID: id, Owner: "viet-ads", Steps: []timeline.Step{{MS: 8000}}}
	}
	p := &timeline.Program{Sign: sign, Frames: []timeline.Frame{{SHA256: "f"}}, Items: []timeline.Item{still("a"), still("b")},
		Loops: []timeline.Loop{{Anchor: fromMS / 1000, Order: []int64{0, 1}}}, CommLoss: timeline.CommLoss{AfterS: 1e6}}
	p.Exp = fromMS/1000 + 1e6
	return []*timeline.Program{p}, nil
}

func (w *world) Proved(context.Context, string, string, int64, int64) (int64, error) {
	return 5000, nil
}

var (
	author   = &playlists.Principal{ID: "user:lan", Owner: playlists.Public, Role: playlists.RoleAuthor}
	approver = &playlists.Principal{ID: "user:minh", Owner: playlists.Public, Role: playlists.RoleApprover}
)

func (w *world) open(t *testing.T) *Service {
	t.Helper()
	s, err := Open(t.Context(), Options{Records: w, Catalogue: w, Artist: w, History: w, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) order(id string, life time.Duration) *playlists.AlertOrder {
	return &playlists.AlertOrder{ID: id, Text: "Lũ " + id, Areas: []string{"quang-ngai"}, Until: playlists.Moment(time.Now().Add(life).Unix())}
}

func run(t *testing.T, s *Service, o *playlists.AlertOrder) *playlists.AlertView {
	t.Helper()
	if _, err := s.Create(t.Context(), author, o); err != nil {
		t.Fatal(err)
	}
	p, err := s.Preview(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Approve(t.Context(), approver, o.ID, signs(p.Signs))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func view(t *testing.T, s *Service, id string) *playlists.AlertView {
	t.Helper()
	v, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func step(t *testing.T, s *Service) time.Duration {
	t.Helper()
	d, err := s.Step(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wanted is what signs should have now, in words.
func wanted(s *Service) (out string) {
	alerts, ended, _ := s.Wanted(time.Now())
	ids := map[string]bool{}
	for _, a := range alerts {
		ids[a.ID] = true
	}
	for _, e := range ended {
		ids["-"+e.ID+":"+e.Why] = true
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		out += id + " "
	}
	return out
}

// signs is what an approver read off a preview.
func signs(n int) *playlists.AlertApproval { return &playlists.AlertApproval{Signs: &n} }

// policyDigest is of the policy as an approver reads it.
func policyDigest(s *Service) string {
	p, _, _ := s.CAPPolicy()
	return p.Digest()
}
