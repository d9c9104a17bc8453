package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Areas are added, changed and replaced by the department's administrator, read
// by its officers, and what is gone or was never there is told as such.
func TestChromiumAreas(t *testing.T) {
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	admin, author := chromium(t, c.base), chromium(t, c.base)
	admin.expected = []string{"422"} // what is used cannot be deleted
	row := func(code string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('tbody tr')].find((r) => r.querySelector('.code').textContent === %q)`, code)
	}
	click := func(code, what string) chromedp.Action {
		return chromedp.Tasks{until(row(code)), chromedp.Evaluate(fmt.Sprintf(`[...%s.querySelectorAll('button')].find((b) => b.textContent === %q).click()`, row(code), what), nil)}
	}
	shoot := func(v *visitor, name string) {
		for _, width := range []int64{390, 1440} {
			v.run(name, v.size(width))
			v.fits(name)
			v.shoot(fmt.Sprintf("areas-%s-%d", name, width))
		}
	}
	admin.run("a laptop", admin.size(1440))
	author.run("a laptop", author.size(1440))
	admin.enter(c, "admin")
	author.enter(c, "author")

	admin.run("the list", chromedp.Navigate(c.base+"/areas"), until(row("quang-ngai/son-tinh")+`.querySelector('td.n').textContent === '2'`),
		until(row("quang-ngai")+`.querySelector('td.n').textContent === '5'`)) // the whole province
	admin.run("add one", press("Thêm địa bàn"), write("Tên", "Xã Trà Khúc"), until(`document.querySelector('dialog input[name=code]').value === 'xa-tra-khuc'`), write("Mã của hệ thống khác", "GSO=21001"))
	shoot(admin, "1-add")
	admin.run("save it", press("Lưu địa bàn"), until(`!document.querySelector('dialog')`), says("Đã lưu Xã Trà Khúc."), until(row("quang-ngai/xa-tra-khuc")+`.innerText.includes('GSO=21001')`))
	admin.run("the same again", press("Thêm địa bàn"), write("Tên", "Xã Trà Khúc"), press("Lưu địa bàn"), says("đã là mã của một địa bàn khác"), press("Hủy"))

	// Meanwhile somebody else gives it another name: neither overwrites the other.
	admin.run("change it", click("quang-ngai/xa-tra-khuc", "Sửa"), chromedp.WaitVisible("dialog input[name=name]"))
	if status, text, _ := c.do("admin", "PUT", "/api/v1/areas/quang-ngai/xa-tra-khuc", `{"name":"Xã Trà Khúc Đông"}`); status != 200 {
		t.Fatal(status, text)
	}
	admin.expected = append(admin.expected, "412")
	admin.run("both are shown", write("Tên", " Tây"), press("Lưu địa bàn"), says("Có người vừa sửa mục này"), says("Xã Trà Khúc Đông"), press("Dùng bản của người kia"), until(`!document.querySelector('dialog')`), until(row("quang-ngai/xa-tra-khuc")+`.innerText.includes('Đông')`))

	admin.run("it replaces another", click("quang-ngai/son-tinh", "Sửa"), choose("Được thay bằng", "Xã Trà Khúc Đông"), press("Lưu địa bàn"), until(`!document.querySelector('dialog')`), until(row("quang-ngai/son-tinh")+`.innerText.includes('đã được thay thế')`))
	if _, text, _ := c.do("author", "GET", "/api/v1/areas/quang-ngai/son-tinh", ""); !strings.Contains(text, `"replaced_by":"quang-ngai/xa-tra-khuc"`) {
		t.Error(text)
	}
	admin.run("what is used stays", click("quang-ngai/son-tinh", "Xóa"), chromedp.WaitVisible("dialog"), chromedp.Click("dialog button.danger"), until(`document.querySelector('main > .problem:not([hidden])')`))
	shoot(admin, "2-replaced")
	admin.run("a sign says so", chromedp.Navigate(c.base+"/signs/va-002"), says("Huyện Sơn Tịnh (đã được thay bằng Xã Trà Khúc Đông)"))

	author.run("by its old code", chromedp.Navigate(c.base+"/areas?code=quang-ngai/son-tinh"), until(`document.querySelector('#told:not([hidden])')?.textContent === 'Huyện Sơn Tịnh (đã được thay bằng Xã Trà Khúc Đông)'`), until(`document.querySelector('tr.chosen')`),
		until(`document.querySelectorAll('main table button').length === 0 && !document.querySelector('main .views')`)) // an author changes none
	shoot(author, "3-author")
	author.run("find it without accents", chromedp.SendKeys(`input[type=search]`, "tra khuc"), until(`document.querySelectorAll('tbody tr').length === 1`))
	author.run("one that never was", chromedp.Navigate(c.base+"/areas?code=quang-ngai/khong-co"), says("Không có địa bàn “quang-ngai/khong-co”"))
	author.run("in the wall's filter", chromedp.Navigate(c.base+"/?area=quang-ngai/khong-co"), until(`document.querySelector('select[name=area]').selectedOptions[0]?.textContent.includes('Không có địa bàn')`), says("Không có màn hình nào khớp bộ lọc"))
	admin.run("one that nobody uses goes", chromedp.Navigate(c.base+"/areas"), click("quang-ngai/minh-long", "Xóa"), chromedp.WaitVisible("dialog"), chromedp.Click("dialog button.danger"), says("Đã xóa Huyện Minh Long"), until(`!`+row("quang-ngai/minh-long")))
	admin.quiet()
	author.quiet()
}
