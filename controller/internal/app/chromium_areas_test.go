package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Areas are added, changed and replaced by the department's administrator, read
// by its officers, and what is gone or was never there is told as such.
func TestChromiumAreas(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	admin, author := chromium(t, c.base), chromium(t, c.base)
	admin.expected = []string{"422"} // what is used cannot be deleted
	row := func(code string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('tbody tr')]
			.find((r) => r.querySelector('.code').textContent === %q)`, code)
	}
	click := func(code, what string) chromedp.Action {
		return chromedp.Tasks{until(row(code)),
			chromedp.Evaluate(fmt.Sprintf(`[...%s.querySelectorAll('button')].find((b) => b.textContent === %q).click()`,
				row(code), what), nil)}
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

	admin.run("the list", chromedp.Navigate(c.base+"/areas"),
		until(row("quang-ngai/son-tinh")+`.querySelector('td.n').textContent === '2'`),
		until(row("quang-ngai")+`.querySelector('td.n').textContent === '5'`)) // the whole province
	admin.run("add one", press("Thêm địa bàn"), write("Tên", "Xã Trà Khúc"),
		until(`document.querySelector('dialog input[name=code]').value === 'xa-tra-khuc'`),
		write("Mã của hệ thống khác", "GSO=21001"))
	shoot(admin, "1-add")
	admin.run("save it", press("Lưu địa bàn"), until(`!document.querySelector('dialog')`), says("Đã lưu Xã Trà Khúc."),
		until(row("quang-ngai/xa-tra-khuc")+`.innerText.includes('GSO=21001')`))
	admin.run("the same again", press("Thêm địa bàn"), write("Tên", "Xã Trà Khúc"), press("Lưu địa bàn"),
		says("đã là mã của một địa bàn khác"), press("Hủy"))

	// Meanwhile somebody else gives it another name: neither overwrites the other.
	admin.run("change it", click("quang-ngai/xa-tra-khuc", "Sửa"), chromedp.WaitVisible("dialog input[name=name]"))
	if status, text, _ := c.do("admin", "PUT", "/api/v1/areas/quang-ngai/xa-tra-khuc",
		`{"name":"Xã Trà Khúc Đông"}`); status != 200 {
		t.Fatal(status, text)
	}
	admin.expected = append(admin.expected, "412")
	admin.run("both are shown", write("Tên", " Tây"), press("Lưu địa bàn"), says("Có người vừa sửa mục này"),
		says("Xã Trà Khúc Đông"), press("Dùng bản của người kia"), until(`!document.querySelector('dialog')`),
		until(row("quang-ngai/xa-tra-khuc")+`.innerText.includes('Đông')`))

	admin.run("it replaces another", click("quang-ngai/son-tinh", "Sửa"), choose("Được thay bằng", "Xã Trà Khúc Đông"),
		press("Lưu địa bàn"), until(`!document.querySelector('dialog')`),
		until(row("quang-ngai/son-tinh")+`.innerText.includes('đã được thay thế')`))
	if _, text, _ := c.do("author", "GET", "/api/v1/areas/quang-ngai/son-tinh", ""); !strings.Contains(text,
		`"replaced_by":"quang-ngai/xa-tra-khuc"`) {
		t.Error(text)
	}
	admin.run("what is used stays", click("quang-ngai/son-tinh", "Xóa"), chromedp.WaitVisible("dialog"),
		chromedp.Click("dialog button.danger"), until(`document.querySelector('main > .problem:not([hidden])')`))
	shoot(admin, "2-replaced")
	admin.run("a sign says so", chromedp.Navigate(c.base+"/signs/va-002"),
		says("Huyện Sơn Tịnh (đã được thay bằng Xã Trà Khúc Đông)"))

	author.run("by its old code", chromedp.Navigate(c.base+"/areas?code=quang-ngai/son-tinh"),
		until(`document.querySelector('#told:not([hidden])')?.textContent ===
			'Huyện Sơn Tịnh (đã được thay bằng Xã Trà Khúc Đông)'`),
		until(`document.querySelector('tr.chosen')`),
		// an author changes none
		until(`document.querySelectorAll('main table button').length === 0 && !document.querySelector('main .views')`))
	shoot(author, "3-author")
	author.run("find it without accents", chromedp.SendKeys(`input[type=search]`, "tra khuc"),
		until(`document.querySelectorAll('tbody tr').length === 1`))
	author.run("one that never was", chromedp.Navigate(c.base+"/areas?code=quang-ngai/khong-co"),
		says("Không có địa bàn “quang-ngai/khong-co”"))
	author.run("in the wall's filter", chromedp.Navigate(c.base+"/?area=quang-ngai/khong-co"),
		until(`document.querySelector('select[name=area]').selectedOptions[0]?.textContent.includes('Không có địa bàn')`),
		says("Không có màn hình nào khớp bộ lọc"))
	admin.run("one that nobody uses goes", chromedp.Navigate(c.base+"/areas"), click("quang-ngai/minh-long", "Xóa"),
		chromedp.WaitVisible("dialog"), chromedp.Click("dialog button.danger"), says("Đã xóa Huyện Minh Long"),
		until(`!`+row("quang-ngai/minh-long")))
	admin.quiet()
	author.quiet()
}

// Areas of an urgent message chosen on the map: with the mouse, by touch and by
// keyboard, by a sign's mark and by a border. List and map are one selection.
func TestChromiumAreasOnMap(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	// One area has a border, around nothing but itself.
	c.all([]ask{
		{"admin", "PUT", "/api/v1/areas/quang-ngai/mo-duc",
			`{"name":"Huyện Mộ Đức","outline":[[{"lat":14.90,"lon":108.80},{"lat":14.90,"lon":108.95},` +
				`{"lat":15.00,"lon":108.95},{"lat":15.00,"lon":108.80}]]}`, nil, 200, ""},
		{"viet-ads", "PUT", "/api/v1/signs/va-md",
			`{"owner":"viet-ads","name":"Chợ Thạch Trụ","class":"64x32-rgb",` +
				`"areas":["quang-ngai/mo-duc"],"position":{"lat":14.99,"lon":108.94}}`, nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/signs/va-st",
			`{"owner":"viet-ads","name":"Cầu Trà Khúc","class":"64x32-rgb",` +
				`"areas":["quang-ngai/son-tinh"],"position":{"lat":15.35,"lon":108.70}}`, nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/signs/va-none",
			`{"owner":"viet-ads","class":"64x32-rgb","areas":["quang-ngai/ly-son"]}`, nil, 201, ""},
		{"admin", "POST", "/api/v1/signs/review", `{"signs":["va-md","va-st","va-none"]}`, nil, 200, ""},
	})
	for _, width := range []int64{1440, 390} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			v := chromium(t, c.base)
			shoot := func(name string) {
				v.fits(name)
				v.shoot(fmt.Sprintf("areamap-%d-%s", width, name))
			}
			mark := func(key string) string { return `#new svg [data-key="` + key + `"]` }
			pressed := func(key, is string) chromedp.Action {
				return until(fmt.Sprintf(`document.querySelector('%s')?.getAttribute('aria-pressed') === %q`, mark(key), is))
			}
			chosen := func(codes ...string) chromedp.Action {
				return until(fmt.Sprintf(
					`[...document.querySelectorAll('.urgent-form .days-choice input:checked')].map((b) => b.value).join() === %q`,
					strings.Join(codes, ",")))
			}
			// tap is a click, or a finger where there is no mouse.
			tap := func(key string) chromedp.Action {
				return chromedp.Tasks{until(`document.querySelector('` + mark(key) + `')`),
					chromedp.ScrollIntoView(`#new .map-frame`), chromedp.ActionFunc(func(ctx context.Context) error {
						var at struct{ X, Y float64 }
						if err := chromedp.Evaluate(`(() => { const r = (document.querySelector('`+mark(key)+
							`').querySelector('.target') || document.querySelector('`+mark(key)+
							`')).getBoundingClientRect(); return { X: r.x + r.width / 2, Y: r.y + r.height / 2 }; })()`,
							&at).Do(ctx); err != nil {
							return err
						}
						if width > 600 {
							return chromedp.MouseClickXY(at.X, at.Y).Do(ctx)
						}
						if err := input.DispatchTouchEvent(input.TouchStart,
							[]*input.TouchPoint{{X: at.X, Y: at.Y}}).Do(ctx); err != nil {
							return err
						}
						return input.DispatchTouchEvent(input.TouchEnd, []*input.TouchPoint{}).Do(ctx)
					})}
			}
			const sonTinh, moDuc, all = "quang-ngai/son-tinh", "quang-ngai/mo-duc", "quang-ngai"
			v.run("a screen", v.size(1440))
			v.enter(c, "author")
			v.run("open the map", v.size(width), emulation.SetTouchEmulationEnabled(width < 600),
				chromedp.Navigate(c.base+"/urgent"), says("Không có tin khẩn nào đang phát"), press("Soạn tin khẩn"),
				chromedp.WaitVisible(".urgent-form"), chromedp.Click(`[data-choose=map]`),
				until(`document.querySelectorAll('#new svg g.on-map[role=button]').length >= 3`), says("1 màn hình chưa có vị trí"))
			v.run("choose by a mark", tap("va-st"), chosen(sonTinh), pressed("va-st", "true"),
				until(`document.querySelector('`+mark("va-st")+` .chosen-frame')`),
				until(`!document.querySelector('`+mark("va-md")+` .chosen-frame')`),
				says("Đến 2 màn hình.")) // the demo's picture sign stands there, too
			shoot("1-mark")
			v.run("the list has it", chromedp.Click(`[data-choose=list]`), chromedp.WaitVisible(`input[value="`+sonTinh+`"]`),
				chromedp.Click(`input[value="`+moDuc+`"]`), chosen(moDuc, sonTinh), chromedp.Click(`[data-choose=map]`),
				pressed("va-md", "true"), pressed("area:"+moDuc, "true"))
			v.run("unchoose by the border", tap("area:"+moDuc), chosen(sonTinh), pressed("va-md", "false"))
			v.run("the wider one", press("Rộng hơn: Tỉnh Quảng Ngãi"), chosen(all), pressed("va-md", "true"),
				pressed("va-st", "true"), until(`document.querySelector('.chosen-areas').innerText.includes('Tỉnh Quảng Ngãi')`))
			shoot("2-wider")
			v.run("a mark leaves what covers it", tap("va-md"), chosen())
			// the focus stays, though the map is drawn anew
			v.run("by keyboard", tab(`e.dataset.key === 'va-md'`), chromedp.KeyEvent(kb.Enter), chosen(moDuc),
				until(`document.activeElement.dataset.key === 'va-md'`),
				chromedp.KeyEvent(" "), chosen(), chromedp.KeyEvent(" "), chosen(moDuc),
				until(`document.getElementById('live').textContent.includes('Đã chọn Huyện Mộ Đức')`))
			v.run("a test reaches test signs alone", chromedp.Evaluate(`document.querySelector("input[value=test]").click()`,
				nil), pressed("va-md", "false"), says("Đến 0 màn hình."),
				chromedp.Evaluate(`document.querySelector("input[value=live]").click()`, nil), pressed("va-md", "true"))
			v.run("moving the map chooses nothing", dragged(rect("#new .border"), rect("#new .map-buttons")), chosen(moDuc))
			shoot("3-chosen")
			v.run("what is chosen is sent", write("Lời", "NƯỚC LÊN NHANH"), press("Gửi người thứ hai duyệt"),
				until(`location.search.startsWith('?id=')`), says("Huyện Mộ Đức"))
			v.quiet()
		})
	}
}
