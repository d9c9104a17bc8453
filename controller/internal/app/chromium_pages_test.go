package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"ledcast/controller/internal/web"
)

// furnish gives the demo's company what a company has after some weeks.
func furnish(t *testing.T, c *caller) {
	t.Helper()
	today := time.Now().Format(time.DateOnly)
	later := time.Now().AddDate(0, 1, 0).Format(time.DateOnly)
	put := func(as, path, body string) {
		t.Helper()
		if status, text, _ := c.do(as, "PUT", path, body); status/100 != 2 {
			t.Fatalf("%s: %d %s", path, status, text)
		}
	}
	const own = "/api/v1/owners/viet-ads/"
	put("viet-ads", own+"messages/tet",
		`{"theme":"caution","icon":"info","variants":[`+
			`{"lang":"vi","headline":"CHÚC MỪNG NĂM MỚI","body":"An khang thịnh vượng"},`+
			`{"lang":"en","headline":"HAPPY NEW YEAR","body":"Health and good luck"}]}`)
	put("viet-ads", own+"messages/giam-gia",
		`{"theme":"night","variants":[{"lang":"vi","headline":"GIẢM 30%","body":"Cửa hàng Sông Vệ"}]}`)
	put("viet-ads", own+"messages/khai-truong",
		`{"layout":"scroll","variants":[{"lang":"vi","body":"Khai trương chợ đêm Nghĩa Chánh, mở cửa từ 18 giờ mỗi ngày"}]}`)
	put("viet-ads", own+"playlists/ban-ngay",
		`{"name":"Ban ngày","items":[{"message":"giam-gia","weight":3},{"message":"tet"},`+
			`{"message":"khai-truong","weight":2,"first":"`+today+`"},{"message":"public/bluezone-install"}]}`)
	put("viet-ads", own+"playlists/buoi-toi",
		`{"name":"Buổi tối","items":[{"message":"khai-truong"},{"message":"tet","dwell_ms":12000}]}`)
	put("viet-ads", own+"schedules/ca-ngay", `{"name":"Cả ngày","playlist":"ban-ngay","from":"06:00","until":"22:00"}`)
	put("viet-ads", own+"schedules/buoi-toi",
		`{"name":"Buổi tối cuối tuần","playlist":"buoi-toi","days":["fri","sat","sun"],"from":"18:00","until":"01:00",`+
			`"priority":10,"first":"`+today+`","except":["`+later+`"]}`)
	put("viet-ads", own+"agreements/nam-nay", `{"share_percent":20,"first":"`+today+`"}`)
	put("admin", "/api/v1/campaigns/bluezone",
		`{"name":"Bluezone","letter":{"number":"123/STTTT-TTBCXB","date":"2021-01-30"},"messages":["bluezone-install"],`+
			`"share_percent":20,"areas":["quang-ngai"],"first":"`+today+`","last":"`+later+`"}`)
	put("viet-ads", "/api/v1/users/lan",
		`{"owner":"viet-ads","role":"editor","name":"Nguyễn Thị Lan","phone":"0255 3822 123"}`)
	put("viet-ads", "/api/v1/users/minh", `{"owner":"viet-ads","role":"viewer","name":"Trần Quang Minh","disabled":true}`)
	put("viet-ads", "/api/v1/signs/va-002",
		`{"owner":"viet-ads","name":"Cầu Trà Khúc","class":"128x64-rgb","areas":["quang-ngai/son-tinh"],`+
			`"test":true,"pitch_mm":10,"distance_m":30,"phone":"0255 3822 123","position":{"lat":15.14,"lon":108.79},`+
			`"out_of_service":"Thay mô-đun nguồn","playlist":"ban-ngay","rules":{"off":[{"from":"23:00","until":"05:00"}]}}`)
}

// linkOf is the path of a link that lets somebody in.
func linkOf(t *testing.T, c *caller, as, user string) string {
	t.Helper()
	_, text, _ := c.do(as, "POST", "/api/v1/users/"+user+"/link", "{}")
	var link struct{ Path string }
	if err := json.Unmarshal([]byte(text), &link); err != nil || link.Path == "" {
		t.Fatal(text)
	}
	return link.Path
}

// media is how the reader wants colours: "light" or "dark".
func media(scheme string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		return emulation.SetEmulatedMedia().WithFeatures(
			[]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}).Do(ctx)
	})
}

// Every page as a company and as the department has it: nothing is wider than
// the screen, no console error, no other host. With LEDCAST_SCREENS=DIR it is
// the command that makes every page's picture, in both languages and widths,
// light and dark.
func TestChromiumPages(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	type look struct {
		width        int64
		lang, scheme string
	}
	looks := []look{{390, "vi", "dark"}, {1280, "vi", "light"}, {1440, "en", "light"}, {1440, "vi", "dark"}}
	if raceEnabled { // the server is the same for each
		looks = looks[:1]
	}
	if os.Getenv("LEDCAST_SCREENS") != "" {
		looks = nil
		for _, w := range []int64{1440, 390} {
			for _, l := range web.Languages {
				looks = append(looks, look{w, l, "dark"}, look{w, l, "light"})
			}
		}
	}
	for _, who := range []string{"viet-ads", "admin"} {
		addresses := web.Addresses("demo-128x64")
		var names []string
		for n := range addresses {
			names = append(names, n)
		}
		addresses["map"] = "/?view=map"
		addresses["schedule"] += "?sign=demo-128x64"
		if names = append(names, "map"); who == "admin" { // what it has besides, or otherwise
			names = []string{"wall", "sign", "playlists", "schedule", "people", "urgent", "campaigns", "reports", "settings",
				"areas"}
			addresses["sign"] = "/signs/va-002"
		}
		slices.Sort(names)
		v := chromium(t, c.base)
		v.run("enter", v.size(1440), chromedp.Navigate(c.base+linkOf(t, c, "admin", who)), press("Vào"),
			chromedp.WaitVisible("#set input[name=password]"),
			chromedp.SendKeys("#set input[name=password]", "mot mat khau that dai"), press("Đặt mật khẩu"),
			until(`document.querySelector('article.sign')`))
		for _, l := range looks {
			scheme := media(l.scheme)
			for _, n := range names {
				name := fmt.Sprintf("%s-%s-%d-%s-%s", who, n, l.width, l.lang, l.scheme)
				address := addresses[n]
				if glue := "?lang="; slices.Contains([]byte(address), '?') {
					address += "&" + glue[1:] + l.lang
				} else {
					address += glue + l.lang
				}
				v.run(name, v.size(l.width), scheme, chromedp.Navigate(c.base+address),
					until(`document.readyState === 'complete' && document.querySelector('main').innerText.length > 25`),
					chromedp.Sleep(300*time.Millisecond))
				if os.Getenv("LEDCAST_SCREENS") != "" {
					v.run(name, chromedp.Sleep(700*time.Millisecond))
				}
				v.fits(name)
				v.small(name)
				if l.width == 1440 { // the menu stays on one line, however many pages one has
					var high float64
					v.run(name, chromedp.Evaluate(`document.querySelector('.top').offsetHeight`, &high))
					if high > 64 {
						t.Errorf("%s: the head of the page is %.0f px high", name, high)
					}
				}
				v.shoot(name)
			}
		}
		v.quiet()
	}
}
