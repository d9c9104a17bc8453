package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"ledcast/playlists"
)

// KeepHealth is how long the history of signs' health is kept, and the most
// that is answered at once.
const KeepHealth = 92 * 24 * time.Hour

// lastHealth is what is answered when nothing is said of the time: today and
// the six days before.
const lastHealth = 7

// Condition is how a sign was from AtMS on, until its next one. Of the
// controller itself it says whether it listened.
type Condition struct {
	AtMS   int64
	Online bool
	Clock  string
	Faults []string
}

// Health is what was written down of signs.
type Health interface {
	// Noted returns a sign's conditions in that time, with the one that held at
	// its beginning, and the controller's own.
	Noted(ctx context.Context, sign string, from, until time.Time) (own, watched []Condition, err error)
}

// States of a sign in its history.
const (
	wasOnline  = "online"
	wasOffline = "offline"
	wasUnknown = "unknown" // not heard of before, or the controller did not listen
)

// HealthSpan is a time in which a sign's condition did not change.
type HealthSpan struct {
	FromMS  int64    `json:"from_ms"`
	UntilMS int64    `json:"until_ms"`
	State   string   `json:"state"`           // "online", "offline", "unknown"
	Clock   string   `json:"clock,omitempty"` // while online
	Faults  []string `json:"faults,omitempty"`
}

// HealthDay adds up a day in the sign's zone.
type HealthDay struct {
	Day       string `json:"day"`
	FromMS    int64  `json:"from_ms"`  // when the day begins
	UntilMS   int64  `json:"until_ms"` // when it ends: a day need not have 24 hours
	OnlineMS  int64  `json:"online_ms"`
	OfflineMS int64  `json:"offline_ms"`
	UnknownMS int64  `json:"unknown_ms"`
	FaultyMS  int64  `json:"faulty_ms"` // of the time online
	ClockMS   int64  `json:"clock_ms"`  // of the time online: its clock was not trusted
	Outages   int    `json:"outages"`   // times that it went offline
}

// HealthHistory is how a sign was.
type HealthHistory struct {
	Zone    string       `json:"time_zone"`
	FromMS  int64        `json:"from_ms"`
	UntilMS int64        `json:"until_ms"`
	Days    []HealthDay  `json:"days"`
	Spans   []HealthSpan `json:"spans"`
}

// signHealth answers a sign's history, of at most KeepHealth and not of the
// future.
func (s *Server) signHealth(w http.ResponseWriter, r *http.Request) {
	sign := s.visible(w, r)
	if sign == nil {
		return
	}
	zone, err := time.LoadLocation(cmp.Or(sign.TimeZone, playlists.DefaultZone))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	now := s.now()
	y, m, d := now.In(zone).Date()
	from, until := time.Date(y, m, d-lastHealth+1, 0, 0, 0, 0, zone), now
	bad := func(field, problem, remedy string) {
		s.fail(w, r, &playlists.Error{Code: playlists.Invalid, Field: field, Value: r.URL.Query().Get(field), Problem: problem, Remedy: remedy})
	}
	for _, x := range []struct {
		name string
		to   *time.Time
		last bool
	}{{"from", &from, false}, {"to", &until, true}} {
		if text := r.URL.Query().Get(x.name); text != "" {
			if *x.to, err = moment(text, zone, x.last); err != nil {
				bad(x.name, "is neither a date that exists nor a time", "write it as 2021-02-11 or 2021-02-11T06:00:00+07:00 (the + as %2B); a date is inclusive")
				return
			}
		}
	}
	if until.After(now) {
		until = now
	}
	if !from.Before(until) {
		bad("from", "is not before the end", "give an earlier one; what is to come nobody has seen")
		return
	}
	if until.Sub(from) > KeepHealth {
		bad("to", fmt.Sprintf("is %d days after from, over the limit of %d", int(until.Sub(from).Hours()/24), int(KeepHealth.Hours()/24)), "ask for less at once")
		return
	}
	own, watched, err := s.health.Noted(r.Context(), sign.ID, from, until)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := HealthHistory{Zone: zone.String(), FromMS: from.UnixMilli(), UntilMS: until.UnixMilli(), Spans: healthSpans(own, watched, from.UnixMilli(), until.UnixMilli())}
	out.Days = healthDays(out.Spans, zone)
	answer(w, out)
}

// HealthDays adds up a sign's conditions from fromMS until untilMS by day in its
// zone, as signHealth answers them, for the report of many signs.
func HealthDays(own, watched []Condition, fromMS, untilMS int64, zone *time.Location) []HealthDay {
	return healthDays(healthSpans(own, watched, fromMS, untilMS), zone)
}

// held is the last condition at or before a time; nil before the first.
func held(all []Condition, atMS int64) *Condition {
	i, found := slices.BinarySearchFunc(all, atMS, func(c Condition, at int64) int { return cmp.Compare(c.AtMS, at) })
	if !found {
		i--
	}
	if i < 0 {
		return nil
	}
	return &all[i]
}

// healthSpans joins what is known of a sign with when the controller listened.
// Both are sorted. While nobody listened nothing is known. What had held before
// is taken to hold when the controller is back, until it hears otherwise: a sign
// that it then does not hear is written down as offline from its beginning.
func healthSpans(own, watched []Condition, fromMS, untilMS int64) []HealthSpan {
	cuts := []int64{fromMS, untilMS}
	for _, c := range slices.Concat(own, watched) {
		if c.AtMS > fromMS && c.AtMS < untilMS {
			cuts = append(cuts, c.AtMS)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	out := []HealthSpan{}
	for i := range len(cuts) - 1 {
		x := HealthSpan{FromMS: cuts[i], UntilMS: cuts[i+1], State: wasUnknown}
		if c, w := held(own, cuts[i]), held(watched, cuts[i]); c != nil && w != nil && w.Online {
			if x.State = wasOffline; c.Online {
				x.State, x.Clock, x.Faults = wasOnline, c.Clock, c.Faults
			}
		}
		if n := len(out); n > 0 && out[n-1].State == x.State && out[n-1].Clock == x.Clock && slices.Equal(out[n-1].Faults, x.Faults) {
			out[n-1].UntilMS = x.UntilMS
			continue
		}
		out = append(out, x)
	}
	return out
}

// healthDays adds up spans by day.
func healthDays(spans []HealthSpan, zone *time.Location) []HealthDay {
	out := []HealthDay{}
	for i, x := range spans {
		for at := x.FromMS; at < x.UntilMS; {
			y, m, d := time.UnixMilli(at).In(zone).Date()
			begin, end := time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
			if n := len(out); n == 0 || out[n-1].Day != begin.Format(time.DateOnly) {
				out = append(out, HealthDay{Day: begin.Format(time.DateOnly), FromMS: begin.UnixMilli(), UntilMS: end.UnixMilli()})
			}
			day := &out[len(out)-1]
			until := min(x.UntilMS, end.UnixMilli())
			ms := until - at
			switch x.State {
			case wasOnline:
				day.OnlineMS += ms
				if len(x.Faults) > 0 {
					day.FaultyMS += ms
				}
				if x.Clock == "untrusted" {
					day.ClockMS += ms
				}
			case wasOffline:
				day.OfflineMS += ms
				if at == x.FromMS && i > 0 && spans[i-1].State == wasOnline {
					day.Outages++
				}
			default:
				day.UnknownMS += ms
			}
			at = until
		}
	}
	return out
}
