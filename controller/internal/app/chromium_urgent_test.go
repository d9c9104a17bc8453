package app_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// enter signs somebody in by a link that a person hands over.
func (v *visitor) enter(c *caller, user string) {
	v.t.Helper()
	v.run(user+" signs in", chromedp.Navigate(c.base+linkOf(v.t, c, "admin", user)), press("Vào"),
		chromedp.WaitVisible("#set input[name=password]"),
		chromedp.SendKeys("#set input[name=password]", "mot mat khau that dai"), press("Đặt mật khẩu"),
		until(`document.querySelector('article.sign')`))
}

// late holds back the answer to a path until what an expression says is so, and
// sets window.answered when the page has had time to use it.
func late(path, expression string) string {
	return fmt.Sprintf(`(() => {
		const real = window.fetch;
		window.fetch = async (...about) => {
			const answer = await real(...about);
			if (!String(about[0]).endsWith(%q)) return answer;
			while (!(%s)) await new Promise(requestAnimationFrame);
			setTimeout(() => { window.answered = true; }, 300);
			return answer;
		};
	})()`, path, expression)
}

// The department's urgent message with two browsers for two people, in
// Vietnamese, on a laptop and a telephone: written, approved by the number read
// off the preview, counted live, cancelled, reported.
func TestChromiumUrgent(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	author, approver := chromium(t, c.base), chromium(t, c.base)
	approver.expected = []string{"422"} // a wrong number is refused
	shoot := func(v *visitor, name string) {
		v.fits(name)
		v.shoot("urgent-" + name)
	}
	author.run("a laptop", author.size(1440))
	approver.run("a telephone", approver.size(390))
	author.enter(c, "author")
	approver.enter(c, "approver")
	author.run("write it", chromedp.Navigate(c.base+"/urgent"), says("Không có tin khẩn nào đang phát"),
		press("Soạn tin khẩn"), write("Lời", "NƯỚC LÊN NHANH – LÊN CHỖ CAO"),
		write("Lời đính chính (khi hủy)", "Tin trước là nhầm"),
		chromedp.Click(`//label[normalize-space(.)="Thành phố Quảng Ngãi"]`, chromedp.BySearch), says("Đến 3 màn hình."),
		until(`document.querySelectorAll('.looks canvas').length >= 3`))
	shoot(author, "1-form")
	var address string
	author.run("send it", press("Gửi người thứ hai duyệt"), until(`location.search.startsWith('?id=')`),
		says("Người soạn không tự duyệt được"), until(`document.getElementById('reach')`), chromedp.Location(&address))
	shoot(author, "2-waits")
	approver.run("read it", chromedp.Navigate(address), says("NƯỚC LÊN NHANH"),
		until(`document.getElementById('reach')?.textContent === '3'`),
		until(`document.querySelectorAll('.looks canvas').length >= 6`))
	shoot(approver, "3-preview")
	approver.run("a wrong number", write("Số màn hình", "4"), press("Duyệt và phát TIN THẬT"),
		until(`document.querySelector('.approve .problem:not([hidden])')`))
	shoot(approver, "4-wrong")
	// The answer comes after the signs have spoken, as on a slow network: it takes
	// nothing back.
	approver.run("the right one",
		chromedp.Evaluate(late("/approve", `document.getElementById('showing')?.textContent === '3'`), nil),
		chromedp.SetValue(`input[name=signs]`, "3"), press("Duyệt và phát TIN THẬT"),
		until(`window.answered && document.getElementById('showing')?.textContent === '3'`))
	shoot(approver, "5-running")
	author.run("the author sees it rise", until(`document.getElementById('showing')?.textContent === '3'`),
		says("HỦY TIN NÀY"))
	shoot(author, "6-running")
	author.run("cancel", chromedp.Click("#cancel"), says("Đã hủy"), says("Báo cáo"),
		until(`document.querySelectorAll('tbody tr').length === 3`))
	shoot(author, "7-over")
	approver.run("the other one sees it", says("Đã hủy"))
	author.run("a report", chromedp.Navigate(c.base+"/reports"), says("Độ phủ"))
	shoot(author, "8-report")
	author.quiet()
	approver.quiet()
}

// tab presses Tab until the focus is where an expression of e says.
func tab(to string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for range 120 {
			var there bool
			if err := chromedp.Evaluate("((e) => Boolean("+to+"))(document.activeElement)", &there).Do(ctx); err != nil {
				return err
			}
			if there {
				return nil
			}
			if err := chromedp.KeyEvent(kb.Tab).Do(ctx); err != nil {
				return err
			}
		}
		return errors.New("Tab never came to " + to)
	})
}

// byKey presses a button or link by the keyboard.
func byKey(text string) chromedp.Action {
	return chromedp.Tasks{tab(fmt.Sprintf("(e.tagName === 'BUTTON' || e.tagName === 'A') && e.textContent.trim() === %q",
		text)), chromedp.KeyEvent(kb.Enter)}
}

// typed types into the control of a name, reached by Tab.
func typed(name, text string) chromedp.Action {
	return chromedp.Tasks{tab(fmt.Sprintf("e.name === %q", name)), chromedp.KeyEvent(text)}
}

// An urgent message without a mouse, from signing in to cancelling.
func TestChromiumKeyboard(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	author, approver := chromium(t, c.base), chromium(t, c.base)
	for who, v := range map[string]*visitor{"author": author, "approver": approver} {
		v.run(who+" signs in", v.size(1440), chromedp.Navigate(c.base+linkOf(t, c, "admin", who)),
			until(`document.activeElement.tagName === 'BUTTON'`), byKey("Vào"),
			until(`document.activeElement.name === 'password'`), chromedp.KeyEvent("mot mat khau that dai"),
			chromedp.KeyEvent(kb.Enter), until(`document.querySelector('article.sign')`))
	}
	author.run("to the page", byKey("Tin khẩn"), until(`location.pathname === '/urgent'`),
		says("Không có tin khẩn nào đang phát"), byKey("Soạn tin khẩn"), until(`document.querySelector('.urgent-form')`))
	author.run("write it", typed("text", "LU LEN NHANH"), tab(`e.value === 'quang-ngai/thanh-pho-quang-ngai'`),
		chromedp.KeyEvent(" "), says("Đến 3 màn hình."), byKey("Gửi người thứ hai duyệt"),
		until(`location.search.startsWith('?id=')`))
	approver.run("find it", byKey("Tin khẩn"), until(`location.pathname === '/urgent'`), says("LU LEN NHANH"),
		tab(`e.tagName === 'A' && e.textContent.includes('LU LEN NHANH')`), chromedp.KeyEvent(kb.Enter),
		until(`document.getElementById('reach')?.textContent === '3'`))
	approver.run("approve it", typed("signs", "3"), chromedp.KeyEvent(kb.Enter),
		until(`document.getElementById('showing')?.textContent === '3'`))
	approver.run("cancel it", byKey("HỦY TIN NÀY"), says("Đã hủy"))
	author.quiet()
	approver.quiet()
}

// axeVersion is of axe-core (MPL-2.0), which only this test uses.
const axeVersion = "4.14.1"

// axe is axe-core's script, from npm, kept in the user's cache.
func axe(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	kept := filepath.Join(cache, "ledcast-axe-"+axeVersion+".js")
	if text, err := os.ReadFile(kept); err == nil {
		return string(text)
	}
	dir := t.TempDir()
	cmd := exec.Command("npm", "pack", "axe-core@"+axeVersion, "--silent", "--pack-destination", dir)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("axe-core: %v %s", err, out)
		}
		t.Skip("axe-core cannot be fetched from npm")
	}
	f, err := os.Open(filepath.Join(dir, "axe-core-"+axeVersion+".tgz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatal("axe-core has no axe.min.js")
		}
		if h.Name == "package/axe.min.js" {
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = os.WriteFile(kept, text, 0o600) // fetched again next time, else
			return string(text)
		}
	}
}

// barriers runs axe-core on the page as it is, and returns what is serious.
func (v *visitor) barriers(script string) []string {
	v.t.Helper()
	var text string
	v.run("axe", chromedp.Evaluate(script+"; 0", nil),
		chromedp.Evaluate(`axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(
			r.violations.map((x) => ({ id: x.id, impact: x.impact, help: x.help,
				where: x.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message || '')) }))))`, &text,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	var found []struct {
		ID, Impact, Help string
		Where            []string
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		v.t.Fatal(err, text)
	}
	var out []string
	for _, x := range found {
		if x.Impact == "serious" || x.Impact == "critical" {
			out = append(out, fmt.Sprintf("%s (%s): %s %s", x.ID, x.Impact, x.Help, strings.Join(x.Where, "; ")))
		}
	}
	return out
}

// accessiblePages are what TestChromiumAccessible looks at, by who does.
var accessiblePages = map[string][]string{
	"viet-ads": {"/", "/?view=map", "/signs/demo-128x64", "/add-sign", "/playlists", "/schedule", "/campaigns",
		"/reports", "/reports?kind=uptime", "/people", "/tokens", "/audit", "/account"},
	"approver": {"/areas", "/urgent", "/urgent?id=lu-1", "/campaigns", "/reports?kind=share", "/settings"},
	"admin":    {"/settings", "/areas?code=quang-ngai/son-tinh", "/signs/va-002"},
	"author":   {"/urgent?id=lu-1"},
}

// Nothing serious keeps anybody from using a page, light or dark.
func TestChromiumAccessible(t *testing.T) {
	browsers(t)
	script := axe(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	body := fmt.Sprintf(`{"id":"lu-1","text":"Lũ lên nhanh","areas":["quang-ngai"],`+
		`"until":%d,"correction":"Tin trước là nhầm"}`, d.now().Unix()+3600)
	if status, text, _ := c.do("author", "POST", "/api/v1/alerts", body); status != 201 {
		t.Fatal(text)
	}
	for who, pages := range accessiblePages {
		v := chromium(t, c.base)
		v.run("a laptop", v.size(1440), chromedp.Navigate(c.base+"/signin"), until(`document.querySelector('#signin')`))
		for _, b := range v.barriers(script) {
			t.Errorf("/signin: %s", b)
		}
		v.enter(c, who)
		for _, p := range pages {
			for _, scheme := range []string{"light", "dark"} {
				v.run(p, media(scheme), chromedp.Navigate(c.base+p),
					until(`document.readyState === 'complete' &&
						document.querySelector('main').innerText.length > 25 && !document.querySelector('[aria-busy=true]')`))
				for _, b := range v.barriers(script) {
					t.Errorf("%s as %s, %s: %s", p, who, scheme, b)
				}
			}
		}
		v.quiet()
	}
}
