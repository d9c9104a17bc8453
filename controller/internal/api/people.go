package api

import (
	"fmt"
	"net/http"
	"slices"

	"ledcast/controller/internal/auth"
	"ledcast/playlists"
)

// Me is who asks.
type Me struct {
	ID    string         `json:"id"`
	Owner string         `json:"owner"`
	Name  string         `json:"name,omitempty"`
	Role  playlists.Role `json:"role"`
	Areas []string       `json:"areas,omitempty"`
}

type credentials struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

type linkCode struct {
	Code string `json:"code"`
}

type newPassword struct {
	Password string `json:"password"`
}

type userLink struct {
	Path      string `json:"path"` // below the controller's address
	ExpiresMS int64  `json:"expires_ms"`
}

type madeToken struct {
	auth.Token
	Secret string `json:"secret"` // shown once
}

func (s *Server) tell(w http.ResponseWriter, p *playlists.Principal) {
	m := Me{ID: p.ID, Owner: p.Owner, Role: p.Role, Areas: p.Areas}
	if id, ok := person(p); ok {
		u, _ := s.auth.User(id)
		m.Name = u.Name
	}
	answer(w, m)
}

// person is the user behind a principal; a token is none.
func person(p *playlists.Principal) (id string, ok bool) {
	const prefix = "user:"
	if len(p.ID) > len(prefix) && p.ID[:len(prefix)] == prefix {
		return p.ID[len(prefix):], true
	}
	return "", false
}

func (s *Server) me(w http.ResponseWriter, r *http.Request) {
	if p := s.who(w, r); p != nil {
		s.tell(w, p)
	}
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	var c credentials
	if err := s.read(w, r, &c, "session"); err != nil {
		s.fail(w, r, err)
		return
	}
	p, err := s.auth.SignIn(w, r, c.User, c.Password)
	if err != nil {
		s.deny(w, r, err)
		return
	}
	s.tell(w, p)
}

func (s *Server) redeem(w http.ResponseWriter, r *http.Request) {
	var c linkCode
	if err := s.read(w, r, &c, "session"); err != nil {
		s.fail(w, r, err)
		return
	}
	p, err := s.auth.Redeem(w, r, c.Code)
	if err != nil {
		s.deny(w, r, err)
		return
	}
	s.tell(w, p)
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	if err := s.auth.SignOut(w, r); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) ownPassword(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	id, ok := person(p)
	if !ok {
		s.fail(w, r, &playlists.Error{Code: playlists.Denied, Field: "password", Key: "password-for-people-only"})
		return
	}
	var n newPassword
	err := s.read(w, r, &n, "password")
	if err == nil {
		err = s.auth.SetPassword(r.Context(), p, id, n.Password)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// administers is the user of the path, if who asks may change them; else it has
// answered already.
func (s *Server) administers(w http.ResponseWriter, r *http.Request) (*playlists.Principal, string) {
	p := s.who(w, r)
	if p == nil {
		return nil, ""
	}
	id := r.PathValue("id")
	u, ok := s.auth.User(id)
	var err error
	switch {
	case !ok || !p.MayRead(playlists.KindUser, u.Owner):
		err = notThere(string(playlists.KindUser), id)
	case !p.MayWrite(playlists.KindUser, u.Owner):
		err = denied(p, playlists.KindUser, id)
	}
	if err != nil {
		s.fail(w, r, err)
		return nil, ""
	}
	return p, id
}

func (s *Server) userLink(w http.ResponseWriter, r *http.Request) {
	p, id := s.administers(w, r)
	if p == nil {
		return
	}
	code, expires, err := s.auth.Invite(r.Context(), p, id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, userLink{Path: "/signin?code=" + code, ExpiresMS: expires.UnixMilli()})
}

func (s *Server) userVouch(w http.ResponseWriter, r *http.Request) {
	p, id := s.administers(w, r)
	if p == nil {
		return
	}
	if err := s.auth.Vouch(r.Context(), p, id); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) userOut(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	id := r.PathValue("id")
	if self, ok := person(p); !ok || self != id { // one's own sessions one may end
		if p, id = s.administers(w, r); p == nil {
			return
		}
	}
	if err := s.auth.SignOutEverywhere(r.Context(), p, id); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) tokens(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	if !p.MayRead(playlists.KindToken, p.Owner) {
		s.fail(w, r, denied(p, playlists.KindToken, ""))
		return
	}
	out := []auth.Token{}
	for _, t := range s.auth.Tokens() {
		if p.MayRead(playlists.KindToken, t.Owner) {
			out = append(out, t)
		}
	}
	answer(w, list[auth.Token]{out})
}

func (s *Server) tokenPut(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	id := r.PathValue("id")
	for _, there := range s.auth.Tokens() {
		if there.ID == id && !p.MayRead(playlists.KindToken, there.Owner) {
			s.fail(w, r, notThere(string(playlists.KindToken), id))
			return
		}
	}
	admin := p.MayWrite(playlists.KindToken, p.Owner)
	if _, signedIn := person(p); !admin && !signedIn {
		s.fail(w, r, denied(p, playlists.KindToken, id))
		return
	}
	var t auth.Token
	err := s.read(w, r, &t, "tokens/"+id)
	if err == nil {
		err = completeID(&t.ID, id, "tokens")
	}
	if t.Owner == "" {
		t.Owner = p.Owner
	}
	switch {
	case err != nil:
	case !admin && !s.ownToken(p, &t): // everybody may make one for themselves
		err = denied(p, playlists.KindToken, id)
	case admin && !p.MayWrite(playlists.KindToken, t.Owner):
		err = notThere("owners", t.Owner)
	}
	if err == nil && t.SHA256 != "" {
		err = &playlists.Error{Code: playlists.Invalid, Field: "tokens/" + id + ".sha256", Value: t.SHA256,
			Key: "made-by-controller"}
	}
	if err == nil && (t.By != "" || t.Own || t.MadeMS != 0 || len(t.Lineage) > 0) {
		err = &playlists.Error{Code: playlists.Invalid, Field: "tokens/" + id + ".by", Value: t.By,
			Key: "made-by-controller"}
	}
	if err == nil {
		err = s.knownOwner(r, t.Owner, "tokens/"+id+".owner")
	}
	for i := 0; i < len(t.Areas) && err == nil; i++ {
		if _, err = s.objects.Get(r.Context(),
			playlists.Key{Kind: playlists.KindArea, ID: t.Areas[i]}); playlists.IsNotFound(err) {
			err = &playlists.Error{Code: playlists.Invalid, Field: fmt.Sprintf("tokens/%s.areas[%d]", id, i), Value: t.Areas[i],
				Key: "area-unknown"}
		}
	}
	var secret string
	if err == nil {
		secret, err = s.auth.Issue(r.Context(), p, t)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, made := range s.auth.Tokens() {
		if made.ID == id {
			t = made
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	answerStatus(w, http.StatusCreated, madeToken{t, secret})
}

// ownToken reports whether a person asks for a token that may do what they may, in the name of nobody else's.
func (s *Server) ownToken(p *playlists.Principal, t *auth.Token) bool {
	for _, there := range s.auth.Tokens() {
		if there.ID == t.ID && there.By != p.ID {
			return false
		}
	}
	return t.Owner == p.Owner && t.Role == p.Role && slices.Equal(t.Areas, p.Areas)
}

func (s *Server) knownOwner(r *http.Request, owner, field string) error {
	if owner == playlists.Public {
		return nil
	}
	if _, err := s.objects.Get(r.Context(), playlists.Key{Kind: playlists.KindOwner, ID: owner}); err != nil {
		return &playlists.Error{Code: playlists.Invalid, Field: field, Value: owner, Key: "owner-unknown"}
	}
	return nil
}

func (s *Server) tokenRemove(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	id := r.PathValue("id")
	err := notThere(string(playlists.KindToken), id)
	for _, t := range s.auth.Tokens() {
		switch {
		case t.ID != id || !p.MayRead(playlists.KindToken, t.Owner) && t.By != p.ID:
		case !p.MayWrite(playlists.KindToken, t.Owner) && t.By != p.ID:
			err = denied(p, playlists.KindToken, id)
		default:
			err = s.auth.Revoke(r.Context(), p, id)
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
