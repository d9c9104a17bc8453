package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The README's three pictures, as pages are now: LEDCAST_README=DIR makes them.
func TestChromiumReadme(t *testing.T) {
	browsers(t)
	dir := os.Getenv("LEDCAST_README")
	if dir == "" {
		t.Skip("LEDCAST_README says where the pictures go")
	}
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	c.all([]ask{{"viet-ads", "DELETE", "/api/v1/signs/va-002", "", nil, 204, ""}}) // it was never heard
	v := chromium(t, c.base)
	shot := func(name string) {
		var picture []byte
		v.run(name, chromedp.CaptureScreenshot(&picture))
		writeFile(t, filepath.Join(dir, name+".png"), string(picture))
	}
	v.run("a laptop", v.size(1250), media("light"))
	v.enter(c, "viet-ads")
	v.run("the week", chromedp.Navigate(c.base+"/schedule?sign=demo-128x64"),
		until(`document.querySelectorAll('.week .block').length > 7`))
	shot("schedule")
	v.run("out", press("Đăng xuất"), until(`location.pathname === '/signin'`), media("dark"))
	v.enter(c, "author")
	v.run("the wall", until(
		`document.querySelectorAll('article.sign .title').length === 4 &&
			[...document.querySelectorAll('article.sign .badge.good')].length === 4`), chromedp.Sleep(time.Second))
	shot("wall")
	body := fmt.Sprintf(`{"id":"lu-1","text":"NƯỚC LÊN NHANH – LÊN CHỖ CAO","areas":["quang-ngai"],`+
		`"until":%d,"correction":"Tin trước là nhầm"}`, d.now().Unix()+1800)
	c.all([]ask{{"author", "POST", "/api/v1/alerts", body, nil, 201, ""}})
	c.approve("lu-1")
	v.run("the urgent message", chromedp.Navigate(c.base+"/urgent?id=lu-1"),
		until(`document.getElementById('showing')?.textContent === '3'`), chromedp.Sleep(time.Second))
	shot("urgent")
}
