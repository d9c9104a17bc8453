package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"ledcast/playlists"
)

// Log is who changed what.
type Log interface {
	// List returns entries after a number, oldest first, and Newest those before
	// one, newest first; the department's are the whole installation's.
	List(ctx context.Context, owner string, after int64, most int) ([]playlists.AuditEntry, error)
	Newest(ctx context.Context, owner string, before int64, most int) ([]playlists.AuditEntry, error)
	// Verify walks the chain and returns its head. Its error names the first
	// entry that does not fit, the thing that is not what was written, or that
	// the head of an earlier day, if given, is not in it any more.
	Verify(ctx context.Context, expect *playlists.AuditHead) (playlists.AuditHead, error)
}

// AuditEntry is what HTTP answers of one change.
type AuditEntry struct {
	N      int64           `json:"n"`
	AtMS   int64           `json:"at_ms"`
	Who    string          `json:"who"`
	From   string          `json:"from,omitempty"` // address
	Action string          `json:"action"`         // "create", "replace" or "delete"
	Kind   string          `json:"kind"`
	Owner  string          `json:"owner,omitempty"`
	ID     string          `json:"id"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
	// Withheld says that before and after are a company's content, which is no
	// business of who asks; the digest covers them nevertheless.
	Withheld bool   `json:"withheld,omitempty"`
	Digest   string `json:"digest"` // of this entry and the one before
}

func auditEntryOf(e *playlists.AuditEntry) AuditEntry {
	return AuditEntry{N: e.N, AtMS: e.By.AtMS, Who: e.By.Who, From: e.By.From, Action: e.Action, Kind: e.Kind,
		Owner: e.Owner, ID: e.ID,
		Before: e.Before, After: e.After, Digest: e.Digest}
}

// withhold takes content out that p may not read where it stands.
func (e *AuditEntry) withhold(p *playlists.Principal) {
	if k := playlists.InfoOf(playlists.Kind(e.Kind)); k != nil && k.Content {
		all := playlists.Principal{Owner: p.Owner, Role: p.Role} // a token for the log alone reads the log
		if !all.MayRead(k.Kind, e.Owner) {
			e.Before, e.After, e.Withheld = nil, nil, true
		}
	}
}

// readHead reads it as a person keeps it: its number, a colon, its digest.
func readHead(text string) (*playlists.AuditHead, error) {
	if text == "" {
		return nil, nil
	}
	number, digest, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || len(digest) != 64 {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "expect", Value: text, Key: "log-head-malformed"}
	}
	return &playlists.AuditHead{N: n, Digest: digest}, nil
}

type auditVerdict struct {
	Entries int64  `json:"entries"`
	Whole   bool   `json:"whole"`
	Digest  string `json:"digest"` // of the newest entry
}

// mostEntries bounds one answer.
const mostEntries = 500

func (s *Server) auditList(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	if !p.MayRead(playlists.KindAudit, p.Owner) {
		s.fail(w, r, denied(p, playlists.KindAudit, ""))
		return
	}
	number := func(name string, least, most, otherwise int64) (int64, error) {
		text := r.URL.Query().Get(name)
		if text == "" {
			return otherwise, nil
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < least || n > most {
			return 0, &playlists.Error{Code: playlists.Invalid, Field: name, Value: text,
				Key: "number-out-of-range", Args: []any{least, most}}
		}
		return n, nil
	}
	after, err := number("after", 0, 1<<53, 0)
	var before, limit int64
	if err == nil {
		before, err = number("before", 1, 1<<53, 0)
	}
	if err == nil {
		limit, err = number("limit", 1, mostEntries, 100)
	}
	if q := r.URL.Query(); err == nil && q.Get("before") != "" && q.Get("after") != "" {
		err = &playlists.Error{Code: playlists.Invalid, Field: "before", Value: q.Get("before"),
			Key: "before-and-after"}
	}
	var entries []playlists.AuditEntry
	switch {
	case err != nil:
	case before > 0:
		entries, err = s.audit.Newest(r.Context(), p.Owner, before, int(limit))
	default:
		entries, err = s.audit.List(r.Context(), p.Owner, after, int(limit))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := make([]AuditEntry, len(entries))
	for i := range entries {
		out[i] = auditEntryOf(&entries[i])
		out[i].withhold(p)
	}
	answer(w, list[AuditEntry]{out})
}

func (s *Server) auditVerify(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	if !p.Department() || !p.MayRead(playlists.KindAudit, p.Owner) {
		s.fail(w, r, denied(p, playlists.KindAudit, ""))
		return
	}
	expect, err := readHead(r.URL.Query().Get("expect"))
	var head playlists.AuditHead
	if err == nil {
		head, err = s.audit.Verify(r.Context(), expect)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, auditVerdict{head.N, true, head.Digest})
}
