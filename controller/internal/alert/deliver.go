package alert

import (
	"math"
	"slices"
	"strings"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// AckTimeoutMS is how long a sign may take to acknowledge an alert before it counts as
// missed, in ms.
const AckTimeoutMS = 60_000

// Stages of a sign's progress, in order.
const (
	targeted = "targeted"
	sent     = "sent"
	rejected = "rejected"
	received = "received"
	showing  = "showing"
)

// progress is how far one sign is with an alert. Times are Unix ms by the controller's
// clock; 0 means not yet.
type progress struct {
	Class        string `json:"class"`
	Picture      bool   `json:"picture,omitempty"`
	OutOfService bool   `json:"out,omitempty"` // when the alert started
	SentMS       int64  `json:"sent_ms,omitempty"`
	ReceivedMS   int64  `json:"received_ms,omitempty"`
	ShowingMS    int64  `json:"showing_ms,omitempty"`
	EndedMS      int64  `json:"ended_ms,omitempty"`
	Reason       string `json:"reason,omitempty"` // of the last rejection
}

func (p *progress) stage() string {
	switch {
	case p.ShowingMS > 0:
		return showing
	case p.ReceivedMS > 0:
		return received
	case p.Reason != "":
		return rejected
	case p.SentMS > 0:
		return sent
	}
	return targeted
}

// delivery is the progress of an alert on each of its signs.
type delivery struct {
	Signs map[string]*progress `json:"signs"`
	// The events that were sent to webhooks.
	StartedSent    bool `json:"started,omitempty"`
	EndedSent      bool `json:"over,omitempty"`
	MissedSent     int  `json:"missed,omitempty"`
	BreakGlassSent bool `json:"glass,omitempty"`

	dirty bool
}

func newDelivery(signs []playlists.Sign, r *rendering) *delivery {
	d := &delivery{Signs: map[string]*progress{}}
	for i := range signs {
		d.add(&signs[i], r)
	}
	return d
}

func (d *delivery) add(s *playlists.Sign, r *rendering) {
	if d.Signs[s.ID] != nil {
		return
	}
	p := &progress{Class: s.Class.String(), Picture: s.Picture(), OutOfService: s.OutOfService != ""}
	if _, unable := r.Unable[p.Class]; unable {
		p.Reason = noFrames
	}
	d.Signs[s.ID], d.dirty = p, true
}

// noteUnable counts the signs of classes that cannot show the alert as rejected. d may be nil.
func (d *delivery) noteUnable(r *rendering) {
	if d == nil {
		return
	}
	for _, p := range d.Signs {
		if _, unable := r.Unable[p.Class]; unable && p.ReceivedMS == 0 && p.Reason != noFrames {
			p.Reason, d.dirty = noFrames, true
		}
	}
}

// Ack is a sign's acknowledgement of an alert or of a whole alert set.
type Ack struct {
	Sign   string
	Test   bool   // whether the set is for test signs
	Seq    int64  // of the set
	Alert  string // "" for the set
	State  string // "received", "showing", "ended" or "rejected"
	Reason string
}

// HandleAck updates the progress of the sign that sent an ack.
func (s *Service) HandleAck(k Ack) {
	now := s.o.Now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.Alert != "" {
		s.applyAck(k.Alert, k, now)
		return
	}
	sign, ok := s.signs[k.Sign]
	if !ok || k.State != rejected {
		return
	}
	// A rejected set rejects each alert in it. Ignore acks of older sets.
	if set := s.published[setKey{sign.Class.String(), k.Test}]; set.seq == k.Seq {
		for _, id := range set.alerts {
			s.applyAck(id, k, now)
		}
	}
}

func (s *Service) applyAck(id string, k Ack, now int64) {
	e := s.entries[id]
	if e == nil || e.delivery == nil || e.Test() != k.Test {
		return
	}
	p := e.delivery.Signs[k.Sign]
	if p == nil || p.Picture {
		return
	}
	before := *p
	first := func(at *int64) {
		if *at == 0 {
			*at = now
		}
	}
	switch k.State {
	case showing:
		first(&p.ReceivedMS)
		first(&p.ShowingMS)
	case received:
		first(&p.ReceivedMS)
	case "ended":
		first(&p.ReceivedMS) // the sign must have received it
		first(&p.EndedMS)
	case rejected:
		if p.ReceivedMS == 0 {
			p.Reason = k.Reason
		}
	}
	if p.ReceivedMS > 0 {
		p.Reason = ""
		first(&p.SentMS)
	}
	e.delivery.dirty = e.delivery.dirty || *p != before
}

// Published records that the broker accepted a set with its frames.
func (s *Service) Published(set *timeline.AlertSet, test bool) {
	now := s.o.Now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := publishedSet{seq: set.Seq}
	for i := range set.Alerts {
		a := &set.Alerts[i]
		p.alerts = append(p.alerts, a.ID)
		e := s.entries[a.ID]
		if e == nil || e.delivery == nil {
			continue
		}
		for _, p := range e.delivery.Signs {
			// A picture sign counts as sent when its picture is, but drills have no picture.
			if p.Class == set.Class && p.SentMS == 0 && (!p.Picture || a.Drill) {
				p.SentMS, e.delivery.dirty = now, true
			}
		}
	}
	s.published[setKey{set.Class, test}] = p
}

// Pictured records that the broker accepted a picture of an alert for a picture sign.
func (s *Service) Pictured(sign, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.delivery == nil {
		return
	}
	if p := e.delivery.Signs[sign]; p != nil && p.SentMS == 0 {
		p.SentMS, e.delivery.dirty = s.o.Now().UnixMilli(), true
	}
}

// Acked reports whether no further ack of a sign is expected now. A sign must report
// that it shows the alert. For a drill, and while another alert takes precedence, it
// must only report that it received the alert.
func (s *Service) Acked(sign, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.State != playlists.AlertRunning || e.delivery == nil {
		return true
	}
	p := e.delivery.Signs[sign]
	if p == nil || p.Picture || p.ShowingMS > 0 {
		return true
	}
	if p.ReceivedMS == 0 {
		return p.Reason != "" // a sign that rejected the alert retries by itself
	}
	if e.Mode == playlists.AlertDrill {
		return true
	}
	for _, x := range s.entries {
		first := x.Priority > e.Priority || x.Priority == e.Priority && x.From >= e.From
		if x != e && x.State == playlists.AlertRunning && x.Mode != playlists.AlertDrill && first &&
			x.delivery != nil && x.delivery.Signs[sign] != nil {
			return true
		}
	}
	return false
}

// startMS returns when signs can first have shown the alert.
func (e *entry) startMS() int64 { return max(e.ApprovedMS, int64(e.From)*1000) }

// missed reports whether a sign has failed to acknowledge an alert in time.
func (e *entry) missed(p *progress, nowMS int64) bool {
	if p.Picture || p.OutOfService || p.ReceivedMS > 0 || p.Reason != "" {
		return false
	}
	if e.State == playlists.AlertEnded {
		return e.EndedMS >= e.startMS()
	}
	return nowMS-max(e.startMS(), p.SentMS) >= AckTimeoutMS
}

// view returns an alert with its counts.
func (s *Service) view(e *entry) *playlists.AlertView {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.viewLocked(e)
	return &v
}

// viewLocked is view for callers that hold s.mu.
func (s *Service) viewLocked(e *entry) playlists.AlertView {
	v := playlists.AlertView{Alert: e.Alert, Missed: []string{}, OutOfService: []string{},
		Rejections: []playlists.AlertRejection{}, Call: []playlists.AlertCall{}}
	if e.delivery == nil {
		if e.State != playlists.AlertEnded {
			for id, x := range s.signs {
				if !e.Reaches(&x) {
					continue
				}
				v.Targeted++
				if e.rendering == nil {
					continue
				}
				if _, unable := e.rendering.Unable[x.Class.String()]; unable {
					v.Rejected++
					v.Rejections = append(v.Rejections, playlists.AlertRejection{Sign: id, Reason: noFrames})
				}
			}
		}
		s.addCalls(&v)
		return v
	}
	now := s.o.Now().UnixMilli()
	v.Targeted = len(e.delivery.Signs)
	var took []playlists.SlowSign
	for id, p := range e.delivery.Signs {
		switch p.stage() {
		case sent:
			v.Sent++
		case rejected:
			v.Rejected++
			v.Rejections = append(v.Rejections, playlists.AlertRejection{Sign: id, Reason: p.Reason})
		case received:
			v.Received++
		case showing:
			v.Showing++
		}
		if p.OutOfService && p.ReceivedMS == 0 {
			v.OutOfService = append(v.OutOfService, id)
		}
		if e.missed(p, now) {
			v.Missed = append(v.Missed, id)
		}
		at := p.ShowingMS
		if e.Mode == playlists.AlertDrill {
			at = p.ReceivedMS
		}
		if at > 0 {
			took = append(took, playlists.SlowSign{Sign: id, MS: max(0, at-e.startMS())})
		}
	}
	slices.Sort(v.Missed)
	slices.Sort(v.OutOfService)
	v.Times = times(took)
	s.addCalls(&v)
	return v
}

// addCalls lists whom to call about the signs that missed or rejected an alert.
func (s *Service) addCalls(v *playlists.AlertView) {
	slices.SortFunc(v.Rejections, func(a, b playlists.AlertRejection) int { return strings.Compare(a.Sign, b.Sign) })
	for _, id := range v.Missed {
		v.Call = append(v.Call, s.call(id))
	}
	for _, r := range v.Rejections {
		v.Call = append(v.Call, s.call(r.Sign))
	}
}

// call returns whom to call about a sign: its own phone number, or its company's.
func (s *Service) call(id string) playlists.AlertCall {
	x := s.signs[id]
	o := s.owners[x.Owner]
	c := playlists.AlertCall{Sign: id, Owner: o.Name, Phone: x.Phone}
	if c.Phone == "" {
		c.Phone = o.Phone
	}
	return c
}

// maxSlowest is how many of the slowest signs a view names.
const maxSlowest = 10

// times returns nearest-rank percentiles, or nil if took is empty.
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
	t.Slowest = slices.Clone(took[max(0, len(took)-maxSlowest):])
	slices.Reverse(t.Slowest)
	return t
}
