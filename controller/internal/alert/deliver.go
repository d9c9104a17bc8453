package alert

import (
	"math"
	"slices"
	"strings"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Patience is how long a sign may be silent about an alert that it was sent
// before it counts as missed, in ms.
const Patience = 60_000

// How far a sign came with an alert, in this order.
const (
	targeted = "targeted"
	isSent   = "sent"
	rejected = "rejected"
	received = "received"
	showing  = "showing"
)

// way is one sign's way through an alert. Times are Unix ms by the controller's
// clock; 0 is not yet.
type way struct {
	Class      string `json:"class"`
	Picture    bool   `json:"picture,omitempty"`
	Out        bool   `json:"out,omitempty"` // of service when the alert began
	SentMS     int64  `json:"sent_ms,omitempty"`
	ReceivedMS int64  `json:"received_ms,omitempty"`
	ShowingMS  int64  `json:"showing_ms,omitempty"`
	EndedMS    int64  `json:"ended_ms,omitempty"`
	Reason     string `json:"reason,omitempty"` // of its last rejection
}

func (w *way) stage() string {
	switch {
	case w.ShowingMS > 0:
		return showing
	case w.ReceivedMS > 0:
		return received
	case w.Reason != "":
		return rejected
	case w.SentMS > 0:
		return isSent
	}
	return targeted
}

// delivery is how far an alert came on every sign that it is meant for.
type delivery struct {
	Signs map[string]*way `json:"signs"`
	// What webhooks were told.
	Started bool `json:"started,omitempty"`
	Over    bool `json:"over,omitempty"`
	Missed  int  `json:"missed,omitempty"`
	Glass   bool `json:"glass,omitempty"`

	dirty bool
}

func newDelivery(signs []playlists.Sign, l *look) *delivery {
	d := &delivery{Signs: map[string]*way{}}
	for i := range signs {
		d.add(&signs[i], l)
	}
	return d
}

func (d *delivery) add(s *playlists.Sign, l *look) {
	if d.Signs[s.ID] != nil {
		return
	}
	w := &way{Class: s.Class.String(), Picture: s.Picture(), Out: s.OutOfService != ""}
	if _, unable := l.Unable[w.Class]; unable {
		w.Reason = noFrames
	}
	d.Signs[s.ID], d.dirty = w, true
}

// noteUnable counts the signs of classes that can show nothing as rejected. d may be nil: nothing is counted yet.
func (d *delivery) noteUnable(l *look) {
	if d == nil {
		return
	}
	for _, w := range d.Signs {
		if _, unable := l.Unable[w.Class]; unable && w.ReceivedMS == 0 && w.Reason != noFrames {
			w.Reason, d.dirty = noFrames, true
		}
	}
}

// Ack is what a sign said of an alert, or of a whole set.
type Ack struct {
	Sign   string
	Test   bool   // of the set that only test signs read
	Seq    int64  // of the set
	Alert  string // "" for the set
	State  string // "received", "showing", "ended" or "rejected"
	Reason string
}

// Heard counts an ack. It is a hint of a known connection: it moves the sign
// that sent it, and nothing else.
func (s *Service) Heard(k Ack) {
	now := s.o.Now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.Alert != "" {
		s.count(k.Alert, k, now)
		return
	}
	sign, ok := s.signs[k.Sign]
	if !ok || k.State != rejected {
		return
	}
	// A refused set is every alert of it refused; one that was replayed is none
	// of ours.
	if set := s.sets[setKey{sign.Class.String(), k.Test}]; set.seq == k.Seq {
		for _, id := range set.alerts {
			s.count(id, k, now)
		}
	}
}

func (s *Service) count(id string, k Ack, now int64) {
	e := s.entries[id]
	if e == nil || e.way == nil || e.Test() != k.Test {
		return
	}
	w := e.way.Signs[k.Sign]
	if w == nil || w.Picture {
		return
	}
	before := *w
	first := func(at *int64) {
		if *at == 0 {
			*at = now
		}
	}
	switch k.State {
	case showing:
		first(&w.ReceivedMS)
		first(&w.ShowingMS)
	case received:
		first(&w.ReceivedMS)
	case "ended":
		first(&w.ReceivedMS) // it knew of it
		first(&w.EndedMS)
	case rejected:
		if w.ReceivedMS == 0 {
			w.Reason = k.Reason
		}
	}
	if w.ReceivedMS > 0 {
		w.Reason = ""
		first(&w.SentMS)
	}
	e.way.dirty = e.way.dirty || *w != before
}

// Published notes that the broker took a set with its frames.
func (s *Service) Published(set *timeline.AlertSet, test bool) {
	now := s.o.Now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	x := sent{seq: set.Seq}
	for i := range set.Alerts {
		a := &set.Alerts[i]
		x.alerts = append(x.alerts, a.ID)
		e := s.entries[a.ID]
		if e == nil || e.way == nil {
			continue
		}
		for _, w := range e.way.Signs {
			// A picture sign is sent its picture; of a drill it gets none, and
			// is as far as it can be when its class is.
			if w.Class == set.Class && w.SentMS == 0 && (!w.Picture || a.Drill) {
				w.SentMS, e.way.dirty = now, true
			}
		}
	}
	s.sets[setKey{set.Class, test}] = x
}

// Pictured notes that the broker took a picture of an alert for a picture sign.
func (s *Service) Pictured(sign, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.way == nil {
		return
	}
	if w := e.way.Signs[sign]; w != nil && w.SentMS == 0 {
		w.SentMS, e.way.dirty = s.o.Now().UnixMilli(), true
	}
}

// Acked reports whether a sign has said all that it can of an alert now: that
// it shows it; of a drill, and while another one has the face for itself, that
// it has it. Of what is over nothing more is wanted.
func (s *Service) Acked(sign, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.State != playlists.AlertRunning || e.way == nil {
		return true
	}
	w := e.way.Signs[sign]
	if w == nil || w.Picture || w.ShowingMS > 0 {
		return true
	}
	if w.ReceivedMS == 0 {
		return w.Reason != "" // it said why not, and tries again by itself
	}
	if e.Mode == playlists.AlertDrill {
		return true
	}
	for _, x := range s.entries {
		first := x.Priority > e.Priority || x.Priority == e.Priority && x.From >= e.From
		if x != e && x.State == playlists.AlertRunning && x.Mode != playlists.AlertDrill && first && x.way != nil &&
			x.way.Signs[sign] != nil {
			return true
		}
	}
	return false
}

// start is the moment from which signs could have had it, in ms.
func (e *entry) start() int64 { return max(e.ApprovedMS, int64(e.From)*1000) }

// missed reports whether a sign has been silent for too long.
func (e *entry) missed(w *way, nowMS int64) bool {
	if w.Picture || w.Out || w.ReceivedMS > 0 || w.Reason != "" {
		return false
	}
	if e.State == playlists.AlertEnded {
		return e.EndedMS >= e.start()
	}
	return nowMS-max(e.start(), w.SentMS) >= Patience
}

// shown is view for whoever asked.
func (s *Service) shown(e *entry) *playlists.AlertView {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.view(e)
	return &v
}

// view is an alert with its counts; s.mu is held.
func (s *Service) view(e *entry) playlists.AlertView {
	v := playlists.AlertView{Alert: e.Alert, Missed: []string{}, OutOfService: []string{},
		Rejections: []playlists.AlertRejection{}, Call: []playlists.AlertCall{}}
	if e.way == nil {
		if e.State != playlists.AlertEnded {
			for id, x := range s.signs {
				if !e.Reaches(&x) {
					continue
				}
				v.Targeted++
				if e.look == nil {
					continue
				}
				if _, unable := e.look.Unable[x.Class.String()]; unable {
					v.Rejected++
					v.Rejections = append(v.Rejections, playlists.AlertRejection{Sign: id, Reason: noFrames})
				}
			}
		}
		s.callAbout(&v)
		return v
	}
	now := s.o.Now().UnixMilli()
	v.Targeted = len(e.way.Signs)
	var took []playlists.SlowSign
	for id, w := range e.way.Signs {
		switch w.stage() {
		case isSent:
			v.Sent++
		case rejected:
			v.Rejected++
			v.Rejections = append(v.Rejections, playlists.AlertRejection{Sign: id, Reason: w.Reason})
		case received:
			v.Received++
		case showing:
			v.Showing++
		}
		if w.Out && w.ReceivedMS == 0 {
			v.OutOfService = append(v.OutOfService, id)
		}
		if e.missed(w, now) {
			v.Missed = append(v.Missed, id)
		}
		at := w.ShowingMS
		if e.Mode == playlists.AlertDrill {
			at = w.ReceivedMS
		}
		if at > 0 {
			took = append(took, playlists.SlowSign{Sign: id, MS: max(0, at-e.start())})
		}
	}
	slices.Sort(v.Missed)
	slices.Sort(v.OutOfService)
	v.Times = times(took)
	s.callAbout(&v)
	return v
}

// callAbout lists whom to call about the signs that missed or rejected an alert.
func (s *Service) callAbout(v *playlists.AlertView) {
	slices.SortFunc(v.Rejections, func(a, b playlists.AlertRejection) int { return strings.Compare(a.Sign, b.Sign) })
	for _, id := range v.Missed {
		v.Call = append(v.Call, s.call(id))
	}
	for _, r := range v.Rejections {
		v.Call = append(v.Call, s.call(r.Sign))
	}
}

// call is whom to call about a sign: its own number, or its company's.
func (s *Service) call(id string) playlists.AlertCall {
	x := s.signs[id]
	o := s.owners[x.Owner]
	c := playlists.AlertCall{Sign: id, Owner: o.Name, Phone: x.Phone}
	if c.Phone == "" {
		c.Phone = o.Phone
	}
	return c
}

// slowest is how many slow signs are named.
const slowest = 10

// times are nearest-rank percentiles; nil for nothing.
func times(took []playlists.SlowSign) *playlists.AlertTimes {
	if len(took) == 0 {
		return nil
	}
	slices.SortFunc(took, func(a, b playlists.SlowSign) int {
		if a.MS != b.MS {
			return int(a.MS - b.MS)
		}
		return strings.Compare(a.Sign, b.Sign)
	})
	rank := func(p float64) int64 { return took[int(math.Ceil(p*float64(len(took))))-1].MS }
	t := &playlists.AlertTimes{P50MS: rank(0.5), P95MS: rank(0.95), P99MS: rank(0.99)}
	t.Slowest = slices.Clone(took[max(0, len(took)-slowest):])
	slices.Reverse(t.Slowest)
	return t
}
