package playlists

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Code sorts errors by what the caller can do about them. The HTTP API maps
// codes to statuses in one place.
type Code string

const (
	Invalid  Code = "invalid"   // the value cannot be used; change it
	NotFound Code = "not-found" // it does not exist, or the caller may not see it
	Conflict Code = "conflict"  // somebody changed it meanwhile
	TooLarge Code = "too-large" // it is over a limit, which the text names
	Denied   Code = "denied"    // the caller may not do this
	Busy     Code = "busy"      // the caller asks too often; try again later
	Full     Code = "full"      // there is no room for it; somebody must make some
	Away     Code = "away"      // what is needed for it cannot be reached now; try again later
)

// Error is the error type of the domain. It says what is wrong, where, and what
// to do about it. Key and Args make its texts; see TextKey.
type Error struct {
	Code  Code
	Key   TextKey
	Args  []any  // what the texts of Key take
	File  string // the document's file or source; "" where there is none
	Line  int    // 1-based; 0 where unknown
	Field string // e.g. "messages/bluezone-1.variants[0].body"
	Value string // the value as given; Error cuts it to a readable length

	// Places says where the problem arose, the innermost first: the class that
	// was drawn, the sign and the time that were planned.
	Places []Phrase
}

// Error is one line in English: where: field "value" problem; remedy.
func (e *Error) Error() string {
	en := e.English()
	return e.line(e.Field, en.Title, en.Remedy)
}

// VI is Error in Vietnamese.
func (e *Error) VI() string {
	vi := e.Vietnamese()
	return e.line(cmp.Or(vi.Field, e.Field), vi.Title, vi.Remedy)
}

func (e *Error) line(field, title, remedy string) string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	}
	if field != "" {
		b.WriteString(field + " ")
	}
	if e.Value != "" {
		fmt.Fprintf(&b, "%q ", cut(e.Value, 60))
	}
	b.WriteString(title)
	if remedy != "" {
		b.WriteString("; " + remedy)
	}
	return b.String()
}

// IsNotFound reports whether err is an *Error of code NotFound.
func IsNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == NotFound
}

// IsAway reports whether err is an *Error of code Away.
func IsAway(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == Away
}

// RetryLevel returns the level at which to log an error of something that is tried again. The store logs an outage of
// the database once.
func RetryLevel(err error) slog.Level {
	if IsAway(err) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// At returns a copy of e that names the file and line, unless e already does.
func (e *Error) At(file string, line int) *Error {
	c := *e
	if c.File == "" {
		c.File, c.Line = file, line
	}
	return &c
}

// In returns a copy of e that also names a place; see Places.
func (e *Error) In(key TextKey, args ...any) *Error {
	c := *e
	c.Places = append(slices.Clip(c.Places), Phrase{key, args})
	return &c
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}
