package api

import (
	"net/http"
	"reflect"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
)

// signAt is a sign's face at a time, and why.
type signAt struct {
	Sign string `json:"sign"`
	Time string `json:"time"`
	Zone string `json:"zone"`
	Seq  int64  `json:"seq"` // of the program that says so; 0 for one that would be
	Showing
	reasons
	// When the sign leaves its schedules for the rotation if it does not reach the broker from its last contact on, or,
	// if it is connected, from the time asked about on. Unix milliseconds.
	CommLossMS int64 `json:"comm_loss_ms,omitempty"`
}

// contactMS is the sign's last contact with the broker at t, as far as is known: t, unless it is offline now.
func (s *Server) contactMS(sign *playlists.Sign, t time.Time) int64 {
	h := s.src.Heard(sign.ID)
	if !sign.Picture() && !h.Online && !h.Unknown && !h.At.IsZero() && h.At.Before(t) {
		return h.At.UnixMilli()
	}
	return t.UnixMilli()
}

// reasons are why a rule shows, and others do not.
type reasons struct {
	Lost      []plan.Lost      `json:"lost,omitempty"`
	Campaigns []plan.Share     `json:"campaigns,omitempty"`
	Notes     []playlists.Text `json:"notes,omitempty"`
}

func reasonsOf(d *plan.Decision) reasons {
	if d == nil {
		return reasons{}
	}
	return reasons{d.Lost, d.Campaigns, d.Notes}
}

// signDay is a sign's day.
type signDay struct {
	Sign  string    `json:"sign"`
	Date  string    `json:"date"`
	Zone  string    `json:"zone"`
	From  int64     `json:"from"` // midnight, Unix seconds
	Until int64     `json:"until"`
	Spans []daySpan `json:"spans"`
}

// daySpan is a stretch of the day under one rule.
type daySpan struct {
	From  int64  `json:"from"`
	Until int64  `json:"until"`
	Rule  string `json:"rule"` // "schedule:…", "playlist:…", "default", "off", or "none" where no program says anything
	reasons
}

// signAt says what a sign shows at a time, and why, from the program that was
// or is in force then, or would be.
func (s *Server) signAt(w http.ResponseWriter, r *http.Request) {
	who, sign := s.seen(w, r, r.PathValue("id"))
	if sign == nil {
		return
	}
	t := s.now()
	var err error
	if q := r.URL.Query().Get("time"); q != "" {
		if t, err = time.Parse(time.RFC3339, q); err != nil {
			s.fail(w, r, &playlists.Error{Code: playlists.Invalid, Field: "time", Value: q,
				Key: "query-time-malformed"})
			return
		}
	}
	issued, err := s.documents.InForce(r.Context(), sign.ID, t, t.Add(time.Second))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if len(issued) == 0 || issued[0].From > t.Unix() {
		s.fail(w, r, &playlists.Error{Code: playlists.NotFound, Field: "time", Value: t.Format(time.RFC3339),
			Key: "before-first-program"})
		return
	}
	p, notes := issued[0].Program, issued[0].Notes
	zone, err := sign.Zone()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	when := t
	if t.After(s.now()) && !who.MayRead(playlists.KindAlert, playlists.Public) {
		when = s.now() // what is approved for later is not for a company to see
	}
	alerts, err := s.documents.Alerts(r.Context(), sign, when)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	contact := s.contactMS(sign, t)
	shown := timeline.At(p, alerts, timeline.Conditions{Sign: sign.ID, Areas: sign.Areas,
		ClockTrusted: true, LastContactMS: contact}, t.UnixMilli())
	out := signAt{Sign: sign.ID, Time: t.In(zone).Format(time.RFC3339), Zone: zone.String(), Seq: p.Seq,
		Showing: *showing(&shown, t.UnixMilli())}
	if !sign.Picture() {
		out.CommLossMS = min(contact+p.CommLoss.AfterS*1000, p.Exp*1000)
	}
	out.Title = notes.Titles[shown.Owner+"/"+shown.Item]
	if shown.Why == timeline.WhyAlert {
		out.Title = s.src.Title(sign.ID, "", shown.Item)
	}
	if notes.Reasons != nil {
		d, _ := notes.Reasons.At(t.Unix())
		out.reasons = reasonsOf(d)
	}
	answer(w, out)
}

// maxAhead bounds how far ahead a plan is made for an answer.
const maxAhead = 400 * 24 * time.Hour

// signDay is the day as its programs have it: the ones that were in force for
// what is past, the present one, and what would be for what is far ahead.
func (s *Server) signDay(w http.ResponseWriter, r *http.Request) {
	sign := s.visible(w, r)
	if sign == nil {
		return
	}
	zone, err := sign.Zone()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	date := r.URL.Query().Get("date")
	if date == "" {
		date = s.now().In(zone).Format(time.DateOnly)
	}
	begin, err := time.ParseInLocation(time.DateOnly, date, zone)
	if err != nil || begin.Sub(s.now()) > maxAhead {
		s.fail(w, r, &playlists.Error{Code: playlists.Invalid, Field: "date", Value: date, Key: "day-invalid"})
		return
	}
	end := begin.AddDate(0, 0, 1)
	issued, err := s.documents.InForce(r.Context(), sign.ID, begin, end)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, signDay{Sign: sign.ID, Date: date, Zone: zone.String(), From: begin.Unix(), Until: end.Unix(),
		Spans: daySpans(begin.Unix(), end.Unix(), issued)})
}

// daySpans is what rules from begin until end (Unix seconds), second by second:
// a span ends where its rule does, where its reasons do, and where another
// program that says something else comes into force.
func daySpans(begin, end int64, issued []plan.InForce) []daySpan {
	spans := []daySpan{}
	add := func(x daySpan) {
		if n := len(spans); n > 0 && spans[n-1].Rule == x.Rule && reflect.DeepEqual(spans[n-1].reasons, x.reasons) {
			spans[n-1].Until = x.Until
		} else if x.From < x.Until {
			spans = append(spans, x)
		}
	}
	at := begin
	for i, p := range issued {
		until := end
		if i+1 < len(issued) {
			until = min(until, issued[i+1].From)
		}
		if p.From > at {
			add(daySpan{From: at, Until: min(p.From, end), Rule: "none"})
			at = min(p.From, end)
		}
		var said []plan.Span
		if p.Notes.Reasons != nil {
			said = p.Notes.Reasons.Spans
		}
		for _, x := range said {
			if x.Until <= at || x.From >= until {
				continue
			}
			if x.From > at {
				add(daySpan{From: at, Until: x.From, Rule: "none"})
				at = x.From
			}
			d := &p.Notes.Reasons.Decisions[x.Decision]
			add(daySpan{From: at, Until: min(x.Until, until), Rule: d.Rule, reasons: reasonsOf(d)})
			at = min(x.Until, until)
		}
		if at < until {
			add(daySpan{From: at, Until: until, Rule: "none"})
			at = until
		}
	}
	if at < end {
		add(daySpan{From: at, Until: end, Rule: "none"})
	}
	return spans
}
