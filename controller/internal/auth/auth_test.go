package auth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

type memory map[string][]byte

func (m memory) List(context.Context) ([][]byte, error) {
	var out [][]byte
	for _, d := range m {
		out = append(out, d)
	}
	return out, nil
}
func (m memory) Put(_ context.Context, id string, data []byte) error { m[id] = data; return nil }
func (m memory) Delete(_ context.Context, id string) error           { delete(m, id); return nil }

func TestTokens(t *testing.T) {
	at := time.Unix(1_767_200_400, 0)
	store := memory{}
	open := func() *Service {
		t.Helper()
		s, err := Open(t.Context(), store, func() time.Time { return at }, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	secret, err := s.Issue(t.Context(), Token{ID: "viet-ads", Owner: "viet-ads", Role: playlists.RoleEditor, Expires: at.Unix() + 3600})
	if err != nil {
		t.Fatal(err)
	}
	for id, data := range store {
		if strings.Contains(string(data), secret) || strings.Contains(string(data), strings.TrimPrefix(secret, Prefix)) {
			t.Errorf("the secret of %s is kept", id)
		}
	}
	ask := func(s *Service, head, path string) error {
		r := httptest.NewRequest("GET", path, nil)
		r.RemoteAddr = "127.0.0.1:5"
		if head != "" {
			r.Header.Set("Authorization", head)
		}
		p, err := s.Principal(r)
		if err == nil && (p.Owner != "viet-ads" || p.Role != playlists.RoleEditor) {
			t.Errorf("principal %+v", p)
		}
		return err
	}
	if err := ask(open(), "Bearer "+secret, "/"); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	for what, head := range map[string]string{"no token": "", "another": "Bearer " + Prefix + "x", "basic": "Basic " + secret, "its hash": "Bearer " + hash(secret)} {
		if ask(s, head, "/") == nil {
			t.Errorf("%s was let in", what)
		}
	}
	if ask(s, "", "/?token="+secret) == nil {
		t.Error("a token in the query was let in")
	}
	if _, err := s.Issue(t.Context(), Token{ID: "viet-ads", Owner: "viet-ads", Role: playlists.RoleEditor, Expires: at.Unix() + 3600}); err != nil {
		t.Fatal(err)
	}
	if ask(s, "Bearer "+secret, "/") == nil {
		t.Error("the replaced secret was let in")
	}
	if _, err := s.Issue(t.Context(), Token{ID: "x1", Owner: "viet-ads", Role: playlists.RoleApprover}); err == nil {
		t.Error("a company got an approver")
	}
	secret, err = s.Issue(t.Context(), Token{ID: "viet-ads", Owner: "viet-ads", Role: playlists.RoleEditor, Expires: at.Unix() + 3600})
	if err != nil {
		t.Fatal(err)
	}
	at = at.Add(time.Hour)
	if ask(s, "Bearer "+secret, "/") == nil {
		t.Error("an expired token was let in")
	}
	at = at.Add(-time.Hour)
	if err := s.Revoke(t.Context(), "viet-ads"); err != nil {
		t.Fatal(err)
	}
	if ask(s, "Bearer "+secret, "/") == nil {
		t.Error("a revoked token was let in")
	}
}

func TestSignInLink(t *testing.T) {
	at := time.Unix(1_767_200_400, 0)
	s, err := Open(t.Context(), memory{}, func() time.Time { return at }, nil)
	if err != nil {
		t.Fatal(err)
	}
	follow := func(code string) (status int, cookies []*http.Cookie) {
		w := httptest.NewRecorder()
		s.SignIn(w, httptest.NewRequest("GET", "/signin?code="+code, nil))
		return w.Code, w.Result().Cookies()
	}
	with := func(c *http.Cookie) error {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(c)
		p, err := s.Principal(r)
		if err == nil && p.ID != "console" {
			t.Errorf("principal %+v", p)
		}
		return err
	}
	code := s.Link(playlists.Principal{ID: "console", Owner: playlists.Public, Role: playlists.RoleAdmin})
	status, cookies := follow(code)
	if status != 200 || len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("status %d, cookies %v", status, cookies)
	}
	if err := with(cookies[0]); err != nil {
		t.Errorf("the session: %v", err)
	}
	if with(&http.Cookie{Name: cookieName, Value: code}) == nil {
		t.Error("the link's code is a session")
	}
	for _, c := range []string{code, "", "x"} { // used, empty, made up
		if status, cookies := follow(c); status != 401 || len(cookies) != 0 {
			t.Errorf("code %q: %d, %v", c, status, cookies)
		}
	}
	late := s.Link(playlists.Principal{ID: "console"})
	at = at.Add(linkLife)
	if status, _ := follow(late); status != 401 {
		t.Errorf("an expired link: %d", status)
	}
	at = at.Add(sessionLife)
	if with(cookies[0]) == nil {
		t.Error("the session does not end")
	}
}

func TestGuestsComeFromThisMachineOnly(t *testing.T) {
	s, err := Open(t.Context(), memory{}, time.Now, &playlists.Principal{ID: "guest", Owner: playlists.Public, Role: playlists.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "10.0.0.1:80": false, "": false} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = addr
		if _, err := s.Principal(r); (err == nil) != want {
			t.Errorf("from %q: %v", addr, err)
		}
	}
}
