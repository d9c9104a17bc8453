package app_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// want asks and holds the status; what it says goes into out.
func (c *caller) want(as, method, path string, body any, status int, out any) string {
	c.t.Helper()
	text := ""
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		text = string(data)
	}
	got, answer, _ := c.do(as, method, path, text)
	if got != status {
		c.t.Fatalf("%s %s as %s: %d %s; want %d", method, path, as, got, answer, status)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(answer), out); err != nil {
			c.t.Fatal(err)
		}
	}
	return answer
}

// order is an alert for the areas of Quảng Ngãi that lasts until then.
func order(id string, until time.Time, more map[string]any) map[string]any {
	o := map[string]any{"id": id, "text": "NƯỚC SÔNG LÊN NHANH", "areas": []string{"quang-ngai"}, "until": until.Unix()}
	for k, v := range more {
		o[k] = v
	}
	return o
}

// approved sends an alert as author and approves it as the preview says.
func (c *caller) approved(o map[string]any) (v playlists.AlertView) {
	c.t.Helper()
	c.want("author", "POST", "/api/v1/alerts", o, 201, nil)
	return c.approve(o["id"].(string))
}

func (c *caller) approve(id string) (v playlists.AlertView) {
	c.t.Helper()
	var p playlists.AlertPreview
	c.want("approver", "GET", "/api/v1/alerts/"+id+"/preview", nil, 200, &p)
	c.want("approver", "POST", "/api/v1/alerts/"+id+"/approve",
		playlists.AlertApproval{Signs: &p.Signs, Digest: p.Digest}, 200, &v)
	return v
}

func (c *caller) alert(id string) (v playlists.AlertView) {
	c.t.Helper()
	c.want("author", "GET", "/api/v1/alerts/"+id, nil, 200, &v)
	return v
}

// shows waits until the alert is as far as it can be on all signs.
func (c *caller) shows(id string, showing, sent int) (v playlists.AlertView) {
	c.t.Helper()
	defer func() {
		if c.t.Failed() {
			c.t.Logf("%s is at %+v", id, v)
		}
	}()
	eventually(c.t, id+" shows", func() bool {
		v = c.alert(id)
		return v.Showing == showing && v.Sent == sent
	})
	return v
}

func (d *installation) ready(t *testing.T) {
	t.Helper()
	eventually(t, "ready", func() bool { return d.source.Ready() == nil })
	eventually(t, "signs play", func() bool {
		for _, id := range []string{"demo-64x32", "demo-128x64", "demo-320x160"} {
			if h := d.source.Heard(id); h.Why != timeline.WhyProgram {
				return false
			}
		}
		return d.source.Heard("demo-picture").Frame != ""
	})
}

// ownSign is a program sign of a company of class 128x64-rgb, in an area, at which the department has looked. It has
// said nothing yet, and a sign may say 20 things in 10 s.
func (c *caller) ownSign(id, area string) (config string) {
	c.t.Helper()
	c.want("viet-ads", "PUT", "/api/v1/signs/"+id, map[string]any{"owner": "viet-ads",
		"class": "128x64-rgb", "areas": []string{area}, "phone": "0255 3822 123"}, 201, nil)
	c.want("admin", "POST", "/api/v1/signs/review", map[string]any{"signs": []string{id}}, 200, nil)
	config = filepath.Join(c.t.TempDir(), id+".json")
	writeFile(c.t, config, c.want("viet-ads", "POST", "/api/v1/signs/"+id+"/credentials", struct{}{}, 200, nil))
	return config
}

// playing is a sign of our own that plays by its program.
func (c *caller) playing(id string) *attached {
	c.t.Helper()
	a := attach(c.t, c.ownSign(id, "quang-ngai/son-tinh"), c.t.TempDir(), c.t.TempDir())
	eventually(c.t, id+" plays", func() bool { return a.last(c.t).Why == timeline.WhyProgram })
	return a
}

// Two people send an alert to four signs; one ends it.
func TestAlertOnTheDemo(t *testing.T) {
	slow(t)
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	d.ready(t)
	a := c.playing("va-001")
	defer a.stop(t)
	// A sign says at most 20 things in 10 s, and its start takes most of them.
	begun := time.Now()
	eventually(t, "the signs may speak", func() bool { return time.Since(begun) > 10*time.Second })

	c.want("author", "POST", "/api/v1/alerts", order("lu-1", time.Now().Add(time.Hour),
		map[string]any{"correction": "Tin trước là nhầm"}), 201, nil)
	var p playlists.AlertPreview
	c.want("approver", "GET", "/api/v1/alerts/lu-1/preview", nil, 200, &p)
	if p.Signs != 5 || p.Pictures != 1 || len(p.Classes) != 3 || len(p.ByCompany) != 2 || len(p.ByArea) != 2 ||
		len(p.Correction) != 3 {
		t.Fatalf("the preview has %+v", p)
	}
	for _, x := range append(p.Classes, p.Correction...) {
		for _, f := range x.Frames {
			status, data, h := c.do("approver", "GET", f.URL, "")
			if status != 200 || h.Get("Content-Type") != "image/png" || !strings.HasPrefix(data, "\x89PNG") || f.MS < 1000 {
				t.Errorf("%s: %d %s of %d bytes, %d ms", f.URL, status, h.Get("Content-Type"), len(data), f.MS)
			}
		}
	}
	c.want("author", "POST", "/api/v1/alerts/lu-1/approve", map[string]int{"signs": 5}, 403, nil)
	c.want("admin", "POST", "/api/v1/alerts/lu-1/approve", map[string]int{"signs": 5}, 403, nil)
	if text := c.want("approver", "POST", "/api/v1/alerts/lu-1/approve",
		map[string]any{"signs": 3, "digest": p.Digest}, 422, nil); strings.Contains(text, "5 ") ||
		strings.Contains(text, `"5"`) {
		t.Errorf("the refusal tells the number: %s", text)
	}
	if v := c.alert("lu-1"); v.State != playlists.AlertPending || v.Targeted != 5 {
		t.Errorf("refused twice: %s, %d", v.State, v.Targeted)
	}
	if n := len(a.changes(t)); n > 0 && a.last(t).Why == timeline.WhyAlert {
		t.Error("a pending alert shows")
	}
	v := c.approve("lu-1")
	if v.State != playlists.AlertRunning || v.Targeted != 5 || v.ApprovedBy != "token:approver" {
		t.Errorf("approved: %+v", v)
	}
	v = c.shows("lu-1", 4, 1)
	t.Logf("approval to showing on 4 signs: p50 %d ms, p99 %d ms", v.Times.P50MS, v.Times.P99MS)
	if v.Times.P99MS > 5000 || len(v.Missed) != 0 || v.Received+v.Rejected != 0 {
		t.Errorf("counts %+v, times %+v", v, v.Times)
	}
	// The picture sign's retained frame is the alert's.
	frames := map[string]bool{}
	for _, x := range p.Classes {
		for _, f := range x.Frames {
			frames[f.URL[strings.LastIndexByte(f.URL, '/')+1:]] = true
		}
	}
	ch, away := outside(t, readSign(t, d.data, "demo-picture"), "led/v1/signs/demo-picture/frame")
	if m := next(t, ch, "led/v1/signs/demo-picture/frame"); !frames[wire.Digest(m.payload)] {
		t.Error("the picture sign's frame is not the alert's")
	}
	away.Disconnect(0)
	for _, id := range []string{"demo-64x32", "demo-128x64", "demo-320x160", "va-001"} {
		var view struct{ Showing struct{ Title, Why string } }
		eventually(t, "the wall says so", func() bool {
			c.want("author", "GET", "/api/v1/signs/"+id, nil, 200, &view)
			return view.Showing.Why == timeline.WhyAlert && view.Showing.Title == "NƯỚC SÔNG LÊN NHANH"
		})
		var at struct{ Item, Why, Frame string }
		c.want("author", "GET", "/api/v1/signs/"+id+"/at", nil, 200, &at)
		if at.Item != "lu-1" || at.Why != timeline.WhyAlert || !frames[at.Frame] {
			t.Errorf("at of %s says %+v", id, at)
		}
		if status, _, _ := c.do("author", "GET", "/api/v1/signs/"+id+"/face.png", ""); status != 200 {
			t.Errorf("face of %s: %d", id, status)
		}
	}

	// Replaced in one step: the attached sign shows nothing else in between.
	c.approved(order("lu-2", time.Now().Add(time.Hour), map[string]any{"text": "ĐÊ VỠ, LÊN CHỖ CAO",
		"replaces": "lu-1", "correction": "Tin trước là nhầm"}))
	c.shows("lu-2", 4, 1)
	eventually(t, "the sign shows the new one", func() bool { return a.last(t).Item == "lu-2" })
	if old := c.alert("lu-1"); old.State != playlists.AlertEnded || old.Why != playlists.EndReplaced ||
		old.ReplacedBy != "lu-2" {
		t.Errorf("the replaced one is %s, %s", old.State, old.Why)
	}
	between := a.changes(t)
	first := slices.IndexFunc(between, func(x change) bool { return x.Item == "lu-1" })
	for _, x := range between[first:] {
		if x.Why != timeline.WhyAlert {
			t.Errorf("between the two it showed %s of %s", x.Why, x.Item)
		}
	}

	// Cancelled: all back within a second, where the loop is by then.
	asked := time.Now()
	c.want("author", "POST", "/api/v1/alerts/lu-2/cancel", nil, 200, nil)
	eventually(t, "the program is back", func() bool { return a.last(t).Why == timeline.WhyProgram })
	plan := d.publisher.Plan("va-001").Program
	back := a.changes(t)
	k := len(back) - 1
	for back[k-1].Why == timeline.WhyProgram {
		k--
	}
	t.Logf("the program was back after %d ms", back[k].AtMS-asked.UnixMilli())
	if want := at128(plan, back[k].AtMS); want.Frame.SHA256 != back[k].Frame || want.Item != back[k].Item {
		t.Errorf("back with %s of %s; the loop is at %s of %s", back[k].Frame, back[k].Item, want.Frame.SHA256, want.Item)
	}
	eventually(t, "all are back", func() bool {
		for _, id := range []string{"demo-64x32", "demo-128x64", "demo-320x160", "va-001"} {
			if d.source.Heard(id).Why != timeline.WhyProgram {
				return false
			}
		}
		return true
	})
	t.Logf("all were back after %v", time.Since(asked))
	var r playlists.AlertReport
	c.want("author", "GET", "/api/v1/alerts/lu-1/report", nil, 200, &r)
	if len(r.Signs) != 5 || len(r.GaveWay) == 0 || r.GaveWay[0].MS <= 0 || r.Signs[0].FromMS == 0 ||
		r.Signs[0].UntilMS < r.Signs[0].FromMS {
		t.Errorf("the report has %+v", r)
	}
	if n, err := d.store.Audit().Verify(t.Context(), nil); err != nil || n == 0 {
		t.Error(err)
	}
}

// Signs of another area never change: their program and their face stay.
func TestAlertElsewhere(t *testing.T) {
	slow(t)
	t.Parallel() // most of it waits
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	d.ready(t)
	a := attach(t, c.ownSign("va-001", "quang-ngai/duc-pho"), t.TempDir(), t.TempDir())
	defer a.stop(t)
	eventually(t, "the attached sign plays", func() bool { return a.last(t).Why == timeline.WhyProgram })
	v := c.approved(order("son-tinh", time.Now().Add(time.Hour), map[string]any{"areas": []string{"quang-ngai/son-tinh"}}))
	if v.Targeted != 1 {
		t.Errorf("%d signs stand in Sơn Tịnh", v.Targeted)
	}
	c.shows("son-tinh", 0, 1)
	topic := "led/v1/signs/demo-picture/frame"
	ch, _ := outside(t, readSign(t, d.data, "demo-picture"), topic)
	next(t, ch, topic)
	n := len(a.changes(t))
	eventually(t, "the rotation of the others goes on", func() bool { return len(a.changes(t)) > n+1 })
	plan := d.publisher.Plan("va-001").Program
	for _, x := range a.changes(t) {
		if x.Frame == "" || x.Why != timeline.WhyProgram {
			continue
		}
		if want := at128(plan, x.AtMS); want.Frame.SHA256 != x.Frame {
			t.Errorf("at %d it showed %s of %s", x.AtMS, x.Why, x.Item)
		}
	}
	if slices.ContainsFunc(a.changes(t), func(x change) bool { return x.Why == timeline.WhyAlert }) {
		t.Error("a sign of another area showed the alert")
	}
}

// A drill goes the whole way and changes no pixel.
func TestDrill(t *testing.T) {
	slow(t)
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	d.ready(t)
	a := c.playing("va-001")
	defer a.stop(t)
	c.approved(order("dien-tap", time.Now().Add(time.Hour), map[string]any{"mode": "drill"}))
	var v playlists.AlertView
	eventually(t, "every sign acks the drill", func() bool {
		v = c.alert("dien-tap")
		return v.Received == 4 && v.Sent == 1 && v.Showing == 0
	})
	if v.Times == nil || v.Times.P99MS > 5000 {
		t.Errorf("times %+v", v.Times)
	}
	c.want("author", "POST", "/api/v1/alerts/dien-tap/cancel", map[string]bool{}, 200, nil)
	eventually(t, "every sign acks its end", func() bool {
		for _, id := range []string{"demo-64x32", "demo-128x64", "demo-320x160", "va-001"} {
			if k := d.listener.State(id).Acks["alerts/dien-tap"]; k == nil || k.State != wire.AckEnded {
				return false
			}
		}
		return true
	})
	plan := d.publisher.Plan("va-001").Program
	for _, x := range a.changes(t) {
		if want := at128(plan, x.AtMS); x.Frame != "" && x.Why == timeline.WhyProgram && want.Frame.SHA256 != x.Frame ||
			x.Why == timeline.WhyAlert {
			t.Errorf("during the drill it showed %s of %s", x.Why, x.Item)
		}
	}
}

// A controller that is restarted in the middle goes on: the same set, the same
// counts, and an alert that ended meanwhile is over.
func TestAlertRestart(t *testing.T) {
	slow(t)
	t.Parallel() // most of it waits
	data := t.TempDir()
	d := startDemo(t, data)
	c := newCaller(t, d)
	d.ready(t)
	c.approved(order("long", time.Now().Add(time.Hour), nil))
	c.approved(order("short", time.Now().Add(4*time.Second), map[string]any{"priority": 200}))
	c.shows("short", 3, 1)
	eventually(t, "long is outranked, and known", func() bool { v := c.alert("long"); return v.Received+v.Showing == 3 })
	eventually(t, "short is over", func() bool { return c.alert("short").State == playlists.AlertEnded })
	c.shows("long", 3, 1)
	c.want("author", "POST", "/api/v1/alerts", order("waits", time.Now().Add(time.Hour), nil), 201, nil)
	// What showed then is known from the sets that were issued then.
	short := c.alert("short")
	eventually(t, "it is past", func() bool { return time.Now().Unix() > int64(short.Until)+3 })
	for at, item := range map[playlists.Moment]string{short.From + 2: "short", short.Until + 1: "long"} {
		var face struct{ Item, Why string }
		q := "?time=" + time.Unix(int64(at), 0).UTC().Format(time.RFC3339)
		if c.want("viet-ads", "GET", "/api/v1/signs/demo-128x64/at"+q, nil, 200, &face); face.Item != item {
			t.Errorf("at %d it showed %s of %s, not %s", at, face.Why, face.Item, item)
		}
	}
	var before []*timeline.AlertSet
	sets := func() (out []*timeline.AlertSet) {
		for _, class := range []string{"64x32-red", "128x64-rgb", "320x160-rgb"} {
			set, _ := d.publisher.AlertSet(class, false)
			if set == nil {
				return nil
			}
			out = append(out, set)
		}
		return out
	}
	eventually(t, "the sets have settled", func() bool {
		before = sets()
		return before != nil && d.source.Ready() == nil && len(before[0].Alerts) == 1
	})
	seqs := func(sets []*timeline.AlertSet) (s string) {
		for _, x := range sets {
			s += fmt.Sprint(x.Seq, " ")
		}
		return s
	}
	d.stop(t)
	d = startDemo(t, data)
	defer func() { d.stop(t) }()
	c = newCaller(t, d)
	d.ready2(t)
	if after := sets(); seqs(after) != seqs(before) {
		t.Errorf("sets %s after the restart; %s before", seqs(after), seqs(before))
	}
	if v := c.alert("long"); v.State != playlists.AlertRunning || v.Showing != 3 || v.Targeted != 4 {
		t.Errorf("after the restart %+v", v)
	}
	if v := c.alert("waits"); v.State != playlists.AlertPending {
		t.Errorf("what waited is %s", v.State)
	}
	if v := c.alert("short"); v.State != playlists.AlertEnded || v.Why != playlists.EndExpired || v.Showing != 3 {
		t.Errorf("what was over: %+v", v)
	}
	// One that runs out while the controller is down is over when it is back.
	c.approved(order("down", time.Now().Add(3*time.Second), map[string]any{"priority": 300}))
	c.shows("down", 3, 1)
	until := c.alert("down").Until
	d.stop(t)
	eventually(t, "its time passes", func() bool { return time.Now().Unix() >= int64(until) })
	d = startDemo(t, data)
	c = newCaller(t, d)
	d.ready2(t)
	eventually(t, "it is over", func() bool {
		v := c.alert("down")
		return v.State == playlists.AlertEnded && v.Why == playlists.EndExpired
	})
	for _, set := range sets() {
		if slices.ContainsFunc(set.Alerts, func(a timeline.Alert) bool { return a.ID == "down" }) {
			t.Error("it was sent again")
		}
	}
}

// ready2 is ready while an alert runs.
func (d *installation) ready2(t *testing.T) {
	t.Helper()
	eventually(t, "ready", func() bool { return d.source.Ready() == nil })
}

// A CAP document over the API: it waits for another person, and its Cancel ends
// it; a test never goes up, and a company knows of none of it.
func TestCAPOverHTTP(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	sent := d.now().In(time.FixedZone("", 7*3600)).Format("2006-01-02T15:04:05-07:00")
	doc := func(id, status, msgType, more string) string {
		return `<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>` +
			id + `</identifier><sender>kttv@quangngai.gov.vn</sender><sent>` + sent + `</sent><status>` + status +
			`</status><msgType>` + msgType + `</msgType><scope>Public</scope>` + more +
			`<info><language>vi-VN</language><category>Met</category><event>Lũ</event>` +
			`<urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>` +
			`<headline>LŨ LÊN NHANH</headline><instruction>Lên chỗ cao.</instruction>` +
			`<area><areaDesc>Thành phố Quảng Ngãi</areaDesc>` +
			`<geocode><valueName>GSO</valueName><value>522</value></geocode></area></info></alert>`
	}
	head := []string{"Content-Type", "application/cap+xml"}
	const path = "/api/v1/alerts/cap"
	c.all([]ask{
		{"viet-ads", "POST", path, doc("a", "Actual", "Alert", ""), head, 404, ""},
		{"viet-ads", "GET", "/api/v1/cap", "", nil, 404, ""},
		{"author", "POST", path, doc("t", "Test", "Alert", ""), head, 200, `"outcome":"ignored"`},
		{"author", "POST", path, doc("a", "Actual", "Alert", ""), []string{"Content-Type", "application/json"}, 422,
			"is not CAP"},
		{"author", "POST", path, "<alert/>", head, 422, "is not an alert of CAP 1.2"},
		{"author", "POST", path, strings.Repeat("<a>", 100_000), head, 413, "256 KiB"},
		{"author", "POST", path, doc("a", "Actual", "Alert", ""), head, 201, `"outcome":"pending"`},
		{"author", "PUT", "/api/v1/cap", `{"senders":["kttv@quangngai.gov.vn"],"feeds":[]}`, nil, 403, ""},
		{"admin", "PUT", "/api/v1/cap",
			`{"senders":["kttv@quangngai.gov.vn"],"feeds":[{"id":"kttv","url":"http://127.0.0.1/feed"}]}`, nil, 422, "https"},
		{"admin", "PUT", "/api/v1/cap", `{"senders":["kttv@quangngai.gov.vn"],"feeds":[]}`, nil, 200, "kttv"},
	})
	_, text, _ := c.do("author", "POST", path, doc("a", "Actual", "Alert", ""), head...)
	var r playlists.CAPResult
	if err := json.Unmarshal([]byte(text), &r); err != nil || len(r.Alerts) != 1 {
		t.Fatal(text)
	}
	at := "/api/v1/alerts/" + r.Alerts[0]
	var read playlists.AlertPreview
	c.want("approver", "GET", at+"/preview", nil, 200, &read)
	with := func(n int) string { return fmt.Sprintf(`{"signs":%d,"digest":%q}`, n, read.Digest) }
	c.all([]ask{
		{"author", "POST", at + "/approve", with(3), nil, 403, ""},
		{"approver", "POST", at + "/approve", with(2), nil, 422, "is not the number"},
		{"approver", "POST", at + "/approve", `{"signs":3}`, nil, 422, "preview-digest-missing"},
		{"approver", "POST", at + "/approve", with(3), nil, 200, `"state":"running"`},
	})
	eventually(t, "the signs of the city show it", func() bool {
		_, text, _ := c.do("author", "GET", at, "")
		return strings.Contains(text, `"showing":3`)
	})
	cancel := doc("c", "Actual", "Cancel", "<references>kttv@quangngai.gov.vn,a,"+sent+"</references>")
	c.all([]ask{
		{"author", "POST", path, cancel, head, 200, `"outcome":"cancelled"`},
		{"author", "GET", at, "", nil, 200, `"why":"cancelled"`},
	})
}
