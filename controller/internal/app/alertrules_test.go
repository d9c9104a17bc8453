package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

// What is refused, and why.
func TestAlertRefusals(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	hour := time.Now().Add(time.Hour)
	c.want("author", "POST", "/api/v1/alerts", order("there", hour, nil), 201, nil)
	for i, x := range []struct {
		as   string
		body map[string]any
		want int
		says string
	}{
		{"approver", order("x1", hour, nil), 403, "approver"},
		{"", order("x1", hour, nil), 403, "viewer"},
		{"author", order("there", hour, nil), 409, "names are never used again"},
		{"author", order("x1", hour, map[string]any{"until": 0}), 422, "is missing"},
		{"author", order("x1", time.Now().Add(25*time.Hour), nil), 422, "over the limit of 86400"},
		{"author", order("x1", time.Now().Add(-time.Minute), nil), 422, "before it begins"},
		{"author", order("x1", hour, map[string]any{"areas": nil}), 422, "name the areas or the signs"},
		{"author", order("x1", hour, map[string]any{"areas": []string{"quang-ngai/nowhere"}}), 422, "is not a known area"},
		{"author", order("x1", hour, map[string]any{"areas": []string{"quang-ngai/ba-to"}}), 422, "reaches no sign"},
		{"author", order("x1", hour, map[string]any{"areas": nil, "signs": []string{"demo-9"}}), 422, "does not exist"},
		{"author", order("x1", hour, map[string]any{"mode": "test"}), 422, "test sign"},
		{"author", order("x1", hour, map[string]any{"mode": "loud"}), 422, "use live, test or drill"},
		{"author", order("x1", hour, map[string]any{"priority": 1001}), 422, "outside 0 to 1000"},
		{"author", order("x1", hour, map[string]any{"text": "☃"}), 422, "on "},
		{"author", order("x1", hour, map[string]any{"message": "5k"}), 422, "gives 2 of"},
		{"author", order("x1", hour, map[string]any{"text": "", "message": "nothing-here"}), 422,
			"is not a message of the department"},
		{"author", order("x1", hour,
			map[string]any{"text": "", "template": "flood", "values": map[string]string{"place": "Trà Khúc"}}), 422,
			"values.phone"},
		{"author", order("x1", hour, map[string]any{"replaces": "there"}), 422, "is not a running alert"},
		{"author", order("x1", hour, map[string]any{"takeover": map[string]int{"exclusive_s": 60}}), 422, "outside 1 to 100"},
		{"author", order("x1", hour, map[string]any{"bogus": 1}), 422, "bogus"},
		{"author", order("x1", hour, map[string]any{"until": "soon"}), 422, "RFC 3339"},
		{"author", order("rfc", hour, map[string]any{"until": hour.Format(time.RFC3339)}), 201,
			`"until":` + fmt.Sprint(hour.Unix())},
		{"author", order("filled", hour, map[string]any{"text": "", "template": "flood",
			"values": map[string]string{"place": "Trà Khúc", "phone": "114"}}), 201, `"template":"flood"`},
		{"author", order("draft", hour, map[string]any{"draft": true}), 201, `"state":"draft"`},
		{"author", order("draft", hour, nil), 201, `"state":"pending"`},
	} {
		text, err := json.Marshal(x.body)
		if err != nil {
			t.Fatal(err)
		}
		if status, answer, _ := c.do(x.as, "POST", "/api/v1/alerts", string(text)); status != x.want ||
			!strings.Contains(answer, x.says) {
			t.Errorf("%d: %d %s; want %d with %q", i, status, answer, x.want, x.says)
		}
	}
	// The templates that come with ledcast can be shown on every class here.
	var templates struct{ Items []playlists.AlertTemplate }
	c.want("author", "GET", "/api/v1/templates", nil, 200, &templates)
	for _, x := range templates.Items {
		values := map[string]string{}
		for _, n := range x.Placeholders() {
			values[n] = map[string]string{"phone": "0255 3822 123", "age": "7", "name": "Lê Thị Mận",
				"wearing": "áo đỏ, quần xanh", "place": "thị trấn Sơn Tịnh", "until": "18:00"}[n]
		}
		c.want("author", "POST", "/api/v1/alerts",
			order("t-"+x.ID, hour, map[string]any{"text": "", "template": x.ID, "values": values}), 201, nil)
	}
	if len(templates.Items) != 4 {
		t.Errorf("%d templates", len(templates.Items))
	}
	c.want("approver", "POST", "/api/v1/alerts/there/refuse", nil, 200, nil)
	c.want("approver", "POST", "/api/v1/alerts/there/approve", map[string]int{"signs": 4}, 409, nil)
	c.want("author", "POST", "/api/v1/alerts/there/cancel", nil, 409, nil)
	c.want("author", "GET", "/api/v1/alerts/nothing", nil, 404, nil)
	// Sixteen at a time are the wire's limit of a class.
	for i := range playlists.MaxClassAlerts {
		c.approved(order(fmt.Sprintf("many-%02d", i), hour, map[string]any{"text": fmt.Sprintf("Tin %d", i)}))
	}
	if text := c.want("author", "POST", "/api/v1/alerts", order("many-17", hour, nil), 413, nil); !strings.Contains(text,
		"17 alerts") {
		t.Errorf("the 17th: %s", text)
	}
}

// One person, a template that another approved, one area, a quarter of an hour.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	soon := time.Now().Add(10 * time.Minute)
	flood := func(id string, more map[string]any) string {
		o := order(id, soon, map[string]any{"text": "", "template": "flood",
			"values": map[string]string{"place": "Trà Khúc", "phone": "114"}, "areas": []string{"quang-ngai/son-tinh"}})
		for k, v := range more {
			o[k] = v
		}
		c.want("author", "POST", "/api/v1/alerts", o, 201, nil)
		return "/api/v1/alerts/" + id + "/break-glass"
	}
	c.want("author", "POST", flood("g1", nil), nil, 422, nil) // nobody approved the template
	c.want("author", "POST", "/api/v1/templates/flood/approve", nil, 403, nil)
	c.want("approver", "POST", "/api/v1/templates/flood/approve", nil, 422, nil) // what was read is not said
	var read playlists.AlertTemplate
	c.want("approver", "GET", "/api/v1/templates/flood", nil, 200, &read)
	c.want("approver", "POST", "/api/v1/templates/flood/approve", map[string]string{"digest": strings.Repeat("0", 64)},
		409, nil)
	c.want("approver", "POST", "/api/v1/templates/flood/approve", map[string]string{"digest": read.Digest}, 200, nil)
	c.want("approver", "POST", "/api/v1/alerts/g1/break-glass", nil, 403, nil)
	c.want("author", "POST", flood("g2", map[string]any{"areas": []string{"quang-ngai"}}), nil, 422, nil)
	c.want("author", "POST", flood("g3", map[string]any{"until": time.Now().Add(time.Hour).Unix()}), nil, 422, nil)
	c.want("author", "POST", flood("g4", map[string]any{"signs": []string{"demo-64x32"}}), nil, 422, nil)
	c.want("author", "POST", flood("g5", map[string]any{"text": "x", "template": "", "values": nil}), nil, 422, nil)
	stream := c.events("approver", "")
	var v playlists.AlertView
	c.want("author", "POST", flood("g6", nil), nil, 200, &v)
	if v.State != playlists.AlertRunning || !v.BreakGlass {
		t.Errorf("%+v", v)
	}
	stream.until(t, "event: break-glass")
	// Its words changed: the approval is gone.
	var tpl, changed playlists.AlertTemplate
	c.want("author", "GET", "/api/v1/templates/flood", nil, 200, &tpl)
	tpl.Theme = "caution"
	c.want("author", "PUT", "/api/v1/templates/flood", tpl, 200, &changed)
	if changed.ApprovedBy != "" || changed.By != "token:author" {
		t.Errorf("%+v", changed)
	}
	c.want("author", "POST", flood("g7", nil), nil, 422, nil)
}

// events is an open stream.
type events struct {
	res  *http.Response
	text string
}

func (c *caller) events(as, query string) *events {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), "GET", c.base+"/api/v1/events"+query, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.tokens[as])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = res.Body.Close() })
	return &events{res: res}
}

func (e *events) until(t *testing.T, what string) {
	t.Helper()
	buf := make([]byte, 64<<10)
	for !strings.Contains(e.text, what) {
		n, err := e.res.Body.Read(buf)
		if err != nil {
			t.Fatalf("the stream ended before %q: %v", what, err)
		}
		e.text += string(buf[:n])
	}
}

// A company neither sees nor touches an alert, and its stream says nothing.
func TestAlertsAreTheDepartments(t *testing.T) {
	slow(t)
	t.Parallel() // most of it waits
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	d.ready(t)
	company, dept := c.events("viet-ads", ""), c.events("author", "")
	c.approved(order("secret-1", time.Now().Add(time.Hour), nil))
	c.want("author", "POST", "/api/v1/alerts", order("secret-2", time.Now().Add(time.Hour),
		map[string]any{"from": time.Now().Add(time.Minute).Unix()}), 201, nil)
	c.approve("secret-2")
	c.shows("secret-1", 3, 1)
	dept.until(t, `event: alert`)
	data := dept.text[strings.Index(dept.text, "event: alert"):]
	data, _, _ = strings.Cut(data[strings.Index(data, "{"):], "\n")
	var told playlists.AlertView
	if err := json.Unmarshal([]byte(data), &told); err != nil || !strings.HasPrefix(told.ID, "secret-") ||
		told.State == "" {
		t.Errorf("the event says %s", data)
	}
	for _, x := range []struct{ method, path, body string }{
		{"GET", "alerts", ""}, {"POST", "alerts", `{"id":"mine"}`}, {"GET", "alerts/secret-1", ""},
		{"GET", "alerts/secret-1/preview", ""}, {"GET", "alerts/secret-1/report", ""},
		{"GET", "alerts/secret-1/frames/" + strings.Repeat("0", 64), ""}, {"POST", "alerts/secret-1/approve", `{"signs":4}`},
		{"POST", "alerts/secret-1/cancel", `{}`},
		{"POST", "alerts/secret-1/refuse", `{}`}, {"POST", "alerts/secret-1/break-glass", `{}`}, {"GET", "templates", ""},
		{"GET", "templates/flood", ""},
		{"PUT", "templates/flood", `{}`}, {"DELETE", "templates/flood", ""}, {"POST", "templates/flood/approve", `{}`},
		{"GET", "webhooks", ""},
		{"PUT", "webhooks/mine", `{}`}, {"DELETE", "webhooks/mine", ""}, {"GET", "drill", ""}, {"PUT", "drill", `{}`},
	} {
		if status, text, _ := c.do("viet-ads", x.method, "/api/v1/"+x.path, x.body); status != 404 {
			t.Errorf("%s %s as a company: %d %s", x.method, x.path, status, text)
		}
	}
	// A later alert is no answer to what its sign will show.
	q := "?time=" + strings.ReplaceAll(time.Now().Add(90*time.Second).Format(time.RFC3339), "+", "%2B")
	if text := c.want("viet-ads", "GET", "/api/v1/signs/demo-128x64/at"+q, nil, 200, nil); strings.Contains(text,
		"secret-2") {
		t.Errorf("a company sees what is approved for later: %s", text)
	}
	if text := c.want("author", "GET", "/api/v1/signs/demo-128x64/at"+q, nil, 200, nil); !strings.Contains(text,
		"secret-2") {
		t.Errorf("at of a later time says %s", text)
	}
	company.until(t, "event: alive")
	if strings.Contains(company.text, "event: alert") || strings.Contains(company.text, "secret-2") {
		t.Error("a company's stream tells of alerts")
	}
	if v := c.alert("secret-1"); v.State != playlists.AlertRunning {
		t.Errorf("a company ended it: %s", v.State)
	}
}
