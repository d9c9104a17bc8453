package app_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// dragged moves the pointer, pressed, from the middle of one place to another,
// both expressions that are a DOMRect.
func dragged(from, to string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var p struct{ X1, Y1, X2, Y2 float64 }
		if err := chromedp.Evaluate(
			`(() => { const a = `+from+`, b = `+to+
				`; return { X1: a.x + a.width / 2, Y1: a.y + a.height / 2, X2: b.x + b.width / 2, Y2: b.y + b.height / 2 }; })()`,
			&p).Do(ctx); err != nil {
			return err
		}
		if err := chromedp.MouseEvent(input.MousePressed, p.X1, p.Y1, chromedp.ButtonLeft).Do(ctx); err != nil {
			return err
		}
		for i := 1.0; i <= 10; i++ {
			if err := chromedp.MouseEvent(input.MouseMoved, p.X1+(p.X2-p.X1)*i/10, p.Y1+(p.Y2-p.Y1)*i/10,
				chromedp.ButtonLeft).Do(ctx); err != nil {
				return err
			}
		}
		return chromedp.MouseEvent(input.MouseReleased, p.X2, p.Y2, chromedp.ButtonLeft).Do(ctx)
	})
}

// dropped lets files go over the middle of a place.
func dropped(selector string, files ...string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var p struct{ X, Y float64 }
		if err := chromedp.Evaluate(
			`(() => { const r = `+rect(selector)+`; return { X: r.x + r.width / 2, Y: r.y + r.height / 2 }; })()`,
			&p).Do(ctx); err != nil {
			return err
		}
		data := &input.DragData{Items: []*input.DragDataItem{}, Files: files, DragOperationsMask: 1}
		for _, step := range []input.DispatchDragEventType{input.DragEnter, input.DragOver, input.Drop} {
			if err := input.DispatchDragEvent(step, p.X, p.Y, data).Do(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

func rect(selector string) string {
	return `document.querySelector('` + selector + `').getBoundingClientRect()`
}

// What dragging does, what undoing undoes, and that of two people who edit the
// same thing neither overwrites the other.
func TestChromiumEditors(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	v := chromium(t, c.base)
	v.expected = []string{"412 (Precondition Failed)", "422 (Unprocessable Entity)"} // what is looked for
	v.run("enter", v.size(1440), chromedp.Navigate(c.base+linkOf(t, c, "admin", "viet-ads")), press("Vào"),
		chromedp.WaitVisible("#set input[name=password]"),
		chromedp.SendKeys("#set input[name=password]", "mot mat khau that dai"), press("Đặt mật khẩu"),
		until(`document.querySelector('article.sign')`))

	first := func(text string) string {
		return `document.querySelector('.items .item .name')?.textContent === '` + text + `'`
	}
	v.run("drag the second above the first", chromedp.Navigate(c.base+"/playlists"), until(first("GIẢM 30%")),
		dragged(rect(".items .item:nth-child(2) .grip"), rect(".items .item:nth-child(1) .grip")),
		until(first("CHÚC MỪNG NĂM MỚI")))
	v.run("undo and redo", press("Hoàn tác"), until(first("GIẢM 30%")), press("Làm lại"),
		until(first("CHÚC MỪNG NĂM MỚI")))
	// Meanwhile somebody else gives it another name.
	if status, text, _ := c.do("viet-ads", "PUT", "/api/v1/owners/viet-ads/playlists/ban-ngay",
		`{"name":"Sáng và chiều","items":[{"message":"giam-gia"},{"message":"tet"}]}`); status != 200 {
		t.Fatal(text)
	}
	v.run("both are shown", press("Lưu danh sách phát"), chromedp.WaitVisible("dialog"), says("Sáng và chiều"),
		says("Ban ngày"))
	v.shoot("conflict")
	if _, text, _ := c.do("viet-ads", "GET", "/api/v1/owners/viet-ads/playlists/ban-ngay", ""); !strings.Contains(text,
		"Sáng và chiều") {
		t.Errorf("overwritten before anybody chose: %s", text)
	}
	v.run("take theirs", press("Dùng bản của người kia"),
		until(`document.querySelector('#left input[name=name]').value === 'Sáng và chiều'`), until(first("GIẢM 30%")))

	v.run("frames as one types", chromedp.Click(`.items .item:nth-child(1) .name`),
		until(`document.querySelectorAll('.look canvas').length >= 2`),
		chromedp.Focus(`input[name=vi-headline]`), input.InsertText(" HÔM NAY THÔI, NHANH CHÂN LÊN NÀO BÀ CON ƠI KẺO HẾT"),
		until(`document.querySelectorAll('.look .step').length > 3`))
	v.shoot("typing")
	v.run("it is saved", press("Lưu tin"), until(`document.querySelector('#right .ok')`))

	dir := t.TempDir()
	good, bad := filepath.Join(dir, "Cầu Trà Khúc.png"), filepath.Join(dir, "trang.png")
	for name, data := range map[string][]byte{good: onePicture(t),
		bad: []byte("<!DOCTYPE html><title>no picture</title>")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const thumb = `[...document.querySelectorAll('.thumb strong')].map((x) => x.textContent).includes('cau-tra-khuc')`
	v.run("a picture and a page that calls itself one are dropped", press("Hình ảnh"), chromedp.WaitVisible(".drop"),
		chromedp.ScrollIntoView(".drop"), dropped(".drop", good, bad), until(thumb),
		until(`[...document.querySelectorAll('.problem')].some((p) => p.textContent.startsWith('trang.png: '))`),
		until(`[...document.querySelectorAll('.thumb img')].every((x) => x.complete && x.naturalWidth > 0)`))
	v.shoot("dropped")
	v.run("beside its place a file does nothing", dropped("header", good), chromedp.Sleep(300*time.Millisecond),
		until(`location.pathname === '/playlists'`), until(thumb))

	v.run("drag two hours on Wednesday", chromedp.Navigate(c.base+"/schedule?sign=demo-128x64"),
		until(`document.querySelectorAll('.week .block').length > 7`), chromedp.ScrollIntoView(`.week .day`),
		dragged(`(() => {
			const r = document.querySelectorAll('.week .day')[2].getBoundingClientRect();
			return new DOMRect(r.x, r.y + r.height * 2 / 24, r.width, 0);
		})()`,
			`(() => {
				const r = document.querySelectorAll('.week .day')[2].getBoundingClientRect();
				return new DOMRect(r.x, r.y + r.height * 4 / 24, r.width, 0);
			})()`),
		chromedp.WaitVisible("dialog"),
		until(`document.querySelector('dialog input[name=from]').value === '02:00' &&
			document.querySelector('dialog input[name=until]').value === '04:00' &&
			document.querySelectorAll('dialog .hours input:checked').length === 1`),
		choose("Danh sách phát", "Buổi tối"), press("Lưu lịch phát"), until(`!document.querySelector('dialog')`),
		until(`[...document.querySelectorAll('.week .block')].some((b) => b.textContent.includes('02:00–04:00'))`))

	// What the API refuses is said in the page's language, beside the field or
	// with the field's name.
	v.run("a schedule that ends before it begins", press("Thêm lịch phát"), chromedp.WaitVisible("dialog"),
		chromedp.SetValue("dialog input[name=first]", "2030-02-02"),
		chromedp.SetValue("dialog input[name=last]", "2030-01-01"),
		press("Lưu lịch phát"), until(
			`document.querySelector('dialog [data-path="last"] .problem').textContent ===
				'“2030-01-01” trước ngày đầu, 2030-02-02 – đổi chỗ hai ngày, hoặc bỏ một ngày'`))
	v.shoot("refusal")
	// the second of February 2030 is a Saturday
	v.run("never open", chromedp.SetValue("dialog input[name=last]", "2030-02-02"),
		chromedp.Evaluate(`document.querySelectorAll('dialog .hours input[type=checkbox]')
			.forEach((b, i) => { b.checked = i === 0; })`, nil),
		press("Lưu lịch phát"), until(
			`document.querySelector('dialog [data-path="days"] .problem').textContent ===
				'“[mon]” không có ngày nào được chiếu từ 2030-02-02 đến 2030-02-02, ' +
				'sau khi trừ các ngày ngoại lệ – đổi ngày trong tuần hoặc thời hạn'`))
	v.run("leave it", press("Hủy"), until(`!document.querySelector('dialog')`))

	v.run("out of service in one step, and back", chromedp.Navigate(c.base+"/signs/demo-128x64"),
		write("Lý do", "Thay mô-đun"), press("Tạm ngừng"), says("Màn hình đã tạm ngừng hoạt động"),
		says("Đang tạm ngừng hoạt động: Thay mô-đun"),
		press("Hoạt động lại"), says("hoạt động trở lại"))
	v.run("why, at a time", chromedp.Click(button("Xem"), chromedp.BySearch),
		until(`document.querySelector('#at [role=status]').innerText.length > 20`), chromedp.Sleep(200*time.Millisecond))
	v.shoot("why")
	v.quiet()
}
