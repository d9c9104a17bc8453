package app_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

type ask struct {
	as, method, path, body string
	head                   []string
	want                   int
	says                   string
}

func (c *caller) all(asks []ask) {
	c.t.Helper()
	for i, x := range asks {
		status, text, _ := c.do(x.as, x.method, x.path, x.body, x.head...)
		if status != x.want || !strings.Contains(text, x.says) {
			c.t.Errorf("%d: %s %s as %q: %d %.300s; want %d with %q", i, x.method, x.path, x.as, status, text, x.want, x.says)
		}
	}
}

func TestAreas(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	newCaller(t, d).all([]ask{
		{"viet-ads", "GET", "/api/v1/areas/quang-ngai/son-tinh", "", nil, 200, "Huyện Sơn Tịnh"},
		{"viet-ads", "GET", "/api/v1/areas", "", nil, 200, `"quang-ngai/ly-son"`},
		{"viet-ads", "PUT", "/api/v1/areas/quang-ngai/new", `{"name":"Mới"}`, nil, 403, "role admin"},
		{"author", "PUT", "/api/v1/areas/quang-ngai/new", `{"name":"Mới"}`, nil, 403, "role author"},
		{"admin", "PUT", "/api/v1/areas/nowhere/new", `{"name":"Mới"}`, nil, 422, "does not exist"},
		{"admin", "PUT", "/api/v1/areas/quang-ngai/new", `{"name":" "}`, nil, 422, "is missing"},
		{"admin", "PUT", "/api/v1/areas/quang-ngai/new",
			`{"name":"Mới","outline":[[{"lat":15,"lon":108},{"lat":95,"lon":108},{"lat":15,"lon":109}]]}`, nil, 422,
			"not a place on Earth"},
		{"admin", "PUT", "/api/v1/areas/quang-ngai/new", `{"name":"Mới","geocodes":["527"]}`, nil, 422, "NAME=VALUE"},
		{"admin", "PUT", "/api/v1/areas/quang-ngai/new", `{"name":"Mới"}`, nil, 201, "quang-ngai/new"},
		{"viet-ads", "PUT", "/api/v1/signs/va-9", `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/atlantis"]}`,
			nil, 422, "is not a known area"},
		{"viet-ads", "PUT", "/api/v1/signs/va-9", `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/son-tinh"]}`,
			nil, 201, ""},
		{"admin", "DELETE", "/api/v1/areas/quang-ngai/son-tinh", "", nil, 422, "still used by sign"},
		{"admin", "DELETE", "/api/v1/areas/quang-ngai", "", nil, 422, "still used by area"},
		// A successor: signs that name the old one lie in both; urgent messages name
		// the areas of today.
		{"admin", "PUT", "/api/v1/areas/quang-ngai/son-tinh",
			`{"name":"Huyện Sơn Tịnh","replaced_by":"quang-ngai/atlantis"}`, nil, 422, "does not exist"},
		{"admin", "PUT", "/api/v1/areas/quang-ngai/son-tinh", `{"name":"Huyện Sơn Tịnh","replaced_by":"quang-ngai/new"}`,
			nil, 200, ""},
		{"viet-ads", "PUT", "/api/v1/signs/va-8", `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/son-tinh"]}`,
			nil, 201, ""},
		{"admin", "PUT", "/api/v1/areas/quang-ngai/new", `{"name":"Mới","replaced_by":"quang-ngai/son-tinh"}`, nil, 422,
			"use quang-ngai/new"},
		{"author", "POST", "/api/v1/alerts", alertFor("old-1", "quang-ngai/son-tinh"), nil, 422, "use quang-ngai/new"},
		{"author", "POST", "/api/v1/alerts", alertFor("new-1", "quang-ngai/new"), nil, 201, `"targeted":3`},
		{"admin", "DELETE", "/api/v1/areas/quang-ngai/new", "", nil, 422, "still used by"},
		{"viet-ads", "PUT", "/api/v1/signs/va-9",
			`{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/son-tinh"],"name":"Chợ"}`, nil, 200, ""},
		{"admin", "PUT", "/api/v1/campaigns/c1",
			`{"letter":{"number":"12/STTTT","date":"2021-01-28"},"messages":["5k"],"share_percent":10,` +
				`"areas":["quang-ngai/atlantis"],"first":"2021-02-01","last":"2021-02-28"}`, nil, 422, "is not a known area"},
	})
}

func alertFor(id, area string) string {
	return fmt.Sprintf(`{"id":%q,"text":"Lũ về","areas":[%q],"until":%d}`, id, area, time.Now().Add(time.Hour).Unix())
}

func TestMediaOverHTTP(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	picture := string(onePicture(t))
	const at = "/api/v1/owners/viet-ads/media/"
	asPNG := []string{"Content-Type", "image/png"}
	c.all([]ask{
		{"viet-ads", "PUT", at + "cho", picture, asPNG, 201, `"w":64`},
		{"viet-ads", "PUT", at + "cho", "PK\x03\x04 a zip called .png", asPNG, 422, ""},
		{"viet-ads", "PUT", at + "cho", "<html><script>alert(1)</script>", asPNG, 422, ""},
		{"viet-ads", "PUT", at + "cho", picture, []string{"Content-Type", "text/html"}, 422, "is not a picture"},
		{"viet-ads", "PUT", at + "..%2f..%2fetc", picture, asPNG, 422, "is not a name"},
		{"viet-ads", "PUT", at + "cho", picture, []string{"Content-Type", "image/png", "If-Match", `"7"`}, 412,
			"present version 1"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/hinh", `{"image":{"media":"nothing"}}`, nil, 422,
			"does not exist"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/hinh",
			`{"image":{"media":"cho"},"variants":[{"lang":"vi","caption":"Chợ Quảng Ngãi"}]}`, nil, 201, ""},
		{"viet-ads", "GET", at + "cho", "", nil, 200, `"used_by":["hinh"]`},
		{"viet-ads", "DELETE", at + "cho", "", nil, 422, "still used by message hinh"},
		{"song-tra-ads", "GET", at + "cho/file", "", nil, 404, ""},
		{"viet-ads", "GET", at + "cho/thumb.png?class=nothing", "", nil, 422, "is not a class"},
		{"viet-ads", "DELETE", "/api/v1/owners/viet-ads/messages/hinh", "", nil, 204, ""},
	})
	for _, class := range []string{"64x32-red", "128x64-rgb"} {
		status, text, h := c.do("viet-ads", "GET", at+"cho/thumb.png?class="+class, "")
		img, err := png.Decode(strings.NewReader(text))
		if status != 200 || err != nil || fmt.Sprintf("%dx%d", img.Bounds().Dx(), img.Bounds().Dy()) != strings.Split(class,
			"-")[0] {
			t.Errorf("thumb on %s: %d, %v", class, status, err)
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers %v", h)
		}
	}
	if status, text, _ := c.do("viet-ads", "GET", at+"cho/file", ""); status != 200 ||
		!strings.HasPrefix(text, "\x89PNG") {
		t.Errorf("file: %d", status)
	}
	if status, _, _ := c.do("viet-ads", "DELETE", at+"cho", ""); status != 204 {
		t.Errorf("delete: %d", status)
	}
	if ids, err := d.uploads.List("viet-ads"); err != nil || len(ids) != 0 {
		t.Errorf("files left: %v, %v", ids, err)
	}
}

// A body that never ends is not read to its end.
func TestHugeBodies(t *testing.T) {
	slow(t)
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	for path, mime := range map[string]string{"media/big": "image/png", "messages/big": "application/json"} {
		body := &endless{}
		req, err := http.NewRequestWithContext(t.Context(), "PUT", c.base+"/api/v1/owners/viet-ads/"+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+c.tokens["viet-ads"])
		req.Header.Set("Content-Type", mime)
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close() // only its status is asked
			if res.StatusCode != 413 {
				t.Errorf("%s: %d", path, res.StatusCode)
			}
		}
		if read := body.read.Load(); read > 64<<20 {
			t.Errorf("%s: %d bytes were taken", path, read)
		}
	}
}

// endless is a body of zeros. The client may read it still when the answer is there.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.read.Add(int64(len(p)))
	return len(p), nil
}

// What cannot be read from where people look at a sign is refused, unless
// somebody lets it through by name, which the log keeps.
func TestReadableOrOverridden(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	long := `{"variants":[{"lang":"vi","headline":"Thông báo",` +
		`"body":"Đề nghị mọi người dân trên địa bàn tỉnh thực hiện nghiêm các biện pháp phòng chống dịch"}]}`
	c.all([]ask{
		{"viet-ads", "PUT", "/api/v1/signs/va-far",
			`{"owner":"viet-ads","class":"128x64-rgb","areas":["quang-ngai/son-tinh"],"pitch_mm":10,"distance_m":300}`, nil,
			201, ""},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/far", long, nil, 422, `"code":"unreadable"`},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/far?override=distance", long, nil, 422, "does not say why"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/far?override=everything&reason=because", long, nil, 422,
			"cannot be overridden"},
		{"viet-ads", "GET", "/api/v1/owners/viet-ads/messages/far", "", nil, 404, ""},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/far?override=distance&reason=pedestrians+only", long, nil, 201,
			""},
		{"viet-ads", "GET", "/api/v1/audit?limit=500", "", nil, 200,
			`"kind":"override","owner":"viet-ads","id":"message.far"`},
		{"viet-ads", "GET", "/api/v1/audit?limit=500", "", nil, 200, `pedestrians only`},
	})
}

func TestOutOfService(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	_, spec, h := c.do("viet-ads", "GET", "/api/v1/signs/demo-128x64/spec", "")
	spec = strings.TrimSuffix(strings.TrimSpace(spec), "}") + `,"out_of_service":"Thay mô-đun LED"}`
	if status, text, _ := c.do("viet-ads", "PUT", "/api/v1/signs/demo-128x64", spec, "If-Match",
		h.Get("ETag")); status != 200 {
		t.Fatal(status, text)
	}
	_, text, _ := c.do("author", "GET", "/api/v1/signs/demo-128x64", "")
	if !strings.Contains(text, `"out_of_service":"Thay mô-đun LED"`) {
		t.Errorf("the department sees %s", text)
	}
	if !bytes.Contains([]byte(text), []byte(`"time_zone":"Asia/Ho_Chi_Minh"`)) {
		t.Errorf("no time zone in %s", text)
	}
}

// The metrics are open, so they name nobody.
func TestMetrics(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	eventually(t, "ready", func() bool { return d.source.Ready() == nil })
	status, text, _ := c.do("", "GET", "/metrics", "")
	for _, want := range []string{"ledcast_ready 1", "ledcast_programs 4", `ledcast_http_requests_total{method="GET"`,
		"ledcast_signs_online"} {
		if _, _, _ = c.do("", "GET", "/healthz", ""); !strings.Contains(text, want) {
			_, text, _ = c.do("", "GET", "/metrics", "") // the first request is counted after it
		}
		if !strings.Contains(text, want) {
			t.Errorf("%d without %s", status, want)
		}
	}
	for _, no := range []string{"viet-ads", "song-tra", "demo-64x32"} {
		if strings.Contains(text, no) {
			t.Errorf("it names %s", no)
		}
	}
}
