package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"ledcast/playlists"
)

// Uptime is the state of one sign on one day, as the controller saw it. Online,
// offline and unknown time add up to the part of the day in the query.
type Uptime struct {
	Day       string `json:"day"` // in the sign's zone
	Sign      string `json:"sign"`
	SignOwner string `json:"sign_owner"`
	OnlineMS  int64  `json:"online_ms"`
	OfflineMS int64  `json:"offline_ms"`
	UnknownMS int64  `json:"unknown_ms"` // the controller did not run, or the sign had not connected yet
	ClockMS   int64  `json:"clock_ms"`   // of the time online: the clock was not trusted
	FaultyMS  int64  `json:"faulty_ms"`  // of the time online: the sign had a fault
	Outages   int64  `json:"outages"`    // how often it went offline
}

// Uptimes reports the uptime of signs.
type Uptimes struct {
	From  int64    `json:"from"`
	Until int64    `json:"until"`
	Rows  []Uptime `json:"rows"`
}

// History keeps signs' conditions.
type History interface {
	// Conditions returns a sign's conditions of that time, with the one that
	// held at its beginning, and the controller's own.
	Conditions(ctx context.Context, sign string, from, until time.Time) (own, watched []playlists.Condition, err error)
}

// MakeUptime adds up the uptime of signs, up to the present.
func MakeUptime(ctx context.Context, b Book, h History, q Query) (*Uptimes, error) {
	out := &Uptimes{From: q.From, Until: q.Until, Rows: []Uptime{}}
	err := each(ctx, b, q, func(s *sign) error {
		from, until := time.Unix(q.From, 0), time.UnixMilli(q.end())
		if !from.Before(until) {
			return nil
		}
		own, watched, err := h.Conditions(ctx, s.id, from, until)
		if err != nil {
			return err
		}
		for _, d := range Days(Spans(own, watched, from.UnixMilli(), until.UnixMilli()), s.zone) {
			out.Rows = append(out.Rows, Uptime{Day: d.Day, Sign: s.id, SignOwner: s.owner, OnlineMS: d.OnlineMS,
				OfflineMS: d.OfflineMS,
				UnknownMS: d.UnknownMS, ClockMS: d.ClockMS, FaultyMS: d.FaultyMS, Outages: int64(d.Outages)})
		}
		return nil
	})
	slices.SortStableFunc(out.Rows, func(a, b Uptime) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day),
			cmp.Compare(a.Sign, b.Sign))
	})
	return out, err
}

// Table returns the uptime as rows. online_percent relates to the known time and is
// empty where there is none.
func (u *Uptimes) Table() *Table {
	t := &Table{Head: []string{"day", "sign", "sign_owner", "online_seconds", "offline_seconds", "unknown_seconds",
		"online_percent", "outages", "clock_untrusted_seconds", "faulty_seconds"}}
	for _, r := range u.Rows {
		percent := ""
		if known := r.OnlineMS + r.OfflineMS; known > 0 {
			percent = fmt.Sprintf("%.2f", Percent(r.OnlineMS, known))
		}
		t.Rows = append(t.Rows, []string{r.Day, r.Sign, r.SignOwner, seconds(r.OnlineMS), seconds(r.OfflineMS),
			seconds(r.UnknownMS), percent, fmt.Sprint(r.Outages), seconds(r.ClockMS), seconds(r.FaultyMS)})
	}
	return t
}
