package playlists

import (
	"fmt"
	"slices"
	"time"
)

// Dates are written YYYY-MM-DD and mean days in a sign's time zone, so they
// stay text until a sign is known. A first and a last date are both inclusive;
// "" is open.

// MaxExcept is how many dates one schedule or campaign may except.
const MaxExcept = 400

// day is a date as days since 1970-01-01, whatever the zone. Days are counted,
// never multiplied by 24 hours: some have 23 or 25.
type Day int64

// parseDay reads YYYY-MM-DD of the years 1970 to 2199.
func ParseDay(s string) (Day, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1970 || t.Year() > 2199 {
		return 0, false
	}
	return Day(t.Unix() / 86400), true
}

// date is the day's year, month and day of the month.
func (d Day) Date() (int, time.Month, int) { return time.Unix(int64(d)*86400, 0).UTC().Date() }

func (d Day) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }

// weekday indexes Days: 0 is Monday.
func (d Day) Weekday() int { return int(((int64(d)+3)%7 + 7) % 7) } // 1970-01-01 was a Thursday

// checkDate returns an *Error of code Invalid unless s is a date that exists,
// or "".
func checkDate(field, s string) error {
	if _, ok := ParseDay(s); ok || s == "" {
		return nil
	}
	return &Error{Code: Invalid, Field: field, Value: s, Key: "date-invalid"}
}

// checkSpan checks a first and a last date.
func checkSpan(where, first, last string) error {
	if err := checkDate(where+".first", first); err != nil {
		return err
	}
	if err := checkDate(where+".last", last); err != nil {
		return err
	}
	if first != "" && last != "" && last < first {
		return &Error{Code: Invalid, Field: where + ".last", Value: last, Key: "last-before-first", Args: []any{first}}
	}
	return nil
}

// checkExcept checks excepted dates.
func checkExcept(where string, except []string) error {
	if len(except) > MaxExcept {
		return &Error{Code: TooLarge, Field: where + ".except",
			Key: "too-many-dates", Args: []any{len(except), MaxExcept}}
	}
	for i, d := range except {
		field := fmt.Sprintf("%s.except[%d]", where, i)
		if d == "" {
			return &Error{Code: Invalid, Field: field, Key: "except-date-missing"}
		}
		if err := checkDate(field, d); err != nil {
			return err
		}
	}
	return nil
}

// checkNames checks a list of slugs: their form, their number, and that none
// is named twice.
func checkNames(field string, names []string, most int) error {
	if len(names) > most {
		return &Error{Code: TooLarge, Field: field, Key: "too-many-names", Args: []any{len(names), most}}
	}
	seen := make(map[string]bool, len(names))
	for i, n := range names {
		f := fmt.Sprintf("%s[%d]", field, i)
		if err := CheckSlug(f, n); err != nil {
			return err
		}
		if seen[n] {
			return &Error{Code: Invalid, Field: f, Value: n, Key: "named-twice"}
		}
		seen[n] = true
	}
	return nil
}

// opensOn reports whether the window opens on that day of the week.
func (w *Window) OpensOn(d Day) bool {
	return len(w.Days) == 0 || slices.Contains(w.Days, Days[d.Weekday()])
}
