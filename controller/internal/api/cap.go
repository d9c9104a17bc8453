package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"ledcast/controller/internal/admission"
	"ledcast/playlists"
)

// CAPs are alerts that come from outside, in the Common Alerting Protocol 1.2.
type CAPs interface {
	CAP(ctx context.Context, who *playlists.Principal, data []byte,
		let playlists.AlertOverride) (*playlists.CAPResult, error)
	CAPPolicy() (policy playlists.CAPPolicy, last []playlists.CAPResult, feeds []playlists.CAPFeedState)
	SetCAPPolicy(ctx context.Context, who *playlists.Principal, p playlists.CAPPolicy) error
	ApproveCAPPolicy(ctx context.Context, who *playlists.Principal, digest string) error
}

// Read is what an approval names: the digest of what was read. It may stand in
// If-Match as well.
type Read struct {
	Digest string `json:"digest"`
}

// digestRead is the digest that an approval names; "" for none.
func (s *Server) digestRead(w http.ResponseWriter, r *http.Request) (string, error) {
	if tag := strings.Trim(r.Header.Get("If-Match"), `"`); tag != "" {
		return tag, nil
	}
	var read Read
	if r.ContentLength == 0 {
		return "", nil // which is refused where it is set
	}
	err := s.read(w, r, &read, "approve")
	return read.Digest, err
}

// capState is the policy, and what came.
type capState struct {
	Digest string                   `json:"digest"` // of the policy: an approval names it
	Policy playlists.CAPPolicy      `json:"policy"`
	Feeds  []playlists.CAPFeedState `json:"feeds"`
	Last   []playlists.CAPResult    `json:"last"` // newest first
}

// maxCAP bounds a document as it arrives.
const maxCAP = 256 << 10

func (s *Server) capRoutes() []Route {
	return []Route{
		{Method: "POST", Path: "/api/v1/alerts/cap", Summary: "Hand in a CAP 1.2 document; what became of it, and why",
			Handler: s.capPost, Query: overridable, Takes: "application/cap+xml", Out: playlists.CAPResult{}},
		{Method: "GET", Path: "/api/v1/cap",
			Summary: "Who may send alerts from outside, the feeds, and what came last (department)", Handler: s.capGet,
			Out: capState{}},
		{Method: "PUT", Path: "/api/v1/cap",
			Summary: "Change who may send alerts, the feeds, and what may run without a person (administrators)",
			Handler: s.capPut, In: playlists.CAPPolicy{}, Out: capState{}},
		{Method: "POST", Path: "/api/v1/cap/approve",
			Summary: "Let the part hold that runs without a person: another person than proposed it", Handler: s.capApprove,
			In: Read{}, Out: capState{}},
	}
}

// capPost answers 201 for a document of which an alert was made, and 200 for
// one that was understood and asks for nothing. What cannot be taken is 422.
func (s *Server) capPost(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "cap", mayWrite)
	if p == nil {
		return
	}
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || t != "application/cap+xml" && t != "application/xml" && t != "text/xml" {
		s.fail(w, r, &playlists.Error{Code: playlists.Invalid, Field: "Content-Type", Value: r.Header.Get("Content-Type"),
			Key: "content-type-not-cap"})
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCAP))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		err = &playlists.Error{Code: playlists.TooLarge, Field: "cap", Key: "cap-too-large"}
	case err != nil:
		err = &playlists.Error{Code: playlists.Invalid, Field: "cap", Key: "broken-off"}
	}
	var over *admission.Waive
	if err == nil {
		over, err = override(r)
	}
	var out *playlists.CAPResult
	if err == nil {
		let := playlists.AlertOverride{}
		if over != nil {
			let.Override, let.Reason = over.Code, over.Reason
		}
		out, err = s.caps.CAP(r.Context(), p, data, let)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	status := http.StatusOK
	switch out.Outcome {
	case playlists.CAPPending, playlists.CAPRunning:
		status = http.StatusCreated
	case playlists.CAPHeld:
		status = http.StatusAccepted
	case playlists.CAPRefused:
		s.fail(w, r, &playlists.Error{Code: playlists.Invalid, Field: "cap", Value: out.Identifier,
			Key: "cap-refused", Args: []any{out.Because}})
		return
	}
	answerStatus(w, status, out)
}

func (s *Server) capState(w http.ResponseWriter) {
	policy, last, feeds := s.caps.CAPPolicy()
	if policy.Senders == nil {
		policy.Senders = []string{}
	}
	if policy.Feeds == nil {
		policy.Feeds = []playlists.CAPFeed{}
	}
	answer(w, capState{policy.Digest(), policy, feeds, last})
}

func (s *Server) capGet(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "cap", mayRead) != nil {
		s.capState(w)
	}
}

func (s *Server) capPut(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "cap", adminEverywhere)
	if p == nil {
		return
	}
	var policy playlists.CAPPolicy
	err := s.read(w, r, &policy, "cap")
	if err == nil {
		err = s.caps.SetCAPPolicy(r.Context(), p, policy)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.capState(w)
}

func (s *Server) capApprove(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "cap", approveEverywhere)
	if p == nil {
		return
	}
	digest, err := s.digestRead(w, r)
	if err == nil {
		err = s.caps.ApproveCAPPolicy(r.Context(), p, digest)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.capState(w)
}
