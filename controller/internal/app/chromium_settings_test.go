package app_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// The department's settings in two browsers: what one person changes, another
// approves, and a change ends the approval.
func TestChromiumSettings(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	admin, approver := chromium(t, c.base), chromium(t, c.base)
	admin.expected = []string{"422"} // a policy without an area is refused
	admin.run("a laptop", admin.size(1440))
	approver.run("a telephone", approver.size(390))
	admin.enter(c, "admin")
	approver.enter(c, "approver")
	shoot := func(v *visitor, name string) {
		v.fits(name)
		v.shoot("settings-" + name)
	}

	admin.run("the drill", chromedp.Navigate(c.base+"/settings"), says("Thứ Hai hằng tuần, 09:00"),
		choose("Ngày", "Thứ Năm"), press("Lưu"), says("Thứ Năm hằng tuần, 09:00"))
	admin.run("a template", press("Thêm mẫu tin"), write("Tên tiếng Việt", "Mất nước"),
		write("Tên tiếng Anh", "Water cut"), write("Tiêu đề", "MẤT NƯỚC Ở {place}"),
		until(`document.querySelectorAll('dialog .looks canvas').length >= 3`))
	shoot(admin, "1-template")
	admin.run("save it", chromedp.Click("dialog button.main"), until(`!document.querySelector('dialog')`),
		says("MẤT NƯỚC Ở {place}"))
	shoot(admin, "2-admin")

	row := `[...document.querySelectorAll('tr')].find((r) => r.innerText.includes('Mất nước'))`
	approver.run("approve the template", chromedp.Navigate(c.base+"/settings"), says("Mất nước"),
		chromedp.Evaluate(row+`.querySelector('button').click()`, nil), says("một mình phát tin"),
		chromedp.Click("dialog button.main"),
		until(row+`?.innerText.includes('Đã duyệt: approver')`))
	shoot(approver, "3-approver")
	admin.run("alerts from outside",
		chromedp.Evaluate(`[...document.querySelectorAll('section')].find((s) => s.innerText.includes('CAP 1.2'))
			.querySelector('button').click()`, nil), write("Nguồn được nhận", "kttv@quangngai.gov.vn"),
		// no area is named
		chromedp.Click(`dialog input[name=auto]`), chromedp.Click("dialog form > .buttons button.main"),
		until(`document.querySelector('dialog .problem:not([hidden])')`))
	shoot(admin, "4-refused")
	admin.run("with an area", chromedp.Click(`//dialog//label[normalize-space(.)="Thành phố Quảng Ngãi"]`,
		chromedp.BySearch), chromedp.Click("dialog form > .buttons button.main"),
		says("Chờ người khác duyệt: Thành phố Quảng Ngãi"))
	approver.run("approve what runs by itself", chromedp.Navigate(c.base+"/settings"), press("Duyệt quyền tự phát"),
		says("kttv@quangngai.gov.vn"), chromedp.Click("dialog button.danger"), says("Đang có hiệu lực: Thành phố Quảng Ngãi"))
	admin.run("a change ends the approval", chromedp.Navigate(c.base+"/settings"), says("Đã duyệt: approver"),
		chromedp.Evaluate(row+`.querySelector('button').click()`, nil), until(`document.querySelector('dialog')`),
		write("Nội dung", "Có nước lại lúc {until}"),
		chromedp.Click("dialog form > .buttons button.main"), until(`!document.querySelector('dialog')`),
		until(row+`?.innerText.includes('Chưa duyệt')`))
	admin.run("a webhook", press("Thêm webhook"), write("Tên", "truc-ban"),
		chromedp.SetValue("dialog input[name=url]", "https://example.org/ledcast"),
		chromedp.Click("dialog form > .buttons button.main"), says("Khóa chỉ hiện một lần này"), press("Tôi đã lưu"),
		says("https://example.org/ledcast"))
	shoot(admin, "5-webhook")
	admin.run("the log has the newest on top", chromedp.Navigate(c.base+"/audit"), says("truc-ban"),
		until(`((n) => n.length > 5 && n.every((x, i) => i === 0 || x < n[i - 1]))(
			[...document.querySelector('table.stack').tBodies[0].rows].map((r) => Number(r.cells[0].textContent)))`))
	approver.run("which the approver does not see", chromedp.Navigate(c.base+"/settings"), says("Mẫu tin khẩn"),
		until(`!document.body.innerText.includes('Webhook')`))
	admin.quiet()
	approver.quiet()
}
