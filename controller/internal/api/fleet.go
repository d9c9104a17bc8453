package api

import (
	"context"
	"net/http"
	"time"

	"ledcast/playlists"
)

// Fleet is how signs are let in and kept out.
type Fleet interface {
	// NewConfig gives a sign a new password and returns its config file.
	NewConfig(ctx context.Context, who *playlists.Principal, sign string) ([]byte, error)
	// Code makes a one-time code with which the sign fetches its config file.
	Code(ctx context.Context, who *playlists.Principal, sign string) (code string, expires time.Time, err error)
	// Redeem trades a code for a config file.
	Redeem(ctx context.Context, remote, code string) ([]byte, error)
	// Revoke takes a sign's password and closes its connection. later is true
	// with an outside broker, which lets the sign in until its rules are written
	// anew.
	Revoke(ctx context.Context, who *playlists.Principal, sign string) (later bool, err error)
	// ConfirmKey accepts the key that the sign shows now.
	ConfirmKey(ctx context.Context, who *playlists.Principal, sign string) error
	// Pending is the change that waits; nil if none does.
	Pending(ctx context.Context, sign string) (*playlists.PendingChange, error)
	// Review sets how signs count for urgent messages, all or, after an error in one of them, none.
	Review(ctx context.Context, who *playlists.Principal, signs []string, as playlists.SignAlerts) error
	// Decide applies or drops it; NotFound if none waits.
	Decide(ctx context.Context, who *playlists.Principal, sign string, approve bool) (*playlists.PendingChange, error)
}

// Pending is what HTTP answers of a change that waits for the department.
type Pending struct {
	Sign  string         `json:"sign"`
	Areas []string       `json:"areas"`
	Test  bool           `json:"test"`
	Mode  playlists.Mode `json:"mode"`
	By    string         `json:"by"`
	AtMS  int64          `json:"at_ms"`
}

func pendingOf(x *playlists.PendingChange) Pending {
	return Pending{Sign: x.Sign, Areas: x.Areas, Test: x.Test, Mode: x.Mode, By: x.By, AtMS: x.AtMS}
}

type enrolCode struct {
	Code      string `json:"code"`
	ExpiresMS int64  `json:"expires_ms,omitempty"`
}

// changeable is the sign that the path names, if who asks may change it; else
// it has answered already.
func (s *Server) changeable(w http.ResponseWriter, r *http.Request) (*playlists.Principal, *playlists.Sign) {
	p := s.who(w, r)
	if p == nil {
		return nil, nil
	}
	id := r.PathValue("id")
	sign, err := s.find(r.Context(), id)
	switch {
	case err != nil:
	case !p.MayRead(playlists.KindSign, sign.Owner):
		err = notThere("sign", id)
	case !p.MayWrite(playlists.KindSign, sign.Owner):
		err = denied(p, playlists.KindSign, id)
	}
	if err != nil {
		s.fail(w, r, hide(err, playlists.KindSign, id))
		return nil, nil
	}
	return p, sign
}

func (s *Server) pending(w http.ResponseWriter, r *http.Request) {
	sign := s.visible(w, r)
	if sign == nil {
		return
	}
	x, err := s.fleet.Pending(r.Context(), sign.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if x == nil { // as it should be, and no error of who asks
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(w, pendingOf(x))
}

// SignReview is how the department wants signs to count for urgent messages.
type SignReview struct {
	Signs  []string             `json:"signs"`
	Alerts playlists.SignAlerts `json:"alerts,omitempty"` // "": as any other; or excluded
}

func (s *Server) review(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	if !p.Department() || !p.MayWrite(playlists.KindSign, playlists.Public) {
		s.fail(w, r, &playlists.Error{Code: playlists.Denied, Field: "review", Key: "review-not-allowed"})
		return
	}
	var x SignReview
	err := s.read(w, r, &x, "review")
	if err == nil && len(x.Signs) == 0 {
		err = &playlists.Error{Code: playlists.Invalid, Field: "review.signs", Key: "review-without-signs"}
	}
	if err == nil && x.Alerts != playlists.AlertsCounted && x.Alerts != playlists.AlertsExcluded {
		err = &playlists.Error{Code: playlists.Invalid, Field: "review.alerts",
			Value: string(x.Alerts), Key: "review-unknown"}
	}
	if err == nil {
		err = s.fleet.Review(r.Context(), p, x.Signs, x.Alerts)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, x)
}

func (s *Server) decide(approve bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, sign := s.changeable(w, r)
		if p == nil {
			return
		}
		if approve && !p.Department() {
			s.fail(w, r, &playlists.Error{Code: playlists.Denied, Field: "pending", Value: sign.ID,
				Key: "pending-not-allowed"})
			return
		}
		x, err := s.fleet.Decide(r.Context(), p, sign.ID, approve)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		answer(w, pendingOf(x))
	}
}

func (s *Server) enrolFile(w http.ResponseWriter, r *http.Request) {
	p, sign := s.changeable(w, r)
	if p == nil {
		return
	}
	conf, err := s.fleet.NewConfig(r.Context(), p, sign.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	serveConfig(w, sign.ID, conf)
}

func serveConfig(w http.ResponseWriter, sign string, conf []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+sign+`.json"`)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(conf)
}

func (s *Server) revokeSign(w http.ResponseWriter, r *http.Request) {
	p, sign := s.changeable(w, r)
	if p == nil {
		return
	}
	later, err := s.fleet.Revoke(r.Context(), p, sign.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if later {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) enrolCode(w http.ResponseWriter, r *http.Request) {
	p, sign := s.changeable(w, r)
	if p == nil {
		return
	}
	code, expires, err := s.fleet.Code(r.Context(), p, sign.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, enrolCode{code, expires.UnixMilli()})
}

func (s *Server) enrol(w http.ResponseWriter, r *http.Request) {
	var c enrolCode
	err := s.read(w, r, &c, "enrol")
	if err == nil {
		err = s.auth.Attempt(r)
	}
	var conf []byte
	if err == nil {
		conf, err = s.fleet.Redeem(r.Context(), r.RemoteAddr, c.Code)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	serveConfig(w, "sign", conf)
}

func (s *Server) confirmKey(w http.ResponseWriter, r *http.Request) {
	p, sign := s.changeable(w, r)
	if p == nil {
		return
	}
	if err := s.fleet.ConfirmKey(r.Context(), p, sign.ID); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
