package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"ledcast/playlists"
)

// Uptime is the connection state of one sign on one day, as the controller observed it. The online, offline and
// unknown times add up to the part of the day in the query.
type Uptime struct {
	Day       string `json:"day"` // in the sign's zone
	Sign      string `json:"sign"`
	SignOwner string `json:"sign_owner"`
	OnlineMS  int64  `json:"online_ms"`
	OfflineMS int64  `json:"offline_ms"`
	UnknownMS int64  `json:"unknown_ms"` // the controller did not run, or the sign had not connected yet
	ClockMS   int64  `json:"clock_ms"`   // online with an untrusted clock
	FaultyMS  int64  `json:"faulty_ms"`  // online with a fault
	Outages   int64  `json:"outages"`    // changes from online to offline
}

// Uptimes reports the uptime of signs.
type Uptimes struct {
	From  int64    `json:"from"`
	Until int64    `json:"until"`
	Rows  []Uptime `json:"rows"`
}

// History reads the signs' conditions.
type History interface {
	// Conditions returns the conditions of a sign (own) and of the controller itself (watched) in that time, each
	// with the one that was in force at its beginning.
	Conditions(ctx context.Context, sign string, from, until time.Time) (own, watched []playlists.Condition, err error)
}

// MakeUptime adds up the uptime of signs, up to the present.
func MakeUptime(ctx context.Context, b Book, h History, q Query) (*Uptimes, error) {
	out := &Uptimes{From: q.From, Until: q.Until, Rows: []Uptime{}}
	err := eachSign(ctx, b, q, func(s *sign) error {
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

// Table returns the uptime as rows. online_percent is a percentage of the online and offline time, and empty if
// that is 0.
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
