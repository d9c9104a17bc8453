package api

import (
	"net/http"
	"time"

	"ledcast/playlists"
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
}

// reasons are why a rule shows, and others do not.
type reasons struct {
	Lost      []playlists.Lost  `json:"lost,omitempty"`
	Campaigns []playlists.Share `json:"campaigns,omitempty"`
	Notes     []playlists.Text  `json:"notes,omitempty"`
}

func reasonsOf(d *playlists.Decision) reasons {
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
	who, sign := s.seen(w, r)
	if sign == nil {
		return
	}
	t := s.now()
	var err error
	if q := r.URL.Query().Get("time"); q != "" {
		if t, err = time.Parse(time.RFC3339, q); err != nil {
			s.fail(w, r, &playlists.Error{Code: playlists.Invalid, Field: "time", Value: q, Problem: "is not a time", Remedy: "write it as 2021-01-30T02:30:00+07:00 (the + as %2B)"})
			return
		}
	}
	p, notes, err := s.src.Issued(r.Context(), sign.ID, t)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if p == nil {
		s.fail(w, r, &playlists.Error{Code: playlists.NotFound, Field: "time", Value: t.Format(time.RFC3339), Problem: "is before the sign's first program", Remedy: "ask for a later time"})
		return
	}
	zone, err := sign.Zone()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	when := t
	if t.After(s.now()) && !who.MayRead(playlists.KindAlert, playlists.Public) {
		when = s.now() // what is approved for later is not for a company to see
	}
	alerts, err := s.src.Alerts(r.Context(), sign, when)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	shown := timeline.At(p, alerts, timeline.Conditions{Sign: sign.ID, Areas: sign.Areas, ClockTrusted: true, LastContactMS: t.UnixMilli()}, t.UnixMilli())
	out := signAt{Sign: sign.ID, Time: t.In(zone).Format(time.RFC3339), Zone: zone.String(), Seq: p.Seq, Showing: *showing(&shown, t.UnixMilli())}
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
		s.fail(w, r, &playlists.Error{Code: playlists.Invalid, Field: "date", Value: date, Problem: "is not a date that exists, or lies too far ahead", Remedy: "write it as 2021-02-11"})
		return
	}
	end := begin.AddDate(0, 0, 1)
	day := signDay{Sign: sign.ID, Date: date, Zone: zone.String(), From: begin.Unix(), Until: end.Unix(), Spans: []daySpan{}}
	for at := begin.Unix(); at < end.Unix(); {
		p, notes, err := s.src.Issued(r.Context(), sign.ID, time.Unix(at, 0))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		span := daySpan{From: at, Until: end.Unix(), Rule: "none"}
		if p != nil && notes.Reasons != nil {
			if d, x := notes.Reasons.At(at); d != nil {
				span.Until, span.Rule, span.reasons = min(x.Until, end.Unix()), d.Rule, reasonsOf(d)
			}
		} else if p == nil {
			// Before the first program: an hour on there may be one.
			span.Until = min(at+3600, end.Unix())
		}
		if n := len(day.Spans); n > 0 && day.Spans[n-1].Rule == span.Rule && len(span.Campaigns) == 0 && len(span.Lost) == 0 && len(day.Spans[n-1].Campaigns) == 0 && len(day.Spans[n-1].Lost) == 0 {
			day.Spans[n-1].Until = span.Until
		} else {
			day.Spans = append(day.Spans, span)
		}
		at = span.Until
	}
	answer(w, day)
}
