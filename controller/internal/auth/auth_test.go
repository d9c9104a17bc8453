package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"

	"ledcast/playlists"
)

// memory keeps records, and who wrote them.
type memory struct {
	rows map[string]map[string][]byte
	log  []string
}

func (m *memory) List(_ context.Context, kind string) (map[string][]byte, error) {
	return m.rows[kind], nil
}

func (m *memory) Put(_ context.Context, by *playlists.Principal, kind, _, id string, data []byte) error {
	if m.rows[kind] == nil {
		m.rows[kind] = map[string][]byte{}
	}
	m.rows[kind][id] = data
	if by != nil {
		m.log = append(m.log, by.ID+" put "+kind+"/"+id)
	}
	return nil
}

func (m *memory) Delete(_ context.Context, by *playlists.Principal, kind, _, id string) error {
	delete(m.rows[kind], id)
	m.log = append(m.log, by.ID+" deleted "+kind+"/"+id)
	return nil
}

// sessions is a session store, which takes contexts.
type sessions struct{ *memstore.MemStore }

func (s sessions) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	return s.Find(token)
}
func (s sessions) CommitCtx(_ context.Context, token string, b []byte, end time.Time) error {
	return s.Commit(token, b, end)
}
func (s sessions) DeleteCtx(_ context.Context, token string) error { return s.Delete(token) }

var console = &playlists.Principal{ID: "console", Owner: playlists.Public, Role: playlists.RoleAdmin}

type house struct {
	t     *testing.T
	at    time.Time
	store *memory
	keep  sessions
	s     *Service
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, at: time.Now(), store: &memory{rows: map[string]map[string][]byte{}},
		keep: sessions{memstore.NewWithCleanupInterval(0)}}
	h.open()
	return h
}

func (h *house) open() {
	h.t.Helper()
	s, err := Open(h.t.Context(), Options{Records: h.store, Sessions: h.keep, Now: func() time.Time { return h.at },
		Console: console.ID})
	if err != nil {
		h.t.Fatal(err)
	}
	h.s = s
}

func (h *house) issue(t Token) string {
	h.t.Helper()
	secret, err := h.s.Issue(h.t.Context(), console, t)
	if err != nil {
		h.t.Fatal(err)
	}
	return secret
}

func (h *house) user(u playlists.User) {
	h.t.Helper()
	if err := u.Validate(); err != nil {
		h.t.Fatal(err)
	}
	h.s.SetUser(u.ID, &u)
}

func TestTokens(t *testing.T) {
	h := newHouse(t)
	secret := h.issue(Token{ID: "viet-ads", Owner: "viet-ads", Role: playlists.RoleEditor,
		Only: []playlists.Kind{playlists.KindMessage}})
	ask := func(head, path string) error {
		r := httptest.NewRequest("GET", path, nil)
		r.RemoteAddr = "127.0.0.1:5"
		if head != "" {
			r.Header.Set("Authorization", head)
		}
		p, err := h.s.Principal(r)
		if err == nil && (p.Owner != "viet-ads" || p.Role != playlists.RoleEditor ||
			p.MayRead(playlists.KindSign, "viet-ads") || !p.MayWrite(playlists.KindMessage, "viet-ads")) {
			t.Errorf("principal %+v", p)
		}
		return err
	}
	h.open()
	if err := ask("Bearer "+secret, "/"); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	for what, head := range map[string]string{"no token": "", "another": "Bearer " + Prefix + "x",
		"basic": "Basic " + secret, "its hash": "Bearer " + Prefix + hash(secret)} {
		if ask(head, "/") == nil {
			t.Errorf("%s was let in", what)
		}
	}
	if ask("", "/?token="+secret) == nil {
		t.Error("a token in the query was let in")
	}
	again := h.issue(Token{ID: "viet-ads", Owner: "viet-ads", Role: playlists.RoleEditor,
		Only: []playlists.Kind{playlists.KindMessage}})
	if ask("Bearer "+secret, "/") == nil || ask("Bearer "+again, "/") != nil {
		t.Error("a replaced token's old secret must end, and its new one hold")
	}
	for what, bad := range map[string]Token{
		"a company's approver": {ID: "x1", Owner: "viet-ads", Role: playlists.RoleApprover},
		"a company's areas":    {ID: "x1", Owner: "viet-ads", Role: playlists.RoleViewer, Areas: []string{"quang-ngai"}},
		"an unknown kind": {ID: "x1", Owner: "viet-ads", Role: playlists.RoleViewer,
			Only: []playlists.Kind{"everything"}},
		"a thousand days": {ID: "x1", Owner: "viet-ads", Role: playlists.RoleViewer,
			Expires: h.at.AddDate(0, 0, 1000).Unix()},
		"the past":              {ID: "x1", Owner: "viet-ads", Role: playlists.RoleViewer, Expires: 5},
		"a path for a name":     {ID: "../x", Owner: "viet-ads", Role: playlists.RoleViewer},
		"somebody else's token": {ID: "viet-ads", Owner: "song-tra-ads", Role: playlists.RoleViewer},
	} {
		if _, err := h.s.Issue(t.Context(), console, bad); err == nil {
			t.Errorf("%s was issued", what)
		}
	}
	h.at = h.at.Add(TokenLife)
	if ask("Bearer "+again, "/") == nil {
		t.Error("an expired token was let in")
	}
	h.at = h.at.Add(-TokenLife)
	if err := h.s.Revoke(t.Context(), console, "viet-ads"); err != nil {
		t.Fatal(err)
	}
	if ask("Bearer "+again, "/") == nil {
		t.Error("a revoked token was let in")
	}
	if want := "console put token/viet-ads"; h.store.log[0] != want {
		t.Errorf("log %q", h.store.log)
	}
}

// A person's way: a link that works once, a password, a session, out.
func TestPeople(t *testing.T) {
	h := newHouse(t)
	h.user(playlists.User{ID: "lan", Owner: "viet-ads", Role: playlists.RoleEditor})
	code, _, err := h.s.Invite(t.Context(), console, "lan")
	if err != nil {
		t.Fatal(err)
	}
	h.open()
	h.user(playlists.User{ID: "lan", Owner: "viet-ads", Role: playlists.RoleEditor})
	var cookie *http.Cookie
	enter := func(do func(http.ResponseWriter, *http.Request) error) error {
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil)
		err := do(w, r)
		if c := w.Result().Cookies(); len(c) == 1 {
			cookie = c[0]
		}
		return err
	}
	redeem := func(code string) error {
		return enter(func(w http.ResponseWriter, r *http.Request) error { _, err := h.s.Redeem(w, r, code); return err })
	}
	login := func(user, password string) error {
		return enter(func(w http.ResponseWriter, r *http.Request) error {
			_, err := h.s.SignIn(w, r, user, password)
			return err
		})
	}
	in := func(c *http.Cookie) bool {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(c)
		p, err := h.s.Principal(r)
		return err == nil && p.ID == "user:lan"
	}
	if err := redeem(code); err != nil {
		t.Fatal(err)
	}
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || !in(cookie) {
		t.Fatalf("cookie %v", cookie)
	}
	for _, c := range []string{code, "", "x", hash(code)} {
		if redeem(c) == nil {
			t.Errorf("code %q was taken", c)
		}
	}
	if in(&http.Cookie{Name: cookieName, Value: code}) {
		t.Error("the link's code is a session")
	}
	for _, p := range []string{"", "short", strings.Repeat("a", 20), "my name is lan!!", strings.Repeat("ab", 100),
		"not \xff utf8 at all"} {
		if h.s.SetPassword(t.Context(), console, "lan", p) == nil {
			t.Errorf("password %q was taken", p)
		}
	}
	const password = "trời xanh mây trắng"
	h.at = h.at.Add(time.Second)
	if err := h.s.SetPassword(t.Context(), console, "lan", password); err != nil {
		t.Fatal(err)
	}
	if in(cookie) {
		t.Error("a session outlived the change of the password")
	}
	h.open()
	h.user(playlists.User{ID: "lan", Owner: "viet-ads", Role: playlists.RoleEditor})
	if login("lan", "something else entirely") == nil || login("nobody", password) == nil {
		t.Error("a wrong password was taken")
	}
	if err := login("lan", password); err != nil || !in(cookie) {
		t.Fatalf("signed in: %v", err)
	}
	first := cookie
	if err := login("lan", password); err != nil || !in(cookie) || !in(first) {
		t.Fatalf("signed in twice: %v", err)
	}
	if err := enter(func(w http.ResponseWriter, r *http.Request) error {
		r.AddCookie(first)
		return h.s.SignOut(w,
			r)
	}); err != nil || in(first) {
		t.Errorf("signed out: %v, still in: %v", err, in(first))
	}
	if err := login("lan", password); err != nil {
		t.Fatal(err)
	}
	second := cookie
	h.at = h.at.Add(time.Second)
	if err := h.s.SignOutEverywhere(t.Context(), console, "lan"); err != nil || in(second) {
		t.Errorf("signed out everywhere: %v, still in: %v", err, in(second))
	}
	h.at = h.at.Add(time.Hour)
	if err := login("lan", password); err != nil {
		t.Fatal(err)
	}
	h.user(playlists.User{ID: "lan", Owner: "viet-ads", Role: playlists.RoleEditor, Disabled: true})
	if in(cookie) || login("lan", password) == nil {
		t.Error("a disabled person is in")
	}
	h.user(playlists.User{ID: "lan", Owner: "viet-ads", Role: playlists.RoleEditor})
	h.s.SetUser("lan", nil)
	if in(cookie) {
		t.Error("somebody who is gone is in")
	}
	// Nothing that was kept opens a door.
	for kind, rows := range h.store.rows {
		for id, row := range rows {
			if strings.Contains(string(row), password) || strings.Contains(string(row), code) ||
				strings.Contains(string(row), cookie.Value) {
				t.Errorf("%s/%s keeps a secret", kind, id)
			}
		}
	}
	for _, entry := range h.store.log {
		if strings.Contains(entry, "password") {
			t.Errorf("the log has %q", entry)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	h := newHouse(t)
	h.user(playlists.User{ID: "lan", Owner: "viet-ads", Role: playlists.RoleEditor})
	code, ends, err := h.s.Invite(t.Context(), console, "lan")
	if err != nil {
		t.Fatal(err)
	}
	h.at = ends
	if _, err := h.s.Redeem(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), code); err == nil {
		t.Error("an expired link was taken")
	}
	if code, _, err = h.s.Invite(t.Context(), console, "lan"); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if _, err := h.s.Redeem(w, httptest.NewRequest("GET", "/", nil), code); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	if _, err := h.s.Principal(r); err != nil {
		t.Fatal(err)
	}
	h.at = h.at.Add(sessionLife)
	if _, err := h.s.Principal(r); err == nil {
		t.Error("the session does not end")
	}
}

// Nobody may try passwords for long, from one address or from many.
func TestAttemptsAreLimited(t *testing.T) {
	h := newHouse(t)
	h.user(playlists.User{ID: "lan", Owner: "viet-ads", Role: playlists.RoleEditor})
	tries := func(user string, addr func(i int) string) (taken int) {
		for i := range 40 {
			r := httptest.NewRequest("POST", "/", nil)
			r.RemoteAddr = addr(i)
			_, err := h.s.SignIn(httptest.NewRecorder(), r, user, "wrong wrong wrong")
			if !strings.Contains(err.Error(), "too many") {
				taken++
			}
		}
		return taken
	}
	if n := tries("lan", func(i int) string { return "10.0.0." + string(rune('a'+i)) + ":1" }); n != loginBurst {
		t.Errorf("one account from many addresses: %d attempts were looked at, want %d", n, loginBurst)
	}
	if n := tries("nobody", func(int) string { return "10.9.9.9:1" }); n > addrBurst {
		t.Errorf("from one address: %d attempts were looked at", n)
	}
	h.at = h.at.Add(loginEvery)
	if _, err := h.s.SignIn(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil), "lan",
		"wrong wrong wrong"); strings.Contains(err.Error(), "too many") {
		t.Error("the limit does not pass")
	}
	secret := h.issue(Token{ID: "viet-ads", Owner: "viet-ads", Role: playlists.RoleEditor})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	var refused error
	for range apiBurst + 1 {
		_, refused = h.s.Principal(r)
	}
	if refused == nil || !strings.Contains(refused.Error(), "too many requests") {
		t.Errorf("after %d requests at once: %v", apiBurst+1, refused)
	}
}

func TestGuestsComeFromThisMachineOnly(t *testing.T) {
	h := newHouse(t)
	s, err := Open(t.Context(), Options{Records: h.store, Sessions: h.keep, Now: time.Now,
		Guest: &playlists.Principal{ID: "guest", Owner: playlists.Public, Role: playlists.RoleViewer}})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		addr, host string
		want       bool
	}{
		{"127.0.0.1:80", "localhost:8080", true}, {"[::1]:80", "[::1]:8080", true}, {"127.0.0.1:80", "127.0.0.1", true},
		{"127.0.0.1:80", "LOCALHOST", true},
		{"10.0.0.1:80", "127.0.0.1:8080", false}, {"", "127.0.0.1:8080", false},
		// a name that somebody has led here
		{"127.0.0.1:80", "example.com", false}, {"127.0.0.1:80", "localhost.example.com:8080", false},
		{"127.0.0.1:80", "", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = x.addr, x.host
		if _, err := s.Principal(r); (err == nil) != x.want {
			t.Errorf("from %q at %q: %v", x.addr, x.host, err)
		}
	}
}

// The makers of a credential count for a day, those of a token's token too. A token stands for the person who made it
// while signed in, as long as they may do the same.
func TestLineage(t *testing.T) {
	h := newHouse(t)
	admin := playlists.User{ID: "lan", Owner: playlists.Public, Role: playlists.RoleAdmin}
	h.user(admin)
	who := func(secret string) *playlists.Principal {
		t.Helper()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+secret)
		p, err := h.s.Principal(r)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	issue := func(by *playlists.Principal, id string, role playlists.Role) string {
		t.Helper()
		secret, err := h.s.Issue(t.Context(), by, Token{ID: id, Owner: playlists.Public, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	lan := h.s.principal(&admin)
	if p := who(issue(console, "machine", playlists.RoleAdmin)); len(p.Makers) > 0 || !p.Program {
		t.Errorf("the console's token: %+v", p)
	}
	own := issue(lan, "own", playlists.RoleAdmin)
	if p := who(own); p.Program || p.Stands != "user:lan" {
		t.Errorf("a token of one's own: %+v", p)
	}
	first := issue(lan, "first", playlists.RoleAuthor)
	h.at = h.at.Add(30 * 24 * time.Hour)
	if p := who(first); !p.Program || len(p.Makers) > 0 {
		t.Errorf("a program's token after a month: %+v", p)
	}
	second := issue(who(own), "second", playlists.RoleApprover) // made today, with a token of a month ago
	for _, c := range []struct {
		after time.Duration
		want  string
	}{{0, "[token:own user:lan]"}, {24*time.Hour - time.Second, "[token:own user:lan]"}, {time.Second, "[]"}} {
		h.at = h.at.Add(c.after)
		if p := who(second); fmt.Sprint(p.Makers) != c.want {
			t.Errorf("%v later its makers are %v, want %s", c.after, p.Makers, c.want)
		}
	}
	admin.Role = playlists.RoleViewer
	h.user(admin)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+own)
	if _, err := h.s.Principal(r); err == nil {
		t.Error("a token of a person who was demoted goes on")
	}
}

// Who was let in less than 24 h ago approves nothing, unless an administrator who did not let them in vouches for them,
// or it is the installation's first day.
func TestNewApprovers(t *testing.T) {
	h := newHouse(t)
	lan := playlists.User{ID: "lan", Owner: playlists.Public, Role: playlists.RoleAdmin}
	hoa := playlists.User{ID: "hoa", Owner: playlists.Public, Role: playlists.RoleAdmin}
	minh := playlists.User{ID: "minh", Owner: playlists.Public, Role: playlists.RoleApprover}
	for _, u := range []playlists.User{lan, hoa, minh} {
		h.user(u)
	}
	enter := func() {
		t.Helper()
		code, _, err := h.s.Invite(t.Context(), h.s.principal(&lan), "minh")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.s.Redeem(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil), code); err != nil {
			t.Fatal(err)
		}
	}
	approves := func(want bool) {
		t.Helper()
		err := playlists.CheckSecond("alerts/a", playlists.Author{ID: "user:tam"}, h.s.principal(&minh))
		if (err == nil) != want {
			t.Errorf("%v after the start: approves %v, want %v (%v)", h.at, err == nil, want, err)
		}
	}
	born := h.at
	h.s.o.Born = func() time.Time { return born }
	enter()
	approves(true) // the first day
	h.at = h.at.Add(48 * time.Hour)
	enter()
	approves(false)
	if err := h.s.Vouch(t.Context(), h.s.principal(&lan), "minh"); err == nil {
		t.Error("who let them in vouched for them")
	}
	if err := h.s.Vouch(t.Context(), h.s.principal(&minh), "minh"); err == nil {
		t.Error("they vouched for themselves")
	}
	program := &playlists.Principal{ID: "token:x", Owner: playlists.Public, Role: playlists.RoleAdmin, Program: true}
	if err := h.s.Vouch(t.Context(), program, "minh"); err == nil {
		t.Error("a program vouched for them")
	}
	if err := h.s.Vouch(t.Context(), h.s.principal(&hoa), "minh"); err != nil {
		t.Error(err)
	}
	approves(true)
	enter() // another link: anew
	approves(false)
	h.at = h.at.Add(24 * time.Hour)
	approves(true)
}
