package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"ledcast/controller/internal/admission"
	"ledcast/playlists"
)

// maxBody bounds a request's body; a message of all its parts is a few KiB.
const maxBody = 1 << 20

// Expected versions that are not a version.
const (
	Absent     int64 = 0  // there must be no such thing yet
	AnyVersion int64 = -1 // whatever is there is replaced
)

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// expected reads If-Match and If-None-Match; neither means that whatever is
// there is replaced.
func expected(r *http.Request) (int64, error) {
	if r.Header.Get("If-None-Match") == "*" {
		return Absent, nil
	}
	m := r.Header.Get("If-Match")
	if m == "" || m == "*" {
		return AnyVersion, nil
	}
	v, err := strconv.ParseInt(strings.Trim(m, `"`), 10, 64)
	if err != nil || v < 1 || etag(v) != m {
		return 0, &playlists.Error{Code: playlists.Invalid, Field: "If-Match", Value: m, Key: "version-malformed"}
	}
	return v, nil
}

// override reads the query's override and reason; nil where nothing is
// overridden.
func override(r *http.Request) (*admission.Waive, error) {
	q := r.URL.Query()
	w := &admission.Waive{Code: q.Get("override"), Reason: strings.TrimSpace(q.Get("reason"))}
	if w.Code == "" {
		return nil, nil
	}
	if n := utf8.RuneCountInString(w.Reason); n < 4 || n > 200 {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "reason", Value: w.Reason,
			Key: "reason-missing"}
	}
	return w, nil
}

// body reads a JSON body of bounded size.
func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "Content-Type", Value: r.Header.Get("Content-Type"),
			Key: "content-type-not-json"}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, &playlists.Error{Code: playlists.TooLarge, Field: "body", Key: "body-too-large"}
	}
	if err != nil {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "body", Key: "broken-off"}
	}
	return data, nil
}
