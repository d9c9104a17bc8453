package app_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ledcast/playlists"
)

// The department sees new signs on the wall and on their pages, and decides. An approver sees what waits and what was
// cancelled on whatever page they are, and lets a break-glass alert run longer.
func TestChromiumReview(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	for _, id := range []string{"va-new", "va-odd", "va-third"} {
		c.want("viet-ads", "PUT", "/api/v1/signs/"+id, map[string]any{"owner": "viet-ads", "class": "64x32-red",
			"areas": []string{"quang-ngai/ba-to"}}, 201, nil)
	}
	admin := chromium(t, c.base)
	admin.expected = []string{"/pending"}
	admin.run("a laptop", admin.size(1440))
	admin.enter(c, "admin")
	admin.run("the wall", chromedp.Navigate(c.base+"/"), says("3 màn hình mới chưa được Sở xem"),
		press("Xem các màn hình đó"), until(`document.querySelectorAll('article.sign').length === 3`))
	admin.fits("review-wall")
	admin.shoot("review-wall")
	admin.run("one of them", chromedp.Navigate(c.base+"/signs/va-odd"), says("chưa tính vào số màn hình khi duyệt"))
	admin.shoot("review-sign")
	admin.run("exclude it", press("Loại khỏi tin khẩn"), says("Sở đã loại màn hình này khỏi tin khẩn"))
	admin.run("the others", chromedp.Navigate(c.base+"/"), press("Đã xem, tính cả 2 màn hình"),
		until(`document.getElementById('newcomers').hidden`))
	for id, want := range map[string]playlists.SignAlerts{"va-new": "", "va-third": "", "va-odd": "excluded"} {
		if s, err := d.Sign(t.Context(), id); err != nil || s.Alerts != want {
			t.Errorf("%s counts as %q, %v", id, s.Alerts, err)
		}
	}
	admin.quiet()

	approver := chromium(t, c.base)
	approver.run("a telephone", approver.size(390))
	approver.enter(c, "approver")
	approver.run("on another page", chromedp.Navigate(c.base+"/areas"), says("Quảng Ngãi"))
	c.want("author", "POST", "/api/v1/alerts", order("lu", time.Now().Add(time.Hour), nil), 201, nil)
	approver.run("is told what waits",
		until(`document.getElementById('notices').innerText.includes('author đề nghị duyệt tin khẩn')`))
	approver.fits("review-waits")
	approver.shoot("review-waits")
	c.approve("lu")
	c.want("author", "POST", "/api/v1/alerts/lu/cancel", nil, 200, nil)
	approver.run("is told of the cancel", until(`document.getElementById('notices').innerText.includes('author đã huỷ')`))
	approver.shoot("review-cancelled")

	var read playlists.AlertTemplate
	c.want("approver", "GET", "/api/v1/templates/flood", nil, 200, &read)
	c.want("approver", "POST", "/api/v1/templates/flood/approve", map[string]string{"digest": read.Digest}, 200, nil)
	c.want("author", "POST", "/api/v1/alerts", order("kinh-2", time.Now().Add(10*time.Minute), map[string]any{"text": "",
		"template": "flood", "values": map[string]string{"place": "Trà Khúc", "phone": "114"},
		"areas": []string{"quang-ngai/son-tinh"}}), 201, nil)
	c.want("author", "POST", "/api/v1/alerts/kinh-2/break-glass", nil, 200, nil)
	approver.run("lets it run longer", chromedp.Navigate(c.base+"/urgent?id=kinh-2"), says("Một người đã phát tin này"),
		until(`document.getElementById('reach')`), chromedp.SetValue("form.approve select", "2"),
		chromedp.SendKeys("form.approve input[name=signs]", "1"))
	approver.fits("review-extend")
	approver.shoot("review-extend")
	approver.run("and it does", press("Cho phát tiếp"), chromedp.Sleep(100*time.Millisecond))
	eventually(t, "it runs longer", func() bool {
		v := c.alert("kinh-2")
		return v.ExtendedBy == "user:approver" || v.ExtendedBy != "" && int64(v.Until) > time.Now().Unix()+3600
	})
	approver.quiet()
}
