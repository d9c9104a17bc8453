package playlists

import (
	"regexp"
	"strings"
)

// Public is the owner name of the department's own content.
const Public = "public"

// slug is the form of the names of signs and owners (docs/protocol.md, Names).
// Ids of messages and playlists use it too, so that they fit topics and URLs.
var slug = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,47}$`)

// CheckSlug returns an *Error of code Invalid unless s is a name that the wire
// allows: [a-z0-9][a-z0-9-]{1,47}. field says whose name it is.
func CheckSlug(field, s string) error {
	if slug.MatchString(s) {
		return nil
	}
	return &Error{Code: Invalid, Field: field, Value: s,
		Key: "name-malformed"}
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
		Key: "area-malformed"}
}

// SplitRef reads a reference to a message or playlist: an id of the owner's
// own, or "public/<id>" for the department's.
func SplitRef(owner, ref string) (refOwner, id string) {
	if rest, ok := strings.CutPrefix(ref, Public+"/"); ok {
		return Public, rest
	}
	return owner, ref
}
