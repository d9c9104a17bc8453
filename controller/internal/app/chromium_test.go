package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browsers skips a test with a browser, which takes minutes, unless everything
// is tested.
func browsers(t *testing.T) {
	t.Helper()
	if os.Getenv("LEDCAST_FULL") == "" {
		t.Skip("set LEDCAST_FULL=1 to look at the pages in a browser")
	}
}

// visitor is somebody with a real Chromium.
type visitor struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu       sync.Mutex
	complain []string // console errors, exceptions, requests to other hosts
	expected []string // parts of complaints that are meant to come
}

// chromium starts one, with nobody signed in. Without it the test is skipped,
// but not where everything must hold.
func chromium(t *testing.T, base string) *visitor {
	t.Helper()
	browsers(t)
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed")
	}
	profile, err := os.MkdirTemp("", "ledcast-chromium-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // it may still be writing there
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("lang", "vi"), chromedp.Flag("accept-lang", "vi"), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true))
	alloc, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(cancel)
	v := &visitor{t: t, ctx: ctx, base: base}
	chromedp.ListenTarget(ctx, v.hear)
	v.run("start", network.Enable(), log.Enable())
	return v
}

func (v *visitor) hear(event any) {
	note := func(text string) {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, x := range v.expected {
			if strings.Contains(text, x) {
				return
			}
		}
		v.complain = append(v.complain, text)
	}
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			var b strings.Builder
			for _, a := range e.Args {
				b.WriteString(string(a.Value) + a.Description + " ")
			}
			note("console: " + b.String())
		}
	case *runtime.EventExceptionThrown:
		note("exception: " + e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError {
			note("log: " + e.Entry.Text + " " + e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Scheme != "blob" && u.Scheme != "data" && !strings.HasPrefix(e.Request.URL, v.base+"/") {
			note("a request to " + e.Request.URL)
		}
	}
}

// run does what a person would, within patience.
func (v *visitor) run(what string, actions ...chromedp.Action) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 90*time.Second) // a browser on a busy machine
	defer cancel()
	if what == "start" { // a deadline on the first Run would end the browser with it
		ctx = v.ctx
	}
	if err := chromedp.Run(ctx, actions...); err != nil {
		v.shoot("failed")
		var page string
		still, cancel := context.WithTimeout(v.ctx, patience)
		defer cancel()
		_ = chromedp.Run(still, chromedp.Evaluate(
			`location.href + '\n' + [...document.querySelectorAll('main, dialog')].map((e) => e.innerText).join('\n')`, &page))
		v.t.Fatalf("%s: %v; %v; the page says:\n%.3000s", what, err, v.complain, page)
	}
}

// shoot keeps a picture of the page where LEDCAST_SCREENS says.
func (v *visitor) shoot(name string) {
	dir := os.Getenv("LEDCAST_SCREENS")
	if dir == "" {
		return
	}
	var shot []byte
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.FullScreenshot(&shot, 100)); err != nil {
		v.t.Error(err)
		return
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o600); err != nil {
		v.t.Error(err)
	}
}

func (v *visitor) size(width int64) chromedp.Action {
	return emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600)
}

// quiet checks that nothing was complained of so far.
func (v *visitor) quiet() {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.complain {
		v.t.Error(c)
	}
	v.complain = nil
}

// fits checks that the page is not wider than the screen.
func (v *visitor) fits(name string) {
	v.t.Helper()
	var over int
	v.run(name, chromedp.Evaluate(`document.documentElement.scrollWidth - document.documentElement.clientWidth`, &over))
	if over > 0 {
		v.t.Errorf("%s is %d px wider than the screen", name, over)
	}
}

// until asks a JavaScript expression until it is true: also while the page
// goes to another, when there is nobody to answer.
func until(expression string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			var ok bool
			err := chromedp.Evaluate("Boolean("+expression+")", &ok).Do(ctx)
			if ok && err == nil {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("never %s: %w", expression, errors.Join(ctx.Err(), err))
			case <-tick.C:
			}
		}
	})
}

// button is a button or link by what stands on it.
func button(text string) string {
	return fmt.Sprintf(`//*[self::button or self::a][normalize-space(.)=%q]`, text)
}

// labelled is a control by its label.
func labelled(text string) string {
	return fmt.Sprintf(`//*[@id=//label[normalize-space(.)=%q]/@for]`, text)
}

// press clicks what says so, when it has come to rest: a page that still loads
// moves its buttons, and a click goes to a place.
func press(text string) chromedp.Action {
	rest := fmt.Sprintf(`(() => {
		const e = document.evaluate(%q, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue;
		if (!e) return false;
		const r = e.getBoundingClientRect();
		const now = [location.href, r.x, r.y + scrollY, r.width, r.height].join();
		const same = window.restedAt === now;
		window.restedAt = now;
		return same && r.width > 0;
	})()`, button(text))
	return chromedp.Tasks{until(rest), chromedp.Click(button(text), chromedp.BySearch)}
}

func write(label, text string) chromedp.Action {
	// As an input method does: keys have no Ă.
	return chromedp.Tasks{chromedp.WaitVisible(labelled(label), chromedp.BySearch),
		chromedp.Focus(labelled(label), chromedp.BySearch), input.InsertText(text)}
}

// choose sets a select as a person would, by what its option says.
func choose(label, option string) chromedp.Action {
	return chromedp.Tasks{chromedp.WaitReady(labelled(label), chromedp.BySearch), until(fmt.Sprintf(`(() => {
		const l = [...document.querySelectorAll('label')].find((x) => x.textContent.trim() === %q);
		const s = document.getElementById(l.htmlFor);
		const o = [...s.options].find((x) => x.textContent.includes(%q));
		if (!o) return false;
		s.value = o.value;
		s.dispatchEvent(new Event('input', { bubbles: true }));
		s.dispatchEvent(new Event('change', { bubbles: true }));
		return true;
	})()`, label, option))}
}

func says(text string) chromedp.Action {
	return until(fmt.Sprintf(
		`document.querySelector('main, dialog') &&
			[...document.querySelectorAll('main, dialog')].some((e) => e.innerText.includes(%q))`, text))
}

// A company's first day, in Vietnamese, on a desktop and on a telephone: from a
// link somebody handed over to its own picture on its own sign.
func TestChromiumFirstDay(t *testing.T) {
	t.Parallel()
	for _, width := range []int64{1440, 390} {
		t.Run(fmt.Sprint(width), func(t *testing.T) { firstDay(t, width) })
	}
}

func firstDay(t *testing.T, width int64) {
	data := t.TempDir()
	d := startDemo(t, data)
	defer d.stop(t)
	c := newCaller(t, d)
	if status, text, _ := c.do("viet-ads", "PUT", "/api/v1/users/lan",
		`{"owner":"viet-ads","role":"admin","name":"Lan"}`); status != 201 {
		t.Fatal(text)
	}
	_, text, _ := c.do("viet-ads", "POST", "/api/v1/users/lan/link", "{}")
	var link struct{ Path string }
	if err := json.Unmarshal([]byte(text), &link); err != nil {
		t.Fatal(err)
	}
	v := chromium(t, c.base)
	shoot := func(name string) {
		v.fits(name)
		v.shoot(fmt.Sprintf("first-day-%d-%s", width, name))
	}

	v.run("sign in by the link", v.size(width), chromedp.Navigate(c.base+link.Path), press("Vào"),
		chromedp.WaitVisible("#set input[name=password]"), chromedp.SendKeys("#set input[name=password]",
			"con đường phía trước"))
	shoot("1-password")
	v.run("set a password", press("Đặt mật khẩu"), until(`document.querySelectorAll('article.sign').length === 2`),
		says("Ngã tư Ba La"))
	shoot("2-wall")

	v.run("add a sign", press("Thêm màn hình"), write("Mã màn hình", "va-001"), write("Tên", "Cầu Trà Khúc"),
		chromedp.Click(`//label[normalize-space(.)="Thành phố Quảng Ngãi"]`, chromedp.BySearch),
		write("Điện thoại trực", "0255 3822 123"))
	shoot("3-add")
	v.run("save it", press("Thêm màn hình"), until(`location.pathname === '/signs/va-001'`), says("Chưa từng kết nối"))
	var code string
	v.run("get a code", chromedp.WaitVisible(button("Lấy mã một lần"), chromedp.BySearch), press("Lấy mã một lần"),
		chromedp.WaitVisible("#code"), chromedp.Text("#code", &code))
	shoot("4-code")
	body, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		t.Fatal(err)
	}
	status, conf, _ := c.do("", "POST", "/api/v1/enrol", string(body))
	if status != 200 {
		t.Fatal(status, conf)
	}
	path := filepath.Join(t.TempDir(), "va-001.json")
	writeFile(t, path, conf)
	sign := attach(t, path, t.TempDir(), t.TempDir())
	defer sign.stop(t)
	v.run("it is online", press("Đóng"), until(`document.querySelector('#badges').innerText.includes('Trực tuyến')`),
		says("Ảnh chụp khớp"),
		chromedp.ScrollIntoView("#face canvas"), until(lit)) // what is off the screen is not drawn
	shoot("5-sign")

	picture := filepath.Join(t.TempDir(), "Chúc mừng.png")
	writeFile(t, picture, string(redSquare(t)))
	v.run("upload a picture", chromedp.Navigate(c.base+"/playlists"), says("Chưa có danh sách phát nào"),
		press("Hình ảnh"), chromedp.WaitReady("#media-file"), chromedp.SetUploadFiles("#media-file", []string{picture}),
		says("chuc-mung"), until(`[...document.querySelectorAll('.thumb img')].every((i) => i.complete && i.naturalWidth)`))
	shoot("6-media")
	v.run("make a message with it", press("Soạn tin với hình này"), write("Chữ trên hình", "TẾT"),
		until(`document.querySelectorAll('.look canvas').length >= 1`), press("Lưu tin"),
		until(`document.querySelector('#right .ok')`))
	shoot("7-message")
	v.run("build a playlist", chromedp.Click(`[data-part=lists]`), press("Danh sách phát mới"),
		write("Tên danh sách phát", "Tết"), chromedp.Click(`dialog button.main`),
		choose("Tin", "TẾT"), press("Thêm vào danh sách"), until(`document.querySelectorAll('.items .item').length === 1`),
		choose("Tin", "TẾT"), press("Thêm vào danh sách"), until(`document.querySelectorAll('.items .item').length === 2`))
	v.run("undo, move by keyboard, save", press("Hoàn tác"),
		until(`document.querySelectorAll('.items .item').length === 1`), press("Làm lại"),
		until(`document.querySelectorAll('.items .item').length === 2`),
		chromedp.Focus(`.items .item:nth-child(2) .grip`), chromedp.KeyEvent(kb.ArrowUp),
		until(`document.activeElement === document.querySelector('.items .item:nth-child(1) .grip')`),
		// before that the page would ask whether to leave it
		press("Lưu danh sách phát"), until(`document.querySelector('#left .ok')`))
	shoot("8-playlist")

	v.run("schedule it", chromedp.Navigate(c.base+"/schedule?sign=va-001"), chromedp.WaitVisible(`#add`),
		chromedp.WaitReady(`.week .day`), press("Thêm lịch phát"), chromedp.WaitVisible("dialog"),
		choose("Danh sách phát", "Tết"), chromedp.SetValue(`dialog input[name=from]`, "00:00"),
		chromedp.SetValue(`dialog input[name=until]`, ""))
	shoot("9-form")
	v.run("save the schedule", press("Lưu lịch phát"), until(`!document.querySelector('dialog')`),
		until(`document.querySelectorAll('.week .block').length === 7`))
	shoot("10-schedule")

	v.run("see it on the face", chromedp.Navigate(c.base+"/signs/va-001"), says("TẾT"), says("lịch phát Tết"),
		says("Ảnh chụp khớp"),
		until(red(0.1)))
	shoot("11-face")
	eventually(t, "the sign itself shows it", func() bool { return strings.Contains(sign.last(t).Item, "tet") })
	v.quiet()
}

// pixels is an expression: of the first face on the page, what part of its
// device pixels satisfy a condition.
func pixels(condition string) string {
	return `(() => {
		const c = document.querySelector('#face canvas');
		const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
		let n = 0;
		for (let i = 0; i < p.length; i += 4) if (` + condition + `) n++;
		return n / p.length * 4;
	})()`
}

var lit = pixels("p[i] + p[i + 1] + p[i + 2] > 200") + " > 0.02"

func red(part float64) string {
	return pixels("p[i] > 120 && p[i + 2] < 90") + fmt.Sprintf(" > %f", part)
}

// redSquare is a picture that nobody mistakes for something else.
func redSquare(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 256, 128))
	for y := range 128 {
		for x := range 256 {
			m.Set(x, y, color.RGBA{230, 20, 30, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
