package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/web"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// fakeWall is an API with many signs that are never still: every sign shows
// something else every 8 s, and each tenth a strip that moves.
type fakeWall struct {
	signs  int
	frames [][]byte
	began  time.Time
}

func (f *fakeWall) view(i int, now time.Time) api.SignView {
	id := fmt.Sprintf("sign-%04d", i)
	v := api.SignView{ID: id, Name: fmt.Sprintf("Ngã tư số %d", i), Owner: fmt.Sprintf("owner-%d", i%40),
		OwnerName: fmt.Sprintf("Công ty Quảng cáo %d", i%40), Class: "128x64-rgb", W: 128, H: 64,
		Colour: "rgb", Areas: []string{"quang-ngai/son-tinh"}, Mode: "program", Pitch: 10, TimeZone: playlists.DefaultZone,
		State: "online", HeardMS: now.UnixMilli(), ShotMS: now.UnixMilli(), Clock: "trusted", Seq: 5, Wanted: 5,
		Position: &playlists.Place{Lat: 14.6 + float64(i%50)/60, Lon: 108.3 + float64(i/50)/60}}
	slot := int(now.Sub(f.began)/time.Second+time.Duration(i)) / 8
	v.Showing = &api.Showing{AtMS: now.UnixMilli(), Item: "item", Title: fmt.Sprintf("Bật Bluezone, lần %d", slot),
		Owner: "public", Why: "program", Rule: "default", Frame: fmt.Sprint((slot + i) % len(f.frames)), Percent: 100,
		UntilMS: now.UnixMilli() + 8000}
	switch {
	case i%10 == 3:
		v.Showing.Scroll = &timeline.Scroll{Axis: "x", PxS: 30}
	case i%31 == 7:
		v.State, v.Showing = "offline", nil
	case i%53 == 9:
		v.State = "stale"
	case i == 1: // it has not said that it has what it should have
		v.Wanted = 6
	case i == 2: // its plan cannot be made
		v.Problem = "too long"
	}
	return v
}

func (f *fakeWall) handler(t *testing.T) http.Handler {
	t.Helper()
	pages, err := web.New(web.Options{RootsHere: func() bool { return false },
		KeysEnd: func() time.Time { return time.Now().AddDate(1, 0, 0) }, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	say := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // the client went away
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.HandleFunc("GET /api/v1/me", func(w http.ResponseWriter, _ *http.Request) {
		say(w, api.Me{ID: "user:officer", Owner: playlists.Public, Role: playlists.RoleViewer})
	})
	mux.HandleFunc("GET /api/v1/clock", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"at_ms":1,"in_doubt":false,"waits":false,"confirmed":true}`) // the page went away
	})
	mux.HandleFunc("GET /api/v1/areas", func(w http.ResponseWriter, _ *http.Request) {
		say(w, map[string]any{"items": []playlists.Area{{Code: "quang-ngai", Name: "Tỉnh Quảng Ngãi"},
			{Code: "quang-ngai/son-tinh", Name: "Huyện Sơn Tịnh"}}})
	})
	mux.HandleFunc("GET /api/v1/signs", func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now()
		views := make([]api.SignView, f.signs)
		for i := range views {
			views[i] = f.view(i, now)
		}
		say(w, map[string]any{"now_ms": now.UnixMilli(), "signs": views})
	})
	mux.HandleFunc("GET /api/v1/signs/{id}/frames/{n}", func(w http.ResponseWriter, r *http.Request) {
		var n int
		if _, err := fmt.Sscan(r.PathValue("n"), &n); err != nil || n >= len(f.frames) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(f.frames[n])
	})
	for _, kind := range []string{"playlists", "schedules"} {
		mux.HandleFunc("GET /api/v1/owners/public/"+kind,
			func(w http.ResponseWriter, _ *http.Request) { say(w, map[string]any{"items": []any{}}) })
	}
	mux.HandleFunc("GET /api/v1/signs/{id}/snapshot.png", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(f.frames[0])
	})
	mux.HandleFunc("GET /api/v1/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		out := http.NewResponseController(w)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		told := make([]string, f.signs)
		for {
			now := time.Now()
			for i, sent := 0, 0; i < f.signs && sent < 256; i++ { // as many as the real one's queue holds
				v := f.view(i, now)
				key := v.State
				if v.Showing != nil {
					key += v.Showing.Title
				}
				if told[i] == key {
					continue
				}
				told[i], sent = key, sent+1
				text, err := json.Marshal(map[string]any{"now_ms": now.UnixMilli(), "sign": v})
				if err != nil {
					return
				}
				_, _ = fmt.Fprintf(w, "event: sign\ndata: %s\n\n", text)
			}
			if out.Flush() != nil {
				return
			}
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
			}
		}
	})
	return mux
}

// watchPage notes when the first face is there and every task that is long.
const watchPage = `
window.seen = { long: [], first: 0 };
new PerformanceObserver((l) => {
	for (const e of l.getEntries()) seen.long.push(Math.round(e.duration));
}).observe({ type: 'longtask', buffered: true });
new MutationObserver((_, o) => {
	if (document.querySelector('article.sign .face canvas')) {
		o.disconnect();
		requestAnimationFrame(() => setTimeout(() => { seen.first = performance.now(); }));
	}
}).observe(document, { childList: true, subtree: true });
`

// scrollAll scrolls through the wall as somebody who is looking for something,
// and answers what it took.
const scrollAll = `(async () => {
	const before = seen.long.length;
	const frames = [];
	const root = document.scrollingElement;
	root.scrollTop = 0;
	let last = performance.now();
	const began = last;
	while (root.scrollTop + innerHeight < root.scrollHeight - 2 && performance.now() - began < %d) {
		root.scrollTop += 120;
		await new Promise(requestAnimationFrame);
		const now = performance.now();
		frames.push(now - last);
		last = now;
	}
	frames.sort((a, b) => a - b);
	return { Longest: Math.max(0, ...seen.long.slice(before)), Tasks: seen.long.length - before, Frames: frames.length,
		P50: frames[frames.length >> 1], P99: frames[Math.floor(frames.length * 0.99)],
		Cards: document.querySelectorAll('article.sign').length, At: root.scrollTop };
})()`

// The wall with 2,000 signs: there at once, and never stuck while somebody
// scrolls. LEDCAST_WALL_MINUTES watches its memory for longer.
func TestChromiumWall2000(t *testing.T) {
	browsers(t)
	f := &fakeWall{signs: 2000, began: time.Now()}
	for i := range 24 {
		f.frames = append(f.frames, squares(t, i))
	}
	srv := httptest.NewServer(f.handler(t))
	defer srv.Close()
	defer srv.CloseClientConnections()
	v := chromium(t, srv.URL)
	var first struct{ First, Answer, Load float64 }
	v.run("open", v.size(1440), chromedp.ActionFunc(addScript), chromedp.Navigate(srv.URL+"/?lang=vi"),
		until(`seen.first`),
		chromedp.Evaluate(`({ First: seen.first,
			Answer: performance.getEntriesByType('resource').find((e) => e.name.endsWith('/api/v1/signs')).responseEnd,
			Load: Math.max(0, ...seen.long) })`, &first))
	t.Logf("first face %.0f ms after the page was asked for, %.0f ms after the signs were there; longest task %.0f ms",
		first.First, first.First-first.Answer, first.Load)
	v.run("settle", chromedp.Sleep(2*time.Second)) // the first events are all 2,000 signs
	var s struct {
		Longest, P50, P99, At float64
		Tasks, Frames, Cards  int
	}
	scroll := func(ms int) {
		s.Longest = 0
		v.run("scroll", chromedp.Evaluate(fmt.Sprintf(scrollAll, ms), &s,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		t.Logf("%d frames to %.0f px: p50 %.1f ms, p99 %.1f ms; %d tasks over 50 ms, the longest %.0f ms; %d cards built",
			s.Frames, s.At, s.P50, s.P99, s.Tasks, s.Longest, s.Cards)
		if s.Cards > 60 {
			t.Errorf("%d cards are built at once", s.Cards)
		}
	}
	// Others use this machine too, under the race detector the server above all:
	// it is the pages' fault if it is so each time.
	const tries = 6
	for i := range tries {
		if scroll(6000); s.Longest <= 100 || raceEnabled {
			break
		}
		if i == tries-1 {
			t.Errorf("in each of %d scrolls a task over 100 ms, in the last one of %.0f ms", tries, s.Longest)
		}
	}
	heap := func() (mib float64) {
		v.run("heap", chromedp.ActionFunc(collectGarbage), chromedp.Evaluate(`performance.memory.usedJSHeapSize / 1048576`,
			&mib))
		return mib
	}
	begin := heap()
	t.Logf("heap %.1f MiB", begin)
	var minutes int
	if text := os.Getenv("LEDCAST_WALL_MINUTES"); text != "" {
		if _, err := fmt.Sscan(text, &minutes); err != nil {
			t.Fatal(err)
		}
	}
	for i := range minutes {
		scroll(25000)
		v.run("look", chromedp.Sleep(25*time.Second))
		t.Logf("minute %d: heap %.1f MiB", i+1, heap())
	}
	if end := heap(); end > begin*1.5+10 {
		t.Errorf("the heap grew from %.1f to %.1f MiB", begin, end)
	}
	v.run("the map", chromedp.Click(`[data-view=map]`), until(`document.querySelectorAll('#map a.on-map').length > 50`))
	v.shoot("wall-2000-map")
	v.quiet()
}

func addScript(ctx context.Context) error {
	_, err := page.AddScriptToEvaluateOnNewDocument(watchPage).Do(ctx)
	return err
}

func collectGarbage(ctx context.Context) error { return heapprofiler.CollectGarbage().Do(ctx) }

// squares is a frame that is unlike others.
func squares(t *testing.T, n int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 128, 64))
	for y := range 64 {
		for x := range 128 {
			if (x/8+y/8+n)%3 == 0 {
				m.Set(x, y, color.RGBA{uint8(n * 10), uint8(x * 2), uint8(y * 4), 255})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A sign's light is good only when it has said that it has the program that it
// should have, on the wall and on the map.
func TestChromiumLight(t *testing.T) {
	browsers(t)
	f := &fakeWall{signs: 4, began: time.Now(), frames: [][]byte{squares(t, 0)}}
	srv := httptest.NewServer(f.handler(t))
	defer srv.Close()
	defer srv.CloseClientConnections()
	v := chromium(t, srv.URL)
	var lights, marks []string
	v.run("wall", v.size(1440), chromedp.Navigate(srv.URL+"/?lang=vi"),
		until(`document.querySelectorAll('article.sign .badge').length > 5`),
		chromedp.Evaluate(`[...document.querySelectorAll('article.sign')]
			.map((a) => a.querySelector('.badge').classList.contains('good') ? 'good' : 'not')`, &lights),
		chromedp.Click(`[data-view=map]`), until(`document.querySelectorAll('#map a.on-map').length > 0`),
		chromedp.Evaluate(`[...document.querySelectorAll('#map a.on-map')]
			.map((a) => a.classList.contains('behind') ? 'behind' : 'good')`, &marks))
	if want := "[good not not good]"; fmt.Sprint(lights) != want {
		t.Errorf("the lights are %v, want %v", lights, want)
	}
	if !slices.Contains(marks, "behind") {
		t.Errorf("the map's marks are %v", marks)
	}
	v.shoot("light-map")
	v.quiet()
}
