package playlists

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Days are the names of the days of the week, as ISO 8601 begins it.
var Days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// Window is a daypart: some hours on some days, in the sign's time zone. The
// zero Window is always.
type Window struct {
	Days []string `yaml:"days,omitempty" json:"days,omitempty"` // "mon" to "sun"; none means every day
	From string   `yaml:"from,omitempty" json:"from,omitempty"` // "HH:MM"; "" means 00:00
	// "HH:MM", exclusive; "" and "24:00" are the day's end; not after From means the next day
	Until string `yaml:"until,omitempty" json:"until,omitempty"`
}

// Minutes is the window's begin and end in minutes after the midnight that its
// day begins with; an end past 24*60 lies in the next day. Validate has
// checked them.
func (w *Window) Minutes() (from, until int) {
	from, _ = clock(w.From)
	until, _ = clock(w.Until)
	if w.Until == "" {
		until = 24 * 60
	}
	if until <= from {
		until += 24 * 60
	}
	return from, until
}

// covers reports whether the window is open at t. Hours past midnight belong to the day on which they begin.
func (w *Window) covers(t time.Time) bool {
	from, until := w.Minutes()
	minute := t.Hour()*60 + t.Minute()
	today := slices.Contains(w.days(), weekday(t))
	yesterday := slices.Contains(w.days(), weekday(t.AddDate(0, 0, -1)))
	return today && from <= minute && minute < until || yesterday && minute < until-24*60
}

// weekday is the index of t's day in Days.
func weekday(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }

// clock reads "HH:MM" up to 24:00; "" is 0.
func clock(s string) (minutes int, ok bool) {
	if s == "" {
		return 0, true
	}
	digit := func(i int) int { return int(s[i] - '0') }
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	h, m := digit(0)*10+digit(1), digit(3)*10+digit(4)
	return h*60 + m, m < 60 && (h < 24 || h == 24 && m == 0)
}

// Validate returns an *Error of code Invalid; where names the window.
func (w *Window) Validate(where string) error {
	for i, d := range w.Days {
		if !slices.Contains(Days, d) {
			return &Error{Code: Invalid, Field: fmt.Sprintf("%s.days[%d]", where, i), Value: d, Key: "weekday-unknown"}
		}
		if slices.Index(w.Days, d) != i {
			return &Error{Code: Invalid, Field: fmt.Sprintf("%s.days[%d]", where, i), Value: d, Key: "day-named-twice"}
		}
	}
	for _, x := range []struct{ name, text string }{{"from", w.From}, {"until", w.Until}} {
		if _, ok := clock(x.text); !ok {
			return &Error{Code: Invalid, Field: where + "." + x.name, Value: x.text, Key: "clock-malformed"}
		}
	}
	if w.From == "24:00" {
		return &Error{Code: Invalid, Field: where + ".from", Value: w.From, Key: "window-begins-at-end"}
	}
	if w.From != "" && w.From == w.Until {
		return &Error{Code: Invalid, Field: where + ".until", Value: w.Until, Key: "window-empty"}
	}
	return nil
}

// Overlaps reports whether both windows are open at some minute of the week.
func (w *Window) Overlaps(x *Window) bool {
	const day, week = 24 * 60, 7 * 24 * 60
	for _, a := range w.days() {
		for _, b := range x.days() {
			f1, u1 := w.Minutes()
			f2, u2 := x.Minutes()
			for _, turn := range []int{-week, 0, week} { // one past Sunday's midnight runs into Monday
				if f1+a*day < u2+b*day+turn && f2+b*day+turn < u1+a*day {
					return true
				}
			}
		}
	}
	return false
}

// days are the indexes of the days on which the window opens; 0 is Monday.
func (w *Window) days() []int {
	var out []int
	for i, d := range Days {
		if len(w.Days) == 0 || slices.Contains(w.Days, d) {
			out = append(out, i)
		}
	}
	return out
}

// text is the window as people write it, e.g. "mon tue 22:00-05:00".
func (w *Window) text() string {
	return strings.TrimSpace(strings.Join(w.Days, " ") + " " + cmp.Or(w.From, "00:00") + "-" + cmp.Or(w.Until, "24:00"))
}
