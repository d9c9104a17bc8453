package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/store"
)

// caller asks the demo's API as one of its tokens.
type caller struct {
	t      *testing.T
	base   string
	tokens map[string]string
}

func newCaller(t *testing.T, d *installation) *caller {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.data, "tokens.json"))
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{t: t, base: "http://" + d.Addr()}
	if err := json.Unmarshal(text, &c.tokens); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *caller) do(as, method, path, body string, head ...string) (status int, text string, h http.Header) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if as != "" {
		req.Header.Set("Authorization", "Bearer "+c.tokens[as])
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		if _, err := io.Copy(&b, res.Body); err != nil {
			c.t.Fatal(err)
		}
	}
	keeps(c.t, req, res, b.Bytes())
	return res.StatusCode, b.String(), res.Header
}

const tet = `{"variants":[{"lang":"vi","headline":"CHÚC MỪNG","body":"Năm mới Tân Sửu"}]}`

func TestObjectsOverHTTP(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	eventually(t, "ready", func() bool { return d.source.Ready() == nil })
	before, err := d.store.Audit().Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range []struct {
		as, method, path, body string
		head                   []string
		want                   int
		says                   string
	}{
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", tet, nil, 201, `"owner":"viet-ads"`},
		{"viet-ads", "GET", "/api/v1/owners/viet-ads/messages/tet", "", nil, 200, "Tân Sửu"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", tet, []string{"If-None-Match", "*"}, 412,
			"exists already"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", tet, []string{"If-Match", `"7"`}, 412,
			"present version 1"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", tet, []string{"If-Match", `"1"`}, 200, ""},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", `{"bogus":1}`, nil, 422, "bogus"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", `{"id":"other"}`, nil, 422, "not what the path says"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", `{"variants":[{"lang":"vi","body":"☃"}]}`, nil, 422,
			"emoji"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet",
			`{"source":{"title":"x","date":"2021-02-30"},"variants":[{"lang":"vi","body":"a"}]}`, nil, 422, "2021-02-30"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", `{} {}`, nil, 422, "is not JSON at byte"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/..%2Fx", tet, nil, 422, "is not a name"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/playlists/own", `{"items":[{"message":"nothing"}]}`, nil, 422,
			"does not exist"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/playlists/own", `{"items":[{"message":"tet"},{"message":"public/5k"}]}`,
			nil, 201, ""},
		{"viet-ads", "DELETE", "/api/v1/owners/viet-ads/messages/tet", "", nil, 422, "still used by playlist own"},
		{"viet-ads", "PUT", "/api/v1/signs/demo-64x32", `{"owner":"viet-ads","class":"96x48-red","areas":["quang-ngai"]}`,
			nil, 422, "never changes"},
		{"viet-ads", "PUT", "/api/v1/signs/demo-64x32",
			`{"owner":"song-tra-ads","class":"64x32-red","areas":["quang-ngai"]}`, nil, 422, "not the sign's owner"},
		{"viet-ads", "PUT", "/api/v1/signs/controller-1", `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai"]}`,
			nil, 422, "controller's own name"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/big",
			`{"variants":[{"lang":"vi","body":"` + strings.Repeat("a", 2<<20) + `"}]}`, nil, 413, "1 MiB"},
		{"", "PUT", "/api/v1/owners/viet-ads/messages/tet", tet, nil, 404, ""}, // the demo's guest: of the department
		{"", "PUT", "/api/v1/owners/public/messages/tet", tet, nil, 403, "viewer"},
		{"author", "GET", "/api/v1/owners/viet-ads/messages/tet", "", nil, 404, ""},
	} {
		status, text, _ := c.do(x.as, x.method, x.path, x.body, x.head...)
		if status != x.want || !strings.Contains(text, x.says) {
			t.Errorf("%d: %s %s as %q: %d %s; want %d with %q", i, x.method, x.path, x.as, status, text, x.want, x.says)
		}
	}
	// The playlist is put on a sign and shows within 2 s.
	_, spec, h := c.do("viet-ads", "GET", "/api/v1/signs/demo-128x64/spec", "")
	spec = strings.Replace(spec, `"areas"`, `"playlist":"own","areas"`, 1)
	other := d.publisher.Plan("demo-320x160").Program.Seq
	asked := time.Now()
	if status, text, _ := c.do("viet-ads", "PUT", "/api/v1/signs/demo-128x64", spec, "If-Match",
		h.Get("ETag")); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	eventually(t, "the playlist is on the sign", func() bool {
		p := d.publisher.Plan("demo-128x64")
		return len(p.Program.Items) == 2 && d.source.Heard("demo-128x64").ProgramSeq == p.Program.Seq
	})
	t.Logf("a changed playlist took %v to its sign", time.Since(asked))
	if d.publisher.Plan("demo-320x160").Program.Seq != other {
		t.Error("the other company's program was issued again")
	}
	// Everything that was written is in the log, by whom and what; what was
	// refused is not.
	entries, err := d.store.Audit().List(t.Context(), store.AllOwners, before, 100)
	if err != nil || len(entries) != 4 {
		t.Fatalf("%d entries in the log, %v; want 4", len(entries), err)
	}
	for _, e := range entries {
		if e.By.Who != "token:viet-ads" || !strings.HasPrefix(e.By.From, "127.0.0.1:") {
			t.Errorf("entry %d: by %q from %q", e.N, e.By.Who, e.By.From)
		}
	}
	if n, err := d.store.Audit().Verify(t.Context(), nil); n != before+4 || err != nil {
		t.Errorf("verify: %d, %v", n, err)
	}
}
