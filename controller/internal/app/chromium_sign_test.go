package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ledcast/playlists/timeline"
	"ledcast/sign/box"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// wrong is a sign whose output is not what its program says, and which says so
// little about it as a sign with a loose cable: it reports a fault, and sends
// a picture of its own whenever it is asked for one.
func wrong(t *testing.T, conf box.Config, seq int64) (stop func()) {
	t.Helper()
	picture := onePicture(t)
	say := func(c link.Conn, leaf wire.Leaf, payload []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		// the test waits for what it should do
		_ = c.Publish(ctx, link.Message{Topic: wire.SignTopic(conf.Sign, leaf), Payload: payload, QoS: 1})
	}
	status := func(state, session string) []byte {
		text, err := json.Marshal(wire.Status{V: 1, State: state, Session: session, AtMS: time.Now().UnixMilli(),
			Software: "wrong", Class: conf.Class, Program: &wire.SeqOf{Seq: seq}, Clock: "trusted",
			Faults: []string{"tấm 3 không trả lời"}})
		if err != nil {
			t.Error(err)
		}
		return text
	}
	var to link.Conn
	l, err := link.New(link.Options{Broker: conf.Broker, ClientID: conf.Sign, Username: conf.Username,
		Password: conf.Password,
		Will: func(session string) *link.Message {
			return &link.Message{Topic: wire.SignTopic(conf.Sign, wire.LeafStatus), Payload: status(wire.Offline, session),
				QoS: 1, Retained: true}
		},
		Up: func(c link.Conn) {
			to = c
			go func() {
				_ = c.Subscribe(context.Background(), map[string]byte{wire.SignTopic(conf.Sign, wire.LeafRequest): 1})
				say(c, wire.LeafStatus, status(wire.Online, c.Session()))
				say(c, wire.LeafSnapshot, picture)
			}()
		},
		Message: func(link.Message) {
			c := to
			go say(c, wire.LeafSnapshot, picture)
		}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	return func() { cancel(); <-done }
}

// A sign's page tells what a real sign did: when it was there and when not,
// what was wrong with it, what it proved to have shown, and that its own
// picture is not what it should be. A company's pages and the department's.
func TestChromiumSign(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	c.all([]ask{{"viet-ads", "PUT", "/api/v1/signs/va-001",
		`{"owner":"viet-ads","name":"Ngã ba Thạch Trụ","class":"64x32-rgb",` +
			`"areas":["quang-ngai/mo-duc"],"playlist":"ban-ngay"}`, nil, 201, ""}})
	status, text, _ := c.do("viet-ads", "POST", "/api/v1/signs/va-001/credentials", "{}")
	if status != 200 {
		t.Fatal(status, text)
	}
	path := filepath.Join(t.TempDir(), "va-001.json")
	writeFile(t, path, text)
	conf, err := box.LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	v := chromium(t, c.base)
	v.expected = []string{"/pending"}
	shoot := func(name string) {
		for _, width := range []int64{390, 1440} {
			v.run(name, v.size(width))
			v.fits(name)
			v.shoot(fmt.Sprintf("sign-%s-%d", name, width))
		}
	}
	row := func(text, more string) chromedp.Action {
		return until(fmt.Sprintf(
			`[...document.querySelectorAll('#history tbody tr')]
				.some((r) => r.innerText.includes(%q) && r.innerText.includes(%q))`, text, more))
	}
	v.run("a laptop", v.size(1440))
	v.enter(c, "viet-ads")
	v.run("never heard", chromedp.Navigate(c.base+"/signs/va-001"), says("Chưa từng kết nối"),
		says("Không có số liệu trong khoảng này"), until(`document.querySelectorAll('#history .history li').length === 7`),
		says("chưa nghe lần nào"))
	dir := t.TempDir()
	sign := attach(t, path, dir, t.TempDir())
	v.run("it is there", row("Trực tuyến", "đến bây giờ"), says("Ảnh chụp khớp với chương trình"),
		until(`!document.querySelector('#pictures.differing')`))
	eventually(t, "it has shown something of the company's to its end", func() bool {
		all := sign.changes(t)
		return slices.ContainsFunc(all[:max(len(all)-1, 0)], func(c change) bool {
			return c.Why == timeline.WhyProgram && slices.Contains([]string{"giam-gia", "tet", "khai-truong"}, c.Item)
		})
	})
	sign.stop(t)
	v.run("it is gone", row("Mất kết nối", "đến bây giờ"), until(`document.querySelector('#history .was.offline')`),
		says("mất kết nối 1 lần"))
	sign = attach(t, path, dir, t.TempDir()) // brings the proof of what it showed
	eventually(t, "its proof is there", func() bool {
		n, _, err := d.store.Proofs().End(t.Context(), "va-001", chainOf(t, d, "va-001"))
		return err == nil && n > 0
	})
	v.run("it is back, and what it showed is proven", row("Trực tuyến", "đến bây giờ"),
		chromedp.Click(`#proof button:last-of-type`), until(`document.querySelectorAll('#proven tbody tr').length > 0`),
		says("chưa có xác nhận"))
	var shown string
	v.run("by name", chromedp.Text(`#proven tbody`, &shown), until(`document.querySelector('#proven tfoot')`),
		until(`[...document.querySelectorAll('#proven tbody td:first-child')]
			.some((x) => /GIẢM 30%|CHÚC MỪNG|Khai trương/i.test(x.innerText))`))
	t.Logf("proven: %q", shown)
	v.run("the day before", chromedp.Click(`#proof button:first-of-type`), says("Không có số liệu trong khoảng này"),
		chromedp.Click(`#proof button:last-of-type`), until(`document.querySelector('#proven')`))
	var csv string
	v.run("its table as CSV", chromedp.Evaluate(`document.querySelector('#proof a[download]').href`, &csv))
	if status, text, _ := c.do("viet-ads", "GET", csv[len(c.base):], ""); status != 200 || len(text) < 80 {
		t.Errorf("%s: %d %q", csv, status, text)
	}
	shoot("1-past")
	sign.stop(t)

	seq := d.publisher.Plan("va-001").Program.Seq
	stop := wrong(t, conf, seq)
	v.run("its picture is another's", says("Ảnh chụp KHÁC chương trình"),
		until(`document.querySelector('#pictures.differing #shot canvas') &&
			document.querySelector('#badges').innerText.includes('Hình khác chương trình')`),
		row("tấm 3 không trả lời", "đến bây giờ"),
		until(`document.getElementById('live').textContent.includes('KHÁC') || document.querySelector('#shot .problem')`))
	shoot("2-wrong")
	v.run("the report", chromedp.Click(button("Báo cáo đầy đủ"), chromedp.BySearch),
		until(`location.pathname === '/reports' && document.querySelector('input[name=sign]')?.value === 'va-001'`),
		until(`document.querySelectorAll('#report tbody tr').length > 0`))
	stop()
	v.quiet()

	dept := chromium(t, c.base)
	dept.expected = []string{"/pending"}
	dept.run("a laptop", dept.size(1440))
	dept.enter(c, "author")
	dept.run("the department sees no company's content", chromedp.Navigate(c.base+"/signs/va-001"),
		row("Mất kết nối", ""), until(`document.querySelector('#proven')`), says("nội dung riêng của công ty"),
		until(`!document.querySelector('main').innerText.includes('GIẢM 30%')`))
	dept.quiet()
}
