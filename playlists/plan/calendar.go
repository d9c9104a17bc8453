package plan

import (
	"math"
	"time"

	"ledcast/playlists"
)

// calendar converts days and times of day of one zone to instants. It caches
// midnights, because zone lookups are the slowest step of a plan. It is not safe
// for concurrent use.
type calendar struct {
	zone      *time.Location
	midnights map[playlists.Day]int64
}

func newCalendar(zone *time.Location) *calendar {
	return &calendar{zone: zone, midnights: map[playlists.Day]int64{}}
}

// The limits of time, for rules without a first or last date.
const (
	always = math.MinInt64 / 4
	never  = math.MaxInt64 / 4
)

// at returns the instant (Unix seconds) of a wall-clock time, given in minutes
// after the start of day d. For a time that a clock change skips it returns the
// instant after the gap, and for a time that occurs twice the first one.
func (c *calendar) at(d playlists.Day, minutes int) int64 {
	d += playlists.Day(minutes / (24 * 60))
	minutes %= 24 * 60
	m := c.midnight(d)
	if minutes == 0 {
		return m
	}
	if c.midnight(d+1)-m == 86400 {
		return m + int64(minutes)*60 // no zone changes its clock twice in a day
	}
	return c.wall(d, minutes)
}

func (c *calendar) midnight(d playlists.Day) int64 {
	m, ok := c.midnights[d]
	if !ok {
		m = c.wall(d, 0)
		c.midnights[d] = m
	}
	return m
}

func (c *calendar) wall(d playlists.Day, minutes int) int64 {
	y, mo, da := d.Date()
	t := time.Date(y, mo, da, 0, minutes, 0, 0, c.zone)
	begin, end := t.ZoneBounds()
	same := func(t time.Time) bool {
		ty, tm, td := t.Date()
		return ty == y && tm == mo && td == da && t.Hour()*60+t.Minute() == minutes
	}
	if !same(t) { // the time is in a gap at one end of these zone bounds
		if !begin.IsZero() && (end.IsZero() || t.Sub(begin) < end.Sub(t)) {
			return begin.Unix()
		}
		return end.Unix()
	}
	if !begin.IsZero() {
		_, after := begin.Zone()
		_, before := begin.Add(-time.Second).Zone()
		if first := t.Add(-time.Duration(before-after) * time.Second); before > after && same(first.In(c.zone)) {
			return first.Unix()
		}
	}
	return t.Unix()
}

// day returns the day of t (Unix seconds).
func (c *calendar) day(t int64) playlists.Day {
	y, m, d := time.Unix(t, 0).In(c.zone).Date()
	return playlists.Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// hours is when a rule holds: a window on the days from first to last, without
// the days in except.
type hours struct {
	window      playlists.Window
	first, last playlists.Day // inclusive
	except      map[playlists.Day]bool
}

// The days for an open first and last date.
const (
	firstDay playlists.Day = 0
	lastDay  playlists.Day = 1 << 20
)

// newHours parses fields that are already validated.
func newHours(w playlists.Window, first, last string, except []string) hours {
	h := hours{window: w, first: firstDay, last: lastDay}
	if d, ok := playlists.ParseDay(first); ok {
		h.first = d
	}
	if d, ok := playlists.ParseDay(last); ok {
		h.last = d
	}
	if len(except) > 0 {
		h.except = make(map[playlists.Day]bool, len(except))
		for _, x := range except {
			if d, ok := playlists.ParseDay(x); ok {
				h.except[d] = true
			}
		}
	}
	return h
}

// open reports whether the window opens on day d.
func (h *hours) open(d playlists.Day) bool {
	return d >= h.first && d <= h.last && !h.except[d] && h.window.OpensOn(d)
}

// on reports whether the rule holds at t, and since when. Adjacent windows, such
// as whole days, count as one. A rule without a first date has held always.
func (h *hours) on(c *calendar, t int64) (since int64, ok bool) {
	begin, end := h.window.Minutes()
	d := c.day(t)
	for _, x := range [2]playlists.Day{d, d - 1} {
		if h.open(x) && c.at(x, begin) <= t && t < c.at(x, end) {
			return h.begins(c, x, begin, end), true
		}
	}
	return 0, false
}

// begins returns when the window that opens on day d began, together with the
// windows adjacent to it.
func (h *hours) begins(c *calendar, d playlists.Day, begin, end int) int64 {
	if end-begin < 24*60 {
		return c.at(d, begin)
	}
	if len(h.window.Days) == 0 || len(h.window.Days) == len(playlists.Days) {
		first := h.first
		for x := range h.except { // find the latest before d
			if x < d && x >= first {
				first = x + 1
			}
		}
		if first == firstDay {
			return always
		}
		return c.at(first, begin)
	}
	for h.open(d - 1) {
		d--
	}
	return c.at(d, begin)
}

// ended returns the last instant up to t at which the rule stopped holding, or
// always if it never held. The rule must not hold at t.
func (h *hours) ended(c *calendar, t int64) int64 {
	begin, end := h.window.Minutes()
	for d, n := min(c.day(t), h.last), 0; d >= h.first && n <= 16+len(h.except); d, n = d-1, n+1 {
		if h.open(d) {
			if until := c.at(d, end); until <= t && until > c.at(d, begin) {
				return until
			}
		}
	}
	return always
}

// changes calls visit with every instant in (from, until) at which the rule may
// start or stop holding.
func (h *hours) changes(c *calendar, from, until int64, visit func(int64)) {
	begin, end := h.window.Minutes()
	for d, last := max(h.first, c.day(from)-2), min(h.last, c.day(until)+1); d <= last; d++ {
		if !h.open(d) {
			continue
		}
		for _, m := range [2]int{begin, end} {
			if t := c.at(d, m); t > from && t < until {
				visit(t)
			}
		}
	}
}
