package playlists

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Public is the owner name of the department's own content.
const Public = "public"

// slug is PROTOCOL.md's form of a sign's and an owner's name; ids of messages
// and playlists use the same, so that every name fits an MQTT topic and a URL.
var slug = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,47}$`)

// CheckSlug returns an *Error of code Invalid unless s is a name that the wire
// allows: [a-z0-9][a-z0-9-]{1,47}. field says whose name it is.
func CheckSlug(field, s string) error {
	if slug.MatchString(s) {
		return nil
	}
	return &Error{Code: Invalid, Field: field, Value: s,
		Problem: "is not a name: 2 to 48 of a-z, 0-9 and -, beginning with a letter or digit",
		Remedy:  "use a name such as bluezone-1"}
}

var areaSegment = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,47}$`)

// CheckArea returns an *Error of code Invalid unless s is a slash path of
// lower-case segments, e.g. "quang-ngai/son-tinh".
func CheckArea(field, s string) error {
	ok := len(s) <= 200
	for _, seg := range strings.Split(s, "/") {
		ok = ok && areaSegment.MatchString(seg)
	}
	if ok {
		return nil
	}
	return &Error{Code: Invalid, Field: field, Value: s,
		Problem: "is not an area: segments of a-z, 0-9 and -, joined by /",
		Remedy:  "use an area such as quang-ngai/son-tinh"}
}

// Code sorts errors by what the caller can do about them. The HTTP API maps
// codes to statuses in one place.
type Code string

const (
	Invalid  Code = "invalid"   // the value cannot be used; change it
	NotFound Code = "not-found" // there is no such thing, or it is not yours
	Conflict Code = "conflict"  // somebody changed it meanwhile
	TooLarge Code = "too-large" // over a limit that is named
	Denied   Code = "denied"    // you may not
	Busy     Code = "busy"      // too often; later
)

// Error is the one error type of the domain: what, where, and what to do.
type Error struct {
	Code    Code
	File    string // the document's file or source; "" where there is none
	Line    int    // 1-based; 0 where unknown
	Field   string // e.g. "messages/bluezone-1.variants[0].body"
	Value   string // the value as given, cut to a readable length by Error
	Problem string // in English; Vietnamese has the other language
	Remedy  string
	Parts   []Text // of Problem and Remedy that were said in both languages elsewhere
}

// Error is one line: where: field "value" problem; remedy.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field + " ")
	}
	if e.Value != "" {
		fmt.Fprintf(&b, "%q ", cut(e.Value, 60))
	}
	b.WriteString(e.Problem)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// IsNotFound reports whether err is an *Error of code NotFound.
func IsNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == NotFound
}

// At returns a copy of e that names the file and line, unless it already does.
func (e *Error) At(file string, line int) *Error {
	c := *e
	if c.File == "" {
		c.File, c.Line = file, line
	}
	return &c
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}

// SplitRef reads a reference to a message or playlist: an id of the owner's
// own, or "public/<id>" for the department's.
func SplitRef(owner, ref string) (refOwner, id string) {
	if rest, ok := strings.CutPrefix(ref, Public+"/"); ok {
		return Public, rest
	}
	return owner, ref
}
