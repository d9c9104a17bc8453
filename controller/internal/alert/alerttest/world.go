// Package alerttest provides the dependencies of alerts in memory, for the tests of
// packages alert, capinbox and webhook.
package alerttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// World implements the records, the catalogue, the artist and the history of a service.
type World struct {
	mu    sync.Mutex
	Rows  map[string][]byte // kind/id
	Log   []string          // audited writes, as "principal kind/id"
	Faces []playlists.Sign
	Fail  string // kind/id whose write fails once
	Drawn int
	// Legible reports which messages are legible from far away. If it is nil, none are.
	Legible func(*playlists.Message) bool
	// Drawing, if set, is called for each drawing. It may block, and Artwork returns its error.
	Drawing   func(m *playlists.Message, c playlists.Class) error
	Pages     int               // of 6 s in every drawing; 0 means one
	Corrected int               // pages of the message "sorry"; 0 means Pages
	Words     map[string]string // messages of the department

	Deleted chan string // receives the kind/id of deletions, unless nil

	Messages map[string]*playlists.Message // the last drawn messages, by id
}

// New returns a World with four signs of one company in two areas.
func New() *World {
	sign := func(id, class, area string, mode playlists.Mode) playlists.Sign {
		c, err := playlists.ParseClass(class)
		if err != nil {
			panic(err) // a constant below is wrong
		}
		return playlists.Sign{ID: id, Owner: "viet-ads", Class: c, Mode: mode, Areas: []string{"quang-ngai/" + area}}
	}
	w := &World{Messages: map[string]*playlists.Message{}, Rows: map[string][]byte{},
		Words: map[string]string{"sorry": "Tin trước là nhầm"}, Faces: []playlists.Sign{
			sign("s1", "128x64-rgb", "son-tinh", playlists.ModeProgram),
			sign("s2", "128x64-rgb", "duc-pho", playlists.ModeProgram),
			sign("s3", "64x32-red", "son-tinh", playlists.ModeProgram),
			sign("p1", "128x64-rgb", "son-tinh", playlists.ModePicture)}}
	w.Faces[1].Phone = "0255 3822 123"
	w.Faces[2].OutOfService = "hỏng nguồn"
	return w
}

func (w *World) List(_ context.Context, kind string) (map[string][]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string][]byte{}
	for k, v := range w.Rows {
		if id, ok := strings.CutPrefix(k, kind+"/"); ok {
			out[id] = v
		}
	}
	return out, nil
}

func (w *World) Get(_ context.Context, kind, id string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v, ok := w.Rows[kind+"/"+id]; ok {
		return v, nil
	}
	return nil, &playlists.Error{Code: playlists.NotFound, Field: kind, Value: id, Key: "not-here"}
}

func (w *World) Put(_ context.Context, by *playlists.Principal, kind, _, id string, data []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := kind + "/" + id
	if w.Fail == k {
		w.Fail = ""
		return errors.New("the disk is full")
	}
	w.Rows[k] = data
	if by != nil {
		w.Log = append(w.Log, by.ID+" "+k)
	}
	return nil
}

func (w *World) Delete(_ context.Context, by *playlists.Principal, kind, _, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.Rows, kind+"/"+id)
	if w.Deleted != nil {
		w.Deleted <- kind + "/" + id
	}
	return nil
}

func (w *World) Signs(context.Context) ([]playlists.Sign, error) { return w.Faces, nil }
func (w *World) Owners(context.Context) ([]playlists.Owner, error) {
	return []playlists.Owner{{ID: "viet-ads", Name: "Công ty Quảng cáo Việt", Phone: "0255 1111 111"}}, nil
}
func (w *World) Areas(context.Context) ([]playlists.Area, error) {
	return []playlists.Area{{Code: "quang-ngai", Name: "Quảng Ngãi", Geocodes: []string{"GSO=51"}},
		{Code: "quang-ngai/son-tinh", Name: "Sơn Tịnh", Geocodes: []string{"GSO=527"}},
		{Code: "quang-ngai/duc-pho", Name: "Đức Phổ"}}, nil
}

func (w *World) Message(_ context.Context, id string) (*playlists.Message, error) {
	if w.Words[id] == "" {
		return nil, &playlists.Error{Code: playlists.NotFound, Field: "message", Value: id, Key: "not-here"}
	}
	return &playlists.Message{ID: id, Owner: playlists.Public,
		Variants: []playlists.Variant{{Lang: "vi", Body: w.Words[id]}}}, nil
}

func (w *World) KnownAreas(_ context.Context, areas []string, who *playlists.Principal, _ string) error {
	for _, a := range areas {
		if !playlists.Within(who.Areas, a) {
			return &playlists.Error{Code: playlists.Denied, Field: "areas", Value: a, Key: "area-not-allowed"}
		}
	}
	return nil
}

func (w *World) Artwork(_ context.Context, m *playlists.Message, c playlists.Class) (*playlists.Artwork, error) {
	w.mu.Lock()
	w.Drawn++
	w.Messages[m.ID] = m
	w.mu.Unlock()
	if w.Drawing != nil {
		if err := w.Drawing(m, c); err != nil {
			return nil, err
		}
	}
	data := fmt.Appendf(nil, "%s %s", m.Title(), c)
	f := playlists.FrameFile{Data: data, Frame: timeline.Frame{SHA256: fmt.Sprintf("%064x", len(data)),
		Len: int64(len(data)), Type: "image/png", W: int64(c.W), H: int64(c.H)}}
	art := &playlists.Artwork{}
	n := max(1, w.Pages)
	if m.ID == "sorry" && w.Corrected > 0 {
		n = w.Corrected
	}
	for i := range n {
		art.Frames = append(art.Frames, f)
		art.Steps = append(art.Steps, timeline.Step{Frame: int64(i), MS: 6000})
	}
	return art, nil
}

func (w *World) Reads(_ context.Context, m *playlists.Message, s *playlists.Sign) (*playlists.Finding, error) {
	if s.Distance > 100 && (w.Legible == nil || !w.Legible(m)) {
		return &playlists.Finding{Level: playlists.Warn, Code: "distance"}, nil
	}
	return nil, nil
}

func (w *World) Programs(_ context.Context, sign string, fromMS, _ int64) ([]*timeline.Program, error) {
	still := func(id string) timeline.Item {
		return timeline.Item{ID: id, Owner: "viet-ads", Steps: []timeline.Step{{MS: 8000}}}
	}
	p := &timeline.Program{Sign: sign, Frames: []timeline.Frame{{SHA256: "f"}},
		Items: []timeline.Item{still("a"), still("b")},
		Loops: []timeline.Loop{{Anchor: fromMS / 1000, Order: []int64{0, 1}}}, CommLoss: timeline.CommLoss{AfterS: 1e6}}
	p.Exp = fromMS/1000 + 1e6
	return []*timeline.Program{p}, nil
}

func (w *World) Proved(context.Context, string, string, int64, int64) (int64, error) {
	return 5000, nil
}

// Hooks records the sent events as "event id".
type Hooks struct {
	mu   sync.Mutex
	sent []string
}

// Send implements alert.Hooks.
func (h *Hooks) Send(_ context.Context, event string, v *playlists.AlertView, _ int, _ time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent = append(h.sent, event+" "+v.ID)
	return nil
}

// Sent returns the events so far, in order.
func (h *Hooks) Sent() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.sent)
}

// Author creates alerts, and Approver approves them.
var (
	Author   = &playlists.Principal{ID: "user:lan", Owner: playlists.Public, Role: playlists.RoleAuthor}
	Approver = &playlists.Principal{ID: "user:minh", Owner: playlists.Public, Role: playlists.RoleApprover}
)

// Order returns an order for an alert in the whole province.
func Order(id string, life time.Duration) *playlists.AlertOrder {
	return &playlists.AlertOrder{ID: id, Text: "Lũ " + id, Areas: []string{"quang-ngai"},
		Until: playlists.Moment(time.Now().Add(life).Unix())}
}
