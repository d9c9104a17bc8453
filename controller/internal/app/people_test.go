package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// browser keeps cookies.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func (c *caller) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return &browser{c.t, c.base, &http.Client{Jar: jar}}
}

func (b *browser) do(method, path string, body any) (status int, text string) {
	b.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(res.Body); err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, out.String()
}

// A planner's way in, and out again.
func TestPeopleOverHTTP(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	for i, x := range []struct {
		as, method, path, body string
		want                   int
		says                   string
	}{
		{"viet-ads", "PUT", "/api/v1/users/lan", `{"owner":"viet-ads","role":"editor","name":"Lan"}`, 201, `"role":"editor"`},
		{"viet-ads", "PUT", "/api/v1/users/lan", `{"owner":"viet-ads","role":"approver"}`, 422,
			"use one of admin, editor, viewer"},
		{"viet-ads", "PUT", "/api/v1/users/lan", `{"owner":"viet-ads","role":"editor","areas":["quang-ngai"]}`, 422,
			"officers only"},
		{"viet-ads", "PUT", "/api/v1/users/spy", `{"owner":"public","role":"author"}`, 404, ""},
		{"song-tra-ads", "PUT", "/api/v1/users/lan", `{"owner":"song-tra-ads","role":"admin"}`, 404, ""},
		{"author", "PUT", "/api/v1/users/minh", `{"owner":"public","role":"author"}`, 404, ""},
		{"admin", "PUT", "/api/v1/users/minh", `{"owner":"public","role":"author","areas":["quang-ngai/nowhere"]}`, 422,
			"is not a known area"},
		{"admin", "PUT", "/api/v1/users/minh", `{"owner":"public","role":"author","areas":["quang-ngai/son-tinh"]}`, 201,
			"son-tinh"},
		{"viet-ads", "GET", "/api/v1/users", "", 200, `"id":"lan"`},
		{"song-tra-ads", "POST", "/api/v1/users/lan/link", "{}", 404, ""},
		{"viet-ads", "PUT", "/api/v1/tokens/lan-script", `{"role":"editor","only":["message"]}`, 201, `"secret":"ledcast_`},
		{"viet-ads", "GET", "/api/v1/tokens", "", 200, `"lan-script"`},
		{"viet-ads", "PUT", "/api/v1/tokens/x1", `{"owner":"public","role":"admin"}`, 404, ""},
		{"viet-ads", "PUT", "/api/v1/me/password", `{"password":"a password for a token"}`, 403, "is for people"},
	} {
		status, text, _ := c.do(x.as, x.method, x.path, x.body)
		if status != x.want || !strings.Contains(text, x.says) {
			t.Errorf("%d: %s %s as %q: %d %s; want %d with %q", i, x.method, x.path, x.as, status, text, x.want, x.says)
		}
		if x.method == "GET" && (strings.Contains(text, "minh") || strings.Contains(text, "sha256") ||
			strings.Contains(text, "song-tra")) {
			t.Errorf("%s tells too much: %s", x.path, text)
		}
	}
	_, text, _ := c.do("viet-ads", "POST", "/api/v1/users/lan/link", "{}")
	var link struct{ Path string }
	if err := json.Unmarshal([]byte(text), &link); err != nil || !strings.HasPrefix(link.Path, "/signin?code=") {
		t.Fatal(text)
	}
	code := strings.TrimPrefix(link.Path, "/signin?code=")
	b := c.browser()
	const password = "con đường phía trước"
	for i, x := range []struct {
		method, path string
		body         any
		want         int
		says         string
	}{
		{"POST", "/api/v1/session", map[string]string{"user": "lan", "password": password}, 401, "does not match this name"},
		{"POST", "/api/v1/session/code", map[string]string{"code": code}, 200, `"id":"user:lan"`},
		{"POST", "/api/v1/session/code", map[string]string{"code": code}, 401, "was used"},
		{"PUT", "/api/v1/me/password", map[string]string{"password": "short"}, 422, "needs 12"},
		{"PUT", "/api/v1/me/password", map[string]string{"password": password}, 204, ""},
		{"POST", "/api/v1/session", map[string]string{"user": "lan", "password": password}, 200, `"name":"Lan"`},
		{"GET", "/api/v1/me", nil, 200, `"role":"editor"`},
		{"GET", "/api/v1/signs/demo-128x64", nil, 200, "Ba La"},
		{"GET", "/api/v1/users", nil, 403, ""},
		{"DELETE", "/api/v1/users/lan/sessions", nil, 204, ""},
	} {
		status, text := b.do(x.method, x.path, x.body)
		if status != x.want || !strings.Contains(text, x.says) {
			t.Errorf("%d: %s %s: %d %s; want %d with %q", i, x.method, x.path, status, text, x.want, x.says)
		}
	}
	me := func() (id string) {
		_, text := b.do("GET", "/api/v1/me", nil)
		var m struct{ ID string }
		_ = json.Unmarshal([]byte(text), &m)
		return m.ID
	}
	if id := me(); id != "guest" {
		t.Errorf("signed out everywhere, and still %q", id)
	}
	b.do("POST", "/api/v1/session", map[string]string{"user": "lan", "password": password})
	if id := me(); id != "user:lan" {
		t.Errorf("signed in as %q", id)
	}
	// Another origin's page cannot ride on the session.
	req, err := http.NewRequestWithContext(t.Context(), "DELETE", c.base+"/api/v1/session", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://elsewhere.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := b.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close() // nothing is in it
	if res.StatusCode != 403 || me() != "user:lan" {
		t.Errorf("a page of another origin: %d", res.StatusCode)
	}
	if status, text, _ := c.do("viet-ads", "DELETE", "/api/v1/users/lan", ""); status != 204 {
		t.Fatal(status, text)
	}
	if id := me(); id != "guest" {
		t.Errorf("removed, and still %q", id)
	}
	// Newest first, page by page, the log is the same the other way round.
	numbers := func(as, query string) (out []int64) {
		t.Helper()
		status, text, _ := c.do(as, "GET", "/api/v1/audit?"+query, "")
		var page struct{ Items []struct{ N int64 } }
		if err := json.Unmarshal([]byte(text), &page); err != nil || status != 200 {
			t.Fatal(status, text)
		}
		for _, x := range page.Items {
			out = append(out, x.N)
		}
		return out
	}
	for _, as := range []string{"viet-ads", "admin"} {
		want := numbers(as, "limit=500")
		slices.Reverse(want)
		var got []int64
		for before := int64(1 << 53); ; {
			page := numbers(as, fmt.Sprintf("before=%d&limit=3", before))
			if len(page) == 0 {
				break
			}
			got, before = append(got, page...), page[len(page)-1]
		}
		if len(want) < 5 || !slices.Equal(got, want) {
			t.Errorf("%s: newest first %v, want %v", as, got, want)
		}
	}
	for _, bad := range []string{"before=0", "before=x", "before=9007199254740993", "before=9&after=1"} {
		if status, text, _ := c.do("viet-ads", "GET", "/api/v1/audit?"+bad, ""); status != 422 ||
			!strings.Contains(text, `"field":"before"`) {
			t.Errorf("%s: %d %s", bad, status, text)
		}
	}
	// The company's log has all of it, and nothing of the department's.
	_, text, _ = c.do("viet-ads", "GET", "/api/v1/audit?limit=500", "")
	for _, want := range []string{`"action":"create","kind":"user","owner":"viet-ads","id":"lan"`, `"kind":"signin"`,
		`"kind":"invite"`, `"who":"user:lan"`, `"kind":"token"`, `"action":"delete","kind":"user"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	for _, no := range []string{"minh", "argon2", password, code, "song-tra"} {
		if strings.Contains(text, no) {
			t.Errorf("the log has %q", no)
		}
	}
}

// What somebody who steals the database has in hand: nothing that opens a door.
func TestStolenDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDemo(t, dir)
	c := newCaller(t, d)
	b := c.browser()
	_, text, _ := c.do("admin", "POST", "/api/v1/users/author/link", "{}")
	var link struct{ Path string }
	if err := json.Unmarshal([]byte(text), &link); err != nil {
		t.Fatal(err)
	}
	code := strings.TrimPrefix(link.Path, "/signin?code=")
	const password = "một câu thật dài để nhớ"
	b.do("POST", "/api/v1/session/code", map[string]string{"code": code})
	if status, text := b.do("PUT", "/api/v1/me/password", map[string]string{"password": password}); status != 204 {
		t.Fatal(text)
	}
	if status, text := b.do("POST", "/api/v1/session", map[string]string{"user": "author",
		"password": password}); status != 200 {
		t.Fatal(text)
	}
	_, text, _ = c.do("admin", "POST", "/api/v1/users/approver/link", "{}")
	if err := json.Unmarshal([]byte(text), &link); err != nil {
		t.Fatal(err)
	}
	_, text, _ = c.do("admin", "POST", "/api/v1/signs/demo-64x32/code", "{}")
	var signCode struct{ Code string }
	if err := json.Unmarshal([]byte(text), &signCode); err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"a link": strings.TrimPrefix(link.Path, "/signin?code="), "a used link": code,
		"a password":    password,
		"a sign's code": signCode.Code, "a sign's code, bare": strings.ReplaceAll(signCode.Code, "-", "")}
	for name, token := range c.tokens {
		secrets["the token of "+name] = strings.TrimPrefix(token, "ledcast_")
	}
	for _, cookie := range b.http.Jar.Cookies(mustURL(t, c.base)) {
		secrets["a session"] = cookie.Value
	}
	for _, sign := range []string{"demo-64x32", "demo-128x64", "demo-320x160", "demo-picture"} {
		secrets["the password of "+sign] = signPassword(t, dir, sign)
	}
	files := databaseFiles(t, d)
	if len(secrets) < 15 {
		t.Fatalf("only %d secrets are looked for", len(secrets))
	}
	for what, secret := range secrets {
		if len(secret) < 10 {
			t.Errorf("%s is %q", what, secret)
		}
		for name, data := range files {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %s", name, what)
			}
		}
	}
}

// What somebody changed behind the controller's back shows: a row of the log,
// its end, and a thing itself.
func TestAuditVerify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDemo(t, dir)
	c := newCaller(t, d)
	for range 3 {
		if status, text, _ := c.do("viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", tet); status/100 != 2 {
			t.Fatal(text)
		}
	}
	status, text, _ := c.do("admin", "GET", "/api/v1/audit/verify", "")
	var v struct {
		Entries int64
		Whole   bool
		Digest  string
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil || status != 200 || !v.Whole || v.Entries < 4 {
		t.Fatal(status, text)
	}
	head := fmt.Sprintf("%d:%s", v.Entries, v.Digest)
	if status, _, _ := c.do("viet-ads", "GET", "/api/v1/audit/verify", ""); status != 403 {
		t.Errorf("a company verifies: %d", status)
	}
	c.all([]ask{
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", tet, nil, 200, ""},
		{"admin", "GET", "/api/v1/audit/verify?expect=" + head, "", nil, 200, `"whole":true`},
		{"admin", "GET", "/api/v1/audit/verify?expect=7", "", nil, 422, "not a head of the log"},
	})
	d.stop(t)
	for i, x := range []struct {
		statement string
		arg       any
		expect    string
		value     string // of the problem
	}{
		{"UPDATE objects SET data = $1 WHERE kind = 'message' AND owner = 'viet-ads' AND id = 'tet'",
			[]byte(`{"id":"tet","owner":"viet-ads"}`), "", "owners/viet-ads/messages/tet"},
		{"INSERT INTO objects (kind, owner, id, data, version, updated_ms) VALUES ('user', '', 'eve', $1, 1, 1)",
			[]byte(`{"id":"eve","owner":"public","role":"admin"}`), "", "users/eve"},
		{"UPDATE objects SET deleted = 1 WHERE kind = 'message' AND owner = $1 AND id = 'tet'", "viet-ads", "",
			"owners/viet-ads/messages/tet"},
		{"DELETE FROM audit WHERE n >= $1", v.Entries, head, head},
		{"UPDATE audit SET who = 'somebody else' WHERE n = $1", v.Entries - 2, "", jsonNumber(v.Entries - 2)},
	} {
		copied := t.TempDir()
		if onPostgres() {
			copied = dir
		} else if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if onPostgres() && i < 4 {
			continue // one database for all: only the last one is tried
		}
		tamper(t, copied, x.statement, x.arg)
		d := startDemo(t, copied)
		status, text, _ := newCaller(t, d).do("admin", "GET", "/api/v1/audit/verify?expect="+x.expect, "")
		d.stop(t)
		var p struct{ Value string }
		if err := json.Unmarshal([]byte(text), &p); err != nil || status != 409 || p.Value != x.value {
			t.Errorf("after %s: %d %s", x.statement, status, text)
		}
	}
}

// A revoked sign's connection is closed within a second, and it does not come
// back; a code lets it in again, once.
func TestSignEnrolment(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	if status, text, _ := c.do("viet-ads", "PUT", "/api/v1/signs/va-001",
		`{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/duc-pho"],`+
			`"test":true,"phone":"0255 3822 123"}`); status != 202 {
		t.Fatal(status, text)
	}
	if status, text, _ := c.do("viet-ads", "POST", "/api/v1/signs/va-001/pending/approve", "{}"); status != 403 {
		t.Errorf("a company approves its own test sign: %d %s", status, text)
	}
	if s, err := d.Sign(t.Context(), "va-001"); err != nil || s.Test {
		t.Errorf("it shows tests before the department said so: %v", err)
	}
	if status, text, _ := c.do("admin", "POST", "/api/v1/signs/va-001/pending/approve", "{}"); status != 200 ||
		!strings.Contains(text, `"test":true`) {
		t.Errorf("approve: %d %s", status, text)
	}
	if s, err := d.Sign(t.Context(), "va-001"); err != nil || !s.Test {
		t.Errorf("approved, and still no test sign: %v", err)
	}
	if status, text, _ := c.do("admin", "GET", "/api/v1/signs/va-001/pending", ""); status != 204 || text != "" {
		t.Errorf("it still waits: %d %s", status, text)
	}
	if status, _, _ := c.do("song-tra-ads", "GET", "/api/v1/signs/va-001/pending", ""); status != 404 {
		t.Errorf("another company is told that nothing waits: %d", status)
	}
	if status, _, _ := c.do("admin", "POST", "/api/v1/signs/va-001/pending/approve", "{}"); status != 404 {
		t.Errorf("what does not wait is approved: %d", status)
	}
	status, text, _ := c.do("viet-ads", "POST", "/api/v1/signs/va-001/code", "{}")
	var code struct{ Code string }
	if err := json.Unmarshal([]byte(text), &code); err != nil || status != 200 {
		t.Fatal(status, text)
	}
	enrol := func(code string) (int, string) {
		body, err := json.Marshal(map[string]string{"code": code})
		if err != nil {
			t.Fatal(err)
		}
		status, text, _ := c.do("", "POST", "/api/v1/enrol", string(body))
		return status, text
	}
	if status, _ := enrol("AAAA-BBBB-CCCC-DDDD"); status != 403 {
		t.Errorf("a made-up code: %d", status)
	}
	status, conf := enrol(strings.ToLower(strings.ReplaceAll(code.Code, "-", " ")))
	if status != 200 {
		t.Fatal(status, conf)
	}
	if status, _ := enrol(code.Code); status != 403 {
		t.Errorf("a used code: %d", status)
	}
	path := t.TempDir() + "/va-001.json"
	writeFile(t, path, conf)
	a := attach(t, path, t.TempDir(), t.TempDir())
	eventually(t, "it is online", func() bool { return d.source.Heard("va-001").Online })
	if status, text, _ := c.do("song-tra-ads", "DELETE", "/api/v1/signs/va-001/credentials", ""); status != 404 {
		t.Errorf("another company revokes: %d %s", status, text)
	}
	began := time.Now()
	if status, text, _ := c.do("viet-ads", "DELETE", "/api/v1/signs/va-001/credentials", ""); status != 204 {
		t.Fatal(status, text)
	}
	eventually(t, "it is out", func() bool { return !d.source.Heard("va-001").Online })
	t.Logf("its connection was closed after %v", time.Since(began))
	a.stop(t)
	// A name is never used again.
	if status, text, _ := c.do("viet-ads", "DELETE", "/api/v1/signs/va-001", ""); status != 204 {
		t.Fatal(status, text)
	}
	if status, text, _ := c.do("viet-ads", "PUT", "/api/v1/signs/va-001",
		`{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/duc-pho"]}`); status != 422 ||
		!strings.Contains(text, "never used again") {
		t.Errorf("a used name: %d %s", status, text)
	}
}
