package app_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"ledcast/controller/internal/web"
)

// A company's pages never hold another's name, picture or number: searched for
// in everything that its browser was sent.
func TestChromiumNothingOfAnotherCompany(t *testing.T) {
	browsers(t)
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	furnish(t, c)
	const theirs = "/api/v1/owners/song-tra-ads/"
	c.all([]ask{
		{"song-tra-ads", "PUT", theirs + "media/bi-mat", string(onePicture(t)), []string{"Content-Type", "image/png"}, 201,
			""},
		{"song-tra-ads", "PUT", theirs + "messages/bi-mat",
			`{"image":{"media":"bi-mat"},"variants":[{"lang":"vi","caption":"Khách sạn Sông Trà"}]}`, nil, 201, ""},
		{"song-tra-ads", "PUT", theirs + "playlists/rieng", `{"name":"Riêng của Sông Trà","items":[{"message":"bi-mat"}]}`,
			nil, 201, ""},
		{"song-tra-ads", "PUT", theirs + "schedules/rieng", `{"playlist":"rieng"}`, nil, 201, ""},
		{"song-tra-ads", "PUT", "/api/v1/users/thu",
			`{"owner":"song-tra-ads","role":"editor","name":"Nguyễn Anh Thư","phone":"0255 7777 777"}`, nil, 201, ""},
	})
	file, _, err := d.media.File(t.Context(), "song-tra-ads", "bi-mat")
	if err != nil {
		t.Fatal(err)
	}
	v := chromium(t, c.base)
	var mu sync.Mutex
	seen, bytesSeen := map[network.RequestID]string{}, 0
	var bodies []string
	reading := 0 // answers that are being read; no WaitGroup: they begin while the test waits
	chromedp.ListenTarget(v.ctx, func(event any) {
		switch e := event.(type) {
		case *network.EventResponseReceived:
			mu.Lock()
			seen[e.RequestID] = e.Response.URL
			mu.Unlock()
		case *network.EventEventSourceMessageReceived:
			mu.Lock()
			bodies = append(bodies, "events: "+e.Data)
			mu.Unlock()
		case *network.EventLoadingFinished:
			mu.Lock()
			url := seen[e.RequestID]
			reading++
			mu.Unlock()
			go func() { // a listener must not ask the browser itself
				defer func() { mu.Lock(); reading--; mu.Unlock() }()
				_ = chromedp.Run(v.ctx, chromedp.ActionFunc(func(ctx context.Context) error {
					body, err := network.GetResponseBody(e.RequestID).Do(ctx)
					if err == nil { // of a page that was left it is gone
						mu.Lock()
						bodies = append(bodies, url+": "+string(body))
						bytesSeen += len(body)
						mu.Unlock()
					}
					return err
				}))
			}()
		}
	})
	v.run("a laptop", v.size(1440))
	v.enter(c, "viet-ads")
	pages := []string{"/?view=map", "/schedule?sign=demo-128x64", "/reports?kind=share", "/reports?kind=displaced",
		"/reports?kind=uptime", "/signs/va-002"}
	for _, address := range web.Addresses("demo-128x64") { // every page there is
		pages = append(pages, address)
	}
	for _, p := range append(pages, "/signs/demo-320x160") {
		if p == "/signs/demo-320x160" {
			v.expected = append(v.expected, "404") // another's sign is not there
		}
		v.run(p, chromedp.Navigate(c.base+p),
			until(`document.readyState === 'complete' &&
				document.querySelector('main').innerText.length > 25 && !document.querySelector('[aria-busy=true]')`))
		eventually(t, "every answer is read", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return reading == 0
		})
	}
	mu.Lock()
	defer mu.Unlock()
	if len(bodies) < 60 || bytesSeen < 100_000 {
		t.Fatalf("only %d answers of %d bytes were read", len(bodies), bytesSeen)
	}
	for _, body := range bodies {
		for _, secret := range []string{"song-tra-ads", "Sông Trà", "Anh Thư", "0255 7777", "Phạm Văn Đồng", "demo-320x160",
			"demo-picture", string(file)} {
			if strings.Contains(body, secret) && !strings.Contains(body[:min(len(body), 200)], "/static/") {
				at := strings.Index(body, secret)
				if secret == "demo-320x160" && strings.Contains(body[:min(len(body), 120)], "/demo-320x160") {
					continue // what was asked for stands in the answer that it is not there
				}
				t.Errorf("%.80s… holds %.20q: …%.120s…", body, secret, body[max(0, at-60):])
			}
		}
	}
	t.Logf("%d answers of %d bytes were searched", len(bodies), bytesSeen)
	v.quiet()
}
