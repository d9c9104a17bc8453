package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"ledcast/playlists"
)

// KeepHealth is how long the history of signs' health is kept, and the most
// that is answered at once.
const KeepHealth = 92 * 24 * time.Hour

// lastHealth is what is answered when nothing is said of the time: today and
// the six days before.
const lastHealth = 7

// Health is the history of signs' conditions.
type Health interface {
	// Health returns a sign's conditions from `from` until before `until` as
	// spans, and added up by day in its zone.
	Health(ctx context.Context, sign string, from, until time.Time, zone *time.Location) (
		[]playlists.ConditionSpan, []playlists.ConditionDay, error)
}

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
	bad := func(field string, key playlists.TextKey, args ...any) {
		s.fail(w, r, &playlists.Error{Code: playlists.Invalid, Field: field, Value: r.URL.Query().Get(field),
			Key: key, Args: args})
	}
	for _, x := range []struct {
		name string
		to   *time.Time
		last bool
	}{{"from", &from, false}, {"to", &until, true}} {
		if text := r.URL.Query().Get(x.name); text != "" {
			if *x.to, err = moment(text, zone, x.last); err != nil {
				bad(x.name, "not-date-or-time")
				return
			}
		}
	}
	if until.After(now) {
		until = now
	}
	if !from.Before(until) {
		bad("from", "from-not-before-end")
		return
	}
	if until.Sub(from) > KeepHealth {
		bad("to", "days-over-limit", int(until.Sub(from).Hours()/24), int(KeepHealth.Hours()/24))
		return
	}
	spans, days, err := s.health.Health(r.Context(), sign.ID, from, until, zone)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, healthHistory(zone, from.UnixMilli(), until.UnixMilli(), spans, days))
}

func healthHistory(zone *time.Location, fromMS, untilMS int64, spans []playlists.ConditionSpan,
	days []playlists.ConditionDay) HealthHistory {
	out := HealthHistory{Zone: zone.String(), FromMS: fromMS, UntilMS: untilMS,
		Spans: make([]HealthSpan, len(spans)), Days: make([]HealthDay, len(days))}
	for i, x := range spans {
		out.Spans[i] = HealthSpan{FromMS: x.FromMS, UntilMS: x.UntilMS, State: string(x.State), Clock: x.Clock,
			Faults: x.Faults}
	}
	for i, d := range days {
		out.Days[i] = HealthDay(d)
	}
	return out
}
