package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

// entered is a person who is signed in at a controller that runs as a process of its own.
type entered struct {
	t      *testing.T
	url    string
	client http.Client
}

var signInLink = regexp.MustCompile(`code=(\S+)`)

// links are the codes that the first start printed.
func (k *victim) links() (codes []string) {
	k.t.Helper()
	for _, m := range signInLink.FindAllStringSubmatch(k.said(), -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != 2 {
		k.t.Fatalf("the first start printed %d links: %s", len(codes), k.said())
	}
	return codes
}

// enter uses a link.
func (k *victim) enter(code string) *entered {
	k.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		k.t.Fatal(err)
	}
	p := &entered{t: k.t, url: k.url, client: http.Client{Jar: jar, Timeout: patience}}
	p.want("POST", "/api/v1/session/code", fmt.Sprintf(`{"code":%q}`, code), 200)
	return p
}

func (p *entered) do(method, path, body string) (status int, text string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(all)
}

func (p *entered) want(method, path, body string, status int) string {
	p.t.Helper()
	got, text := p.do(method, path, body)
	if got != status {
		p.t.Fatalf("%s %s: %d %s; want %d", method, path, got, text, status)
	}
	return text
}

// link makes a link for a person and returns its code.
func (p *entered) link(user string) string {
	p.t.Helper()
	m := signInLink.FindStringSubmatch(strings.ReplaceAll(
		p.want("POST", "/api/v1/users/"+user+"/link", "{}", 200), `"`, " "))
	if m == nil {
		p.t.Fatal("no link")
	}
	return m[1]
}

// approve reads an alert's preview and approves it.
func (p *entered) approve(id string) (status int, text string) {
	p.t.Helper()
	var read playlists.AlertPreview
	if err := json.Unmarshal([]byte(p.want("GET", "/api/v1/alerts/"+id+"/preview", "", 200)), &read); err != nil {
		p.t.Fatal(err)
	}
	return p.do("POST", "/api/v1/alerts/"+id+"/approve", fmt.Sprintf(`{"signs":%d,"digest":%q}`, read.Signs, read.Digest))
}

// A fresh installation sends its first urgent message within the hour, with two people, and one person alone sends
// none: not with tokens, not with people that they made, not with links of others.
func TestFirstAlertTakesTwo(t *testing.T) {
	slow(t)
	t.Parallel()
	k := newVictim(t)
	k.start()
	k.setUp()
	links := k.links()
	first, second := k.enter(links[0]), k.enter(links[1])
	order := func(p *entered, id string) {
		t.Helper()
		p.want("POST", "/api/v1/alerts", fmt.Sprintf(`{"id":%q,"text":"Lũ","areas":["quang-ngai"],"until":%d}`, id,
			time.Now().Unix()+3600), 201)
	}
	refused := func(what string, p *entered, id, code string) {
		t.Helper()
		if status, text := p.approve(id); status != 403 || !strings.Contains(text, code) {
			t.Errorf("%s: %d %s; want 403 %s", what, status, text, code)
		}
	}
	order(first, "alone")
	// A token that one makes for an approver.
	var made struct{ Secret string }
	text := first.want("PUT", "/api/v1/tokens/second-x", `{"owner":"public","role":"approver"}`, 201)
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	token := &entered{t: t, url: k.url, client: http.Client{Timeout: patience, Transport: bearer(made.Secret)}}
	refused("a token", token, "alone", "approval-by-program")
	// A person that one makes, and is.
	first.want("PUT", "/api/v1/users/sock", `{"owner":"public","role":"approver"}`, 201)
	sock := k.enter(first.link("sock"))
	refused("a person of one's own", sock, "alone", "approval-by-maker")
	// A token that this person makes for themselves.
	text = sock.want("PUT", "/api/v1/tokens/sock-x", `{"owner":"public","role":"approver"}`, 201)
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	token = &entered{t: t, url: k.url, client: http.Client{Timeout: patience, Transport: bearer(made.Secret)}}
	refused("their token", token, "alone", "approval-by-maker")
	// A link that one makes for an approver of somebody else's.
	second.want("PUT", "/api/v1/users/minh", `{"owner":"public","role":"approver"}`, 201)
	k.enter(second.link("minh"))
	refused("a stolen link", k.enter(first.link("minh")), "alone", "approval-by-maker")
	// Author and approver, made by one administrator.
	first.want("PUT", "/api/v1/users/lan", `{"owner":"public","role":"author"}`, 201)
	lan := k.enter(first.link("lan"))
	order(lan, "both-by-one")
	refused("both made by one", sock, "both-by-one", "approval-by-maker")
	// An author's token does not approve for its person.
	text = lan.want("PUT", "/api/v1/tokens/lan-script", `{"owner":"public","role":"author"}`, 201)
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	order(&entered{t: t, url: k.url, client: http.Client{Timeout: patience, Transport: bearer(made.Secret)}}, "by-script")
	lan.want("PUT", "/api/v1/tokens/other", `{"owner":"public","role":"approver"}`, 403)

	// Two people, each let in by another administrator. minh's link was made anew by the first: the second makes
	// another.
	minh := k.enter(second.link("minh"))
	if status, text := minh.approve("both-by-one"); status != 200 {
		t.Errorf("two people: %d %s", status, text)
	}
	if status, text := minh.approve("by-script"); status != 200 {
		t.Errorf("a program's alert, approved by another person: %d %s", status, text)
	}
	// Who is removed is out at once: session, tokens and links.
	late := second.link("minh")
	second.want("DELETE", "/api/v1/users/minh", "", 204)
	if status, _ := minh.do("GET", "/api/v1/me", ""); status == 200 {
		t.Error("a person who was removed is still in")
	}
	if status, _ := (&entered{t: t, url: k.url}).do("POST", "/api/v1/session/code",
		fmt.Sprintf(`{"code":%q}`, late)); status == 200 {
		t.Error("the link of a person who was removed still works")
	}
	second.want("PUT", "/api/v1/users/sock", `{"owner":"public","role":"viewer"}`, 200)
	if status, _ := sock.do("GET", "/api/v1/me", ""); status == 200 {
		t.Error("the session of a person who was demoted goes on")
	}
	if status, text := token.do("GET", "/api/v1/alerts", ""); status == 200 {
		t.Errorf("the token of a person who was demoted goes on: %s", text)
	}
	k.kill()
}

// bearer adds a token to each request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}
