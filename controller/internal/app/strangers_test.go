package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/enrol"
	"ledcast/playlists"
)

// onePicture is a PNG.
func onePicture(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 32))
	for x := range 64 {
		img.Set(x, 16, color.RGBA{255, uint8(4 * x), 0, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every route, as every role of another owner: 404 and no trace, for reading
// and writing, lists and events included.
func TestNothingOfAnotherCompany(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	ctx := t.Context()
	must := func(status int, text string, _ http.Header) {
		t.Helper()
		if status/100 != 2 {
			t.Fatal(status, text)
		}
	}
	const mine = "/api/v1/owners/viet-ads/"
	must(c.do("viet-ads", "PUT", mine+"media/secret-picture", string(onePicture(t)), "Content-Type", "image/png"))
	must(c.do("viet-ads", "PUT", mine+"messages/secret-message", strings.Replace(tet, "Tân Sửu", "bí mật", 1)))
	must(c.do("viet-ads", "PUT", mine+"playlists/secret-list", `{"items":[{"message":"secret-message"}]}`))
	must(c.do("viet-ads", "PUT", mine+"schedules/secret-hours",
		`{"playlist":"secret-list","from":"08:00","until":"12:00"}`))
	must(c.do("viet-ads", "PUT", mine+"agreements/secret-deal", `{"share_percent":20}`))
	must(c.do("viet-ads", "PUT", "/api/v1/users/secret-person",
		`{"owner":"viet-ads","role":"editor","name":"Người bí mật"}`))
	must(c.do("viet-ads", "PUT", "/api/v1/tokens/secret-token", `{"owner":"viet-ads","role":"viewer"}`))
	spec, err := d.Sign(ctx, "demo-128x64")
	if err != nil {
		t.Fatal(err)
	}
	spec.Areas = []string{"quang-ngai/ba-to"}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if status, answer, _ := c.do("viet-ads", "PUT", "/api/v1/signs/demo-128x64", string(text)); status != 202 {
		t.Fatal(status, answer)
	}
	eventually(t, "frames", func() bool { return d.publisher.Plan("demo-128x64") != nil })
	sha := d.publisher.Plan("demo-128x64").Program.Frames[0].SHA256
	ids := map[string]string{"owners": "viet-ads", "messages": "secret-message", "playlists": "secret-list",
		"signs": "demo-128x64", "specs": "demo-128x64",
		"media": "secret-picture", "schedules": "secret-hours", "agreements": "secret-deal", "users": "secret-person",
		"tokens": "secret-token",
		"alerts": "secret-alert", "templates": "flood", "webhooks": "secret-hook"}
	must(c.do("author", "POST", "/api/v1/alerts",
		fmt.Sprintf(`{"id":"secret-alert","text":"Lũ","areas":["quang-ngai"],"until":%d}`, time.Now().Add(time.Hour).Unix())))
	must(c.do("admin", "PUT", "/api/v1/webhooks/secret-hook", `{"url":"https://hooks.example/x","events":["started"]}`))
	trace := []string{"viet-ads", "Quảng cáo Việt", "secret-", "bí mật", "demo-128x64", "demo-64x32", "Ba La",
		"ba-to\",\"test"}
	// What everybody may read is the department's alone.
	common := []string{"areas", "campaigns"}
	// Of these a company gets no list either.
	departments := []string{"alerts", "templates", "webhooks", "drill", "cap", "clock"}

	for _, role := range playlists.Roles("song-tra-ads") {
		name := "song-tra-" + string(role)
		secret, err := d.auth.Issue(ctx, enrol.Console, auth.Token{ID: name, Owner: "song-tra-ads", Role: role})
		if err != nil {
			t.Fatal(err)
		}
		c.tokens[name] = secret
	}
	before, err := d.store.Audit().Verify(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	routes := d.api.Routes()
	walked := 0
	for _, route := range routes {
		kind := strings.Split(strings.TrimPrefix(route.Path, "/api/v1/"), "/")[0]
		if strings.Contains(route.Path, "{owner}") {
			kind = strings.Split(route.Path, "/")[5]
		}
		if route.Open || !strings.HasPrefix(route.Path, "/api/") || route.Path == "/api/v1/events" ||
			slices.Contains(common, kind) || kind == "me" {
			continue
		}
		if kind == "reports" {
			for _, report := range []string{"delivery", "share", "displaced", "uptime"} {
				status, text, _ := c.do("song-tra-admin", route.Method, "/api/v1/reports/"+report, "")
				for _, x := range trace {
					if status != 200 || strings.Contains(text, x) {
						t.Errorf("report %s: %d, or it tells of %q", report, status, x)
					}
				}
				if status, _, _ := c.do("song-tra-admin", route.Method, "/api/v1/reports/"+report+"?owner=viet-ads",
					""); status != 404 {
					t.Errorf("report %s of another: %d", report, status)
				}
			}
			continue
		}
		target := strings.NewReplacer("{owner}", "viet-ads", "{id}", ids[kind], "{sha}", sha).Replace(route.Path)
		head := []string{}
		body := ""
		if route.Method == "PUT" || route.Method == "POST" {
			body = `{"name":"taken over","owner":"viet-ads","class":"128x64-rgb","areas":["quang-ngai"],"role":"viewer"}`
		}
		if route.Takes != "" {
			head = []string{"Content-Type", "image/png"}
		}
		for _, role := range playlists.Roles("song-tra-ads") {
			as := "song-tra-" + string(role)
			walked++
			status, text, _ := c.do(as, route.Method, target, body, head...)
			what := fmt.Sprintf("%s %s as %s", route.Method, target, role)
			isList := !strings.Contains(route.Path, "{")
			admins := kind == "users" || kind == "tokens" || kind == "audit"
			switch {
			case isList && slices.Contains(departments, kind):
				if status != 404 {
					t.Errorf("%s: %d: %.200s", what, status, text)
				}
			case isList && status == 403 && (admins && role != playlists.RoleAdmin || strings.HasSuffix(target, "/verify") ||
				strings.HasSuffix(target, "/review")):
			case isList && status != 200, !isList && status != 404:
				t.Errorf("%s: %d: %.200s", what, status, text)
			}
			if isList {
				for _, x := range trace {
					if strings.Contains(text, x) {
						t.Errorf("%s tells of %q", what, x)
					}
				}
				continue
			}
			// What is not there at all answers the same.
			if route.Method == "PUT" {
				continue // it would make it
			}
			nothing := strings.NewReplacer("{owner}", "no-such-co", "{id}", ids[kind], "{sha}", sha).Replace(route.Path)
			if !strings.Contains(route.Path, "{owner}") {
				nothing = strings.NewReplacer("{id}", "no-such-thing", "{sha}", sha).Replace(route.Path)
			}
			_, other, _ := c.do(as, route.Method, nothing, body, head...)
			if same := strings.NewReplacer("no-such-thing", ids[kind], "no-such-co", "viet-ads").Replace(other); same != text {
				t.Errorf("%s answers %q; nothing at all answers %q", what, text, same)
			}
		}
	}
	if walked < 130 {
		t.Errorf("only %d requests were made", walked)
	}
	if after, err := d.store.Audit().Verify(ctx, nil); err != nil || after != before {
		t.Errorf("%d writes of a stranger were kept; %v", after-before, err)
	}
	d.strangersEvents(t, c, trace)
}

// strangersEvents listens as the other company, whose token is revoked in the
// end: its stream ends, too.
func (d *installation) strangersEvents(t *testing.T, c *caller, trace []string) {
	req, err := http.NewRequestWithContext(t.Context(), "GET", c.base+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.tokens["song-tra-ads"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf := make([]byte, 64<<10)
	text := ""
	for strings.Count(text, "event: sign") < 2 {
		n, err := res.Body.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		text += string(buf[:n])
	}
	for _, x := range trace {
		if strings.Contains(text, x) {
			t.Errorf("the events tell of %q", x)
		}
	}
	if err := d.auth.Revoke(t.Context(), enrol.Console, "song-tra-ads"); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := c.do("song-tra-ads", "GET", "/api/v1/signs", ""); status != 401 {
		t.Errorf("a revoked token gets %d", status)
	}
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, res.Body)
		done <- err
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Error("the revoked token's stream goes on")
	}
}

// A stream of one sign is that sign's owner's and the department's: to others
// there is no such sign.
func TestEventsOfOneSign(t *testing.T) {
	slow(t)
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	for _, as := range []string{"viet-ads", "author"} {
		e := c.events(as, "?sign=demo-64x32")
		if e.res.StatusCode != 200 {
			t.Fatalf("%s: %d", as, e.res.StatusCode)
		}
		e.until(t, `"id":"demo-64x32"`)
		if strings.Contains(e.text, "demo-128x64") || strings.Contains(e.text, "event: alert") {
			t.Errorf("%s is told more than the sign: %s", as, e.text)
		}
	}
	for _, x := range []struct{ as, sign string }{{"song-tra-ads", "demo-64x32"}, {"viet-ads", "demo-320x160"},
		{"viet-ads", "nobodys"}, {"author", "nobodys"}} {
		if status, text, _ := c.do(x.as, "GET", "/api/v1/events?sign="+x.sign, ""); status != 404 ||
			!strings.Contains(text, `"title":"does not exist"`) {
			t.Errorf("%s listens to %s: %d %s", x.as, x.sign, status, text)
		}
	}
}
