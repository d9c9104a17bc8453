package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ledcast/controller/internal/web"
)

// besides is an expression: what a form says beside the field of a path.
func besides(path, text string) chromedp.Action {
	return until(fmt.Sprintf(
		`[...document.querySelectorAll('[data-path=%q] .problem:not([hidden])')]
			.some((p) => p.checkVisibility() && p.textContent.includes(%q))`, path, text))
}

// What a form cannot send, or the API does not take, stands beside its field,
// where one sees it; nothing that is left empty means everything; and what was
// typed is not lost without being asked.
func TestChromiumForms(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	v := chromium(t, c.base)
	v.expected = []string{"401", "404", "412", "422"}
	read := func(path string) string {
		_, text, _ := c.do("admin", "GET", path, "")
		if strings.Contains(path, "/owners/") {
			_, text, _ = c.do("viet-ads", "GET", path, "")
		}
		return text
	}
	v.run("a laptop", v.size(1440))
	v.enter(c, "viet-ads")

	const weight = `document.querySelector('.items .item:nth-child(2) [data-path="items[1].weight"] input')`
	v.run("a weight beyond the limit, in what is folded away", chromedp.Navigate(c.base+"/playlists"), until(weight),
		chromedp.Evaluate(weight+`.value = '5000'; `+weight+`.dispatchEvent(new Event('input', { bubbles: true }))`, nil),
		press("Lưu danh sách phát"), besides("items[1].weight", "1000"), until(weight+` === document.activeElement`))
	v.shoot("forms-weight")
	const elsewhere = `(() => {
		const s = document.getElementById('owner');
		s.value = 'public';
		s.dispatchEvent(new Event('change'));
	})()`
	v.run("another owner's content, with changes that are not saved", chromedp.Evaluate(elsewhere, nil),
		says("Những thay đổi chưa lưu sẽ mất"), chromedp.Click("dialog button.quiet"),
		until(`document.getElementById('owner').value === 'viet-ads' && `+weight+`.value === '5000'`),
		chromedp.Evaluate(elsewhere, nil), chromedp.Click("dialog button.danger"),
		until(`document.getElementById('owner').value === 'public' && !document.querySelector('.items')`))

	v.run("a schedule on no day", chromedp.Navigate(c.base+"/schedule?sign=demo-128x64"),
		until(`document.querySelectorAll('.week .block').length > 7`), press("Thêm lịch phát"),
		chromedp.WaitVisible("dialog"),
		chromedp.Evaluate(`document.querySelectorAll('dialog .hours input[type=checkbox]')
			.forEach((b) => { b.checked = false; })`, nil), press("Lưu lịch phát"), besides("days", "ít nhất một ngày"))
	v.run("on no sign", chromedp.Evaluate(
		`document.querySelector('dialog .hours input[type=checkbox]').checked = true;
		document.querySelectorAll('dialog input[name=which]')[1].click();
		document.querySelectorAll('dialog [data-path=signs] input').forEach((b) => { b.checked = false; })`, nil),
		press("Lưu lịch phát"), besides("signs", "ít nhất một màn hình"))
	v.shoot("forms-nothing")
	v.run("leave it", press("Hủy"), until(`!document.querySelector('dialog')`))
	if text := read("/api/v1/owners/viet-ads/schedules"); strings.Count(text, `"playlist"`) != 2 {
		t.Errorf("there is another schedule: %s", text)
	}
	for _, width := range []int64{1440, 390} { // text of a short stretch is not cut in half
		v.run("an hour", v.size(width),
			until(`[...document.querySelectorAll('.week .block.short')].every((b) => b.scrollHeight <= b.clientHeight + 2)`))
	}
	v.run("a laptop", v.size(1440))

	v.run("a sign whose id is taken", chromedp.Navigate(c.base+"/add-sign"), write("Mã màn hình", "demo-128x64"),
		chromedp.Click(`//label[normalize-space(.)="Thành phố Quảng Ngãi"]`, chromedp.BySearch), press("Thêm màn hình"),
		besides("id", "“demo-128x64” đã có"))
	v.run("another company's", chromedp.Navigate(c.base+"/add-sign"), write("Mã màn hình", "demo-320x160"),
		chromedp.Click(`//label[normalize-space(.)="Thành phố Quảng Ngãi"]`, chromedp.BySearch), press("Thêm màn hình"),
		besides("id", "“demo-320x160” đã có"))
	v.run("off hours on no day", chromedp.Navigate(c.base+"/signs/va-002"), says("Thông tin màn hình"),
		until(`document.querySelector('#spec .hours')`),
		chromedp.Evaluate(`document.querySelectorAll('#spec .hours input[type=checkbox]')
			.forEach((b) => { b.checked = false; })`, nil),
		press("Lưu"), besides("rules.off[0].days", "ít nhất một ngày"))
	v.run("a person whose name is taken", chromedp.Navigate(c.base+"/people"), press("Thêm người"),
		write("Tên đăng nhập", "lan"), chromedp.Click("dialog button.main"), besides("id", "“lan” đã có"), press("Hủy"))

	v.run("an agreement for one sign, on weekdays", chromedp.Navigate(c.base+"/campaigns"), says("Thỏa thuận"),
		press("Thêm thỏa thuận"), chromedp.WaitVisible("dialog"), write("Tỷ lệ lớn nhất (%)", "5"),
		chromedp.Evaluate(`document.querySelectorAll('dialog input[name=which]')[1].click();
			document.querySelector('dialog input[name=day-sun]').click()`, nil),
		chromedp.Click(`//dialog//label[normalize-space(.)="Chợ Quảng Ngãi"]`, chromedp.BySearch))
	v.shoot("forms-agreement")
	v.run("save it", chromedp.Click("dialog form > .buttons button.main"), until(`!document.querySelector('dialog')`),
		says("Chợ Quảng Ngãi"))
	if text := read("/api/v1/owners/viet-ads/agreements/thoa-thuan"); !strings.Contains(text, `"signs":["demo-64x32"]`) ||
		strings.Contains(text, `"sun"`) || !strings.Contains(text, `"sat"`) {
		t.Error(text)
	}
	v.run("two at once", chromedp.Evaluate(
		`[...document.querySelectorAll('tr')].find((r) => r.innerText.includes('Chợ Quảng Ngãi'))
			.querySelector('button').click()`, nil), chromedp.WaitVisible("dialog"))
	if status, text, _ := c.do("viet-ads", "PUT", "/api/v1/owners/viet-ads/agreements/thoa-thuan",
		`{"share_percent":31}`); status != 200 {
		t.Fatal(text)
	}
	v.run("both are shown", chromedp.Click("dialog form > .buttons button.main"), says("Có người vừa sửa mục này"),
		press("Dùng bản của người kia"), until(`!document.querySelector('dialog')`), says("31 %"))

	v.run("which slot, on the ribbon", chromedp.Navigate(c.base+"/signs/demo-128x64"),
		until(`document.querySelector('#day .ribbon .span')`),
		chromedp.Evaluate(`(() => {
			const r = document.querySelector('#day .ribbon').getBoundingClientRect();
			document.querySelector('#day .ribbon').dispatchEvent(new MouseEvent('click',
				{ bubbles: true, clientX: r.left + r.width - 2, clientY: r.top + 5 }));
		})()`, nil),
		until(`document.querySelector('#at [role=status] canvas')`), says("Lúc 23:5"))
	v.run("and in a row", chromedp.Evaluate(`[...document.querySelectorAll('#day tbody button')].at(-1).click()`, nil),
		until(`!document.querySelector('#at [role=status]').innerText.includes('23:59')`),
		until(`document.querySelector('#at [role=status] canvas')`))
	// A broker that others run learns of it when somebody loads its rules anew.
	v.run("revoked, not yet at the broker",
		chromedp.Evaluate(`(() => {
			const real = window.fetch;
			window.fetch = (p, o) => (o && o.method === 'DELETE' ?
				Promise.resolve(new Response(null, { status: 202 })) : real(p, o));
		})()`, nil),
		press("Thu hồi quyền kết nối"), chromedp.Click("dialog button.danger"),
		until(`document.getElementById('said').textContent.includes('đến khi được nạp lại quy tắc')`))
	v.run("saved by keyboard, the focus stays", chromedp.Navigate(c.base+"/playlists"),
		until(`document.querySelector('.items .item')`), tab(`e.classList.contains('grip')`),
		chromedp.KeyEvent(kb.ArrowDown), byKey("Lưu danh sách phát"),
		until(`document.querySelector('#left .ok') && document.activeElement.textContent === 'Lưu danh sách phát'`),
		until(`document.getElementById('live').textContent === 'Đã lưu.'`))

	other := chromium(t, c.base)
	other.expected = []string{"403"} // the demo's guests look at the wall alone
	other.run("the same person elsewhere", other.size(1440), chromedp.Navigate(c.base+"/signin"),
		chromedp.WaitVisible("#signin"), chromedp.SendKeys("#signin input[name=user]", "viet-ads"),
		chromedp.SendKeys("#signin input[name=password]", "mot mat khau that dai"+kb.Enter),
		until(`document.querySelector('article.sign')`))
	v.run("signs out everywhere", chromedp.Navigate(c.base+"/account"), press("Đăng xuất mọi nơi"),
		chromedp.Click("dialog button.danger"), until(`location.pathname === '/signin'`))
	other.run("is out, too", chromedp.Navigate(c.base+"/people"),
		until(`document.querySelector('#who a').getAttribute('href').startsWith('/signin')`),
		until(`!document.querySelector('main table')`))
	other.quiet()
	v.quiet()

	// The department reads that companies changed their content, not what.
	if status, text, _ := c.do("admin", "PUT", "/api/v1/areas/quang-ngai/son-tinh",
		`{"name":"Huyện Sơn Tịnh","replaced_by":"quang-ngai/tra-bong"}`); status != 200 {
		t.Fatal(text)
	}
	if status, text, _ := c.do("admin", "PUT", "/api/v1/campaigns/bluezone-2",
		`{"name":"Cũ","letter":{"number":"7/STTTT","date":"2021-01-30"},"messages":["bluezone-install"],`+
			`"share_percent":1,"areas":["quang-ngai/son-tinh"],"first":"2030-01-01","last":"2030-02-01"}`); status != 201 {
		t.Fatal(text)
	}
	dept := chromium(t, c.base)
	dept.run("a laptop", dept.size(1440))
	dept.enter(c, "admin")
	dept.run("the log", chromedp.Navigate(c.base+"/audit"), says("Nội dung riêng của công ty"),
		says("mã truy cập viet-ads"), says("Công ty Quảng cáo Việt"),
		until(`!document.body.innerText.includes('An khang thịnh vượng')`))
	dept.shoot("forms-audit")
	dept.run("a campaign keeps an area that was replaced", chromedp.Navigate(c.base+"/campaigns"), says("7/STTTT"),
		chromedp.Evaluate(`[...document.querySelectorAll('tr')].find((r) => r.innerText.includes('7/STTTT'))
			.querySelector('button').click()`, nil), chromedp.WaitVisible("dialog"),
		until(`document.querySelector('dialog').innerText.includes('đã được thay bằng')`),
		chromedp.Click("dialog form > .buttons button.main"), until(`!document.querySelector('dialog')`))
	if text := read("/api/v1/campaigns/bluezone-2"); !strings.Contains(text, `"areas":["quang-ngai/son-tinh"]`) {
		t.Error(text)
	}
	dept.quiet()
}

// A report on paper says what it is, of when, and by which letter; nothing of
// the screen stands around it and no column is cut off.
func TestChromiumPrint(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	v := chromium(t, c.base)
	v.run("a laptop", v.size(1440))
	v.enter(c, "viet-ads")
	// Proof takes a quarter of an hour: an answer as the API gives it then.
	const answer = `{"rows":[{"day":"2021-02-01","campaign":"bluezone",` +
		`"letter":{"number":"123/STTTT-TTBCXB","date":"2021-01-30"},"sign":"demo-128x64","sign_owner":"viet-ads",` +
		`"bound_ms":86400000,"asked_ms":17280000,"planned_ms":17300000,"shown_ms":17300000,` +
		`"proven_ms":86400000,"shown":2160}],"coverage":[]}`
	v.run("the share of campaigns", chromedp.Navigate(c.base+"/reports"), says("Độ phủ"),
		chromedp.Evaluate(fmt.Sprintf(
			`(() => {
				const real = window.fetch;
				window.fetch = (p, o) => (String(p).includes('/reports/share') ?
					Promise.resolve(new Response(%q)) : real(p, o));
			})()`, answer), nil),
		choose("Loại báo cáo", "Tỷ lệ của chiến dịch"), press("Xem"), until(`document.querySelector('#report tbody tr')`),
		says("Ngã tư Ba La"))
	// A4 across, without its margins
	v.run("on paper", chromedp.ActionFunc(emulation.SetEmulatedMedia().WithMedia("print").Do), v.size(1017))
	v.fits("paper")
	v.shoot("print-share")
	var text string
	v.run("it says", chromedp.Evaluate(`document.body.innerText`, &text))
	for _, want := range []string{"Tỷ lệ của chiến dịch", "123/STTTT-TTBCXB (30/01/2021)", "giờ Việt Nam (UTC+7)",
		"20,02\u00a0%", "Bluezone"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	for _, none := range []string{"Đăng xuất", "Tải CSV", "Khóa gốc"} {
		if strings.Contains(text, none) {
			t.Errorf("%q is printed", none)
		}
	}
	v.run("no column is cut off",
		until(`[...document.querySelectorAll('.wide')].every((e) => e.scrollWidth <= e.clientWidth + 1)`))
	v.quiet()
}

// dialogs are what opens on the pages: whose, where, and how one comes there.
var dialogs = []struct{ who, page, ready, open, there string }{
	{"viet-ads", "/schedule?sign=demo-128x64", `document.querySelectorAll('.week .block').length > 7`, `#add`, "dialog"},
	{"viet-ads", "/schedule?sign=demo-128x64", `document.querySelectorAll('.week .block').length > 7`, `.week .block`,
		"dialog"},
	{"viet-ads", "/playlists", `document.querySelector('.items .item')`, `.items .item:nth-child(1) .name`,
		".look canvas"},
	{"viet-ads", "/playlists", `document.querySelector('.items .item')`, `[data-part=media]`, ".drop"},
	{"viet-ads", "/playlists", `document.querySelector('.items .item')`, `#left button.main`, "dialog"},
	{"viet-ads", "/people", `document.querySelector('tbody tr')`, `main button.main`, "dialog"},
	{"viet-ads", "/people", `document.querySelector('tbody tr')`, `tbody tr .buttons button:nth-child(2)`, "#link"},
	{"viet-ads", "/tokens", `document.querySelector('tbody tr')`, `main button.main`, "dialog"},
	{"viet-ads", "/campaigns", `document.querySelector('main button.main')`, `main button.main`, "dialog"},
	{"viet-ads", "/signs/va-002", `document.querySelector('#enrol button.main')`, `#enrol button.main`, "#code"},
	{"viet-ads", "/signs/va-002", `document.querySelector('#enrol button.danger')`, `#enrol button.danger`, "dialog"},
	{"viet-ads", "/audit", `document.querySelector('tbody tr')`, `tbody summary`, "details[open] table"},
	{"admin", "/campaigns", `document.querySelector('main button.main')`, `main button.main`, "dialog"},
	{"admin", "/areas", `document.querySelector('tbody tr')`, `.views button.main`, "dialog"},
	{"admin", "/settings", `document.querySelector('main button.main')`, `main button.main`, "dialog"},
	{"author", "/urgent", `document.querySelector('#content button.main')`, `#content button.main`, ".urgent-form"},
}

// Nothing serious keeps anybody from using what opens on a page, light or dark,
// on a laptop or a telephone; and nothing there is wider than the screen.
func TestChromiumAccessibleDialogs(t *testing.T) {
	browsers(t)
	script := axe(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	visitors := map[string]*visitor{}
	for i, x := range dialogs {
		v := visitors[x.who]
		if v == nil {
			v = chromium(t, c.base)
			v.expected = []string{"/pending"}
			visitors[x.who] = v
			v.run("a laptop", v.size(1440))
			v.enter(c, x.who)
		}
		for j, width := range []int64{1440, 390} {
			name := fmt.Sprintf("dialog-%02d-%s-%d", i, x.who, width)
			scheme := []string{"light", "dark"}[(i+j)%2]
			v.run(name+" "+x.open, v.size(width), media(scheme), chromedp.Navigate(c.base+x.page), until(x.ready),
				chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q).click()`, x.open), nil),
				until(fmt.Sprintf(`document.querySelector(%q)`, x.there)))
			for _, b := range v.barriers(script) {
				t.Errorf("%s of %s as %s, %s at %d: %s", x.open, x.page, x.who, scheme, width, b)
			}
			v.fits(name)
			v.run(name, until(`[...document.querySelectorAll('dialog')].every((e) => e.scrollWidth <= e.clientWidth + 1)`))
			v.small(name)
			v.shoot(name)
		}
	}
	for _, v := range visitors {
		v.quiet()
	}
}

// small looks for what is too small for a finger (WCAG 2.2, 2.5.8): under 24 by
// 24 CSS pixels, but for links within a text and a browser's own controls.
func (v *visitor) small(name string) {
	v.t.Helper()
	var found []string
	v.run(name, chromedp.Evaluate(
		`[...document.querySelectorAll('button, a[href], input:not([type=hidden]), select, textarea, summary')]
			.filter((e) => e.checkVisibility() && !e.closest('.unseen, p, li > :not(.badge)') && !e.matches('.unseen, .skip'))
			.map((e) => [e, (e.labels && e.labels[0] && e.type === 'checkbox' ? e.labels[0] : e).getBoundingClientRect()])
			.filter(([, r]) => r.width > 0 && (r.width < 24 || r.height < 24))
			.map(([e, r]) => e.tagName + ' ' + (e.textContent || e.name).trim().slice(0, 40) +
				' ' + Math.round(r.width) + 'x' + Math.round(r.height))`, &found))
	for _, f := range found {
		v.t.Errorf("%s: too small: %s", name, f)
	}
}

// Every page is one that the tests of barriers and of traffic look at.
func TestChromiumPagesAreAllLookedAt(t *testing.T) {
	browsers(t)
	var barriers strings.Builder
	for _, pages := range accessiblePages {
		barriers.WriteString(strings.Join(pages, " ") + " ")
	}
	for name, address := range web.Addresses("demo-128x64") {
		if name == "signin" { // before anybody is signed in
			continue
		}
		if !strings.Contains(barriers.String(), address+" ") && !strings.Contains(barriers.String(), address+"?") {
			t.Errorf("nobody looks for barriers on %s", address)
		}
	}
}
