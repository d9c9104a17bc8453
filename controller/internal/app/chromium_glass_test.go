package app_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ledcast/playlists"
)

// All of the department is told at once when somebody sends an urgent message
// alone, on whatever page they are, and when that is over; a company is not. And
// what cannot be read from afar goes only with a reason.
func TestChromiumGlass(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	approver, company := chromium(t, c.base), chromium(t, c.base)
	approver.run("a telephone", approver.size(390))
	company.run("a laptop", company.size(1440))
	approver.enter(c, "approver")
	company.enter(c, "viet-ads")
	approver.run("on another page", chromedp.Navigate(c.base+"/areas"), says("Quảng Ngãi"),
		until(`document.getElementById('notices').hidden`))
	company.run("on another page", chromedp.Navigate(c.base+"/schedule"), until(`document.getElementById('week')`))

	var read playlists.AlertTemplate
	c.want("approver", "GET", "/api/v1/templates/flood", nil, 200, &read)
	c.want("approver", "POST", "/api/v1/templates/flood/approve", map[string]string{"digest": read.Digest}, 200, nil)
	o := order("kinh-1", time.Now().Add(10*time.Minute), map[string]any{"text": "", "template": "flood",
		"values": map[string]string{"place": "Trà Khúc", "phone": "114"}, "areas": []string{"quang-ngai/son-tinh"}})
	c.want("author", "POST", "/api/v1/alerts", o, 201, nil)
	c.want("author", "POST", "/api/v1/alerts/kinh-1/break-glass", nil, 200, nil)
	approver.run("is told", until(
		`!document.getElementById('notices').hidden &&
			document.getElementById('notices').innerText.includes('author một mình phát tin khẩn ở quang-ngai/son-tinh')`))
	approver.fits("glass")
	approver.shoot("urgent-glass")
	approver.run("and goes there", chromedp.Click("#notices a"), says("Một người phát, không chờ duyệt"),
		chromedp.Click("#cancel"), until(`document.getElementById('notices').innerText.includes('đã kết thúc lúc')`))
	approver.run("the list marks it", chromedp.Navigate(c.base+"/urgent"), says("Một người phát, không chờ duyệt"))
	company.run("a company is not told",
		until(`!document.getElementById('notices') && !document.body.innerText.includes('một mình')`))
	approver.quiet()
	company.quiet()

	c.want("viet-ads", "PUT", "/api/v1/signs/va-far", map[string]any{"owner": "viet-ads",
		"class": "64x32-red", "areas": []string{"quang-ngai/duc-pho"}, "pitch_mm": 4, "distance_m": 400}, 201, nil)
	author := chromium(t, c.base)
	author.expected = []string{"422"}
	author.run("a laptop", author.size(1440))
	author.enter(c, "author")
	author.run("write it", chromedp.Navigate(c.base+"/urgent"), press("Soạn tin khẩn"), write("Lời", "NƯỚC LÊN NHANH"),
		chromedp.Click(`//label[normalize-space(.)="Thị xã Đức Phổ"]`, chromedp.BySearch), says("Đến 1 màn hình."),
		press("Gửi người thứ hai duyệt"), says("đọc được từ khoảng"),
		write("Vẫn phát dù có màn hình không đọc được từ xa, vì", "ngã tư, người đi gần vẫn đọc được"))
	author.fits("override")
	author.shoot("urgent-override")
	author.run("with a reason", press("Gửi người thứ hai duyệt"), until(`location.search.startsWith('?id=')`),
		says("người soạn vẫn cho qua"))
	author.quiet()
}
