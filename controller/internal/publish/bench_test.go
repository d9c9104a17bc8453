package publish

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/plan"
)

// many returns a world of n program signs of 40 classes that carry 500 playlists
// of 100 companies, with dayparts, a campaign and agreements.
func many(n int) (*world, *Publisher) {
	w, _ := newWorld()
	w.signs, w.drawing = nil, map[string]*playlists.Artwork{}
	w.messages["public/blue"] = &playlists.Message{ID: "blue", Owner: "public"}
	for c := range 100 {
		owner := fmt.Sprintf("owner-%d", c)
		for l := range 5 {
			list := &playlists.Playlist{ID: fmt.Sprintf("list-%d", l), Owner: owner}
			for m := range 7 {
				id := fmt.Sprintf("m-%d-%d", l, m)
				w.messages[owner+"/"+id] = &playlists.Message{ID: id, Owner: owner}
				list.Items = append(list.Items, playlists.Item{Message: id, Weight: playlists.Plays(1 + m%3)})
			}
			w.lists[owner+"/"+list.ID] = list
		}
		w.schedules = append(w.schedules,
			plan.Dated[playlists.Schedule]{Thing: playlists.Schedule{ID: "day", Owner: owner,
				Playlist: "list-3", Window: playlists.Window{From: "07:00", Until: "19:00"}}},
			plan.Dated[playlists.Schedule]{Thing: playlists.Schedule{ID: "sunday", Owner: owner,
				Playlist: "list-4", Priority: 5, Window: playlists.Window{Days: []string{"sun"}}}})
		w.agreements = append(w.agreements, playlists.Agreement{ID: "ag", Owner: owner, SharePercent: 25})
	}
	w.campaigns = []playlists.Campaign{{ID: "bluezone", Letter: playlists.Letter{Number: "1", Date: "2021-01-29"},
		Messages: []string{"blue"}, SharePercent: 20, Areas: []string{"quang-ngai"}, First: "2021-01-01", Last: "2099-12-31"}}
	for i := range n {
		w.signs = append(w.signs, playlists.Sign{ID: fmt.Sprintf("sign-%d", i), Owner: fmt.Sprintf("owner-%d", i%100),
			Class: playlists.Class{W: 64 + 8*(i/100%40), H: 64, Colour: playlists.RGB},
			Areas: []string{"quang-ngai/son-tinh"}, Playlist: fmt.Sprintf("list-%d", i/7%3),
			Position: &playlists.Place{Lat: 15.1, Lon: 108.8}})
	}
	return w, New(Options{Broker: w, Catalogue: w, Artist: w, Ledger: w, Keys: w, Now: time.Now,
		Log: slog.New(slog.DiscardHandler)})
}

// BenchmarkPlanAndSign plans and signs every program and publishes nothing.
func BenchmarkPlanAndSign(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("signs=%d", n), func(b *testing.B) {
			var most uint64
			w, first := many(n) // draws everything once, outside of the measurement
			if err := first.plan(b.Context(), w.signs, true); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				w.latest, w.notes = map[string]*playlists.Issued{}, nil
				first = nil
				p := New(Options{Broker: w, Catalogue: w, Artist: w, Ledger: w, Keys: w, Now: time.Now,
					Log: slog.New(slog.DiscardHandler)})
				if err := p.plan(b.Context(), w.signs, true); err != nil {
					b.Fatal(err)
				}
				if len(p.plans) != n {
					b.Fatalf("%d plans: %v", len(p.plans), p.problems)
				}
				size := 0
				for _, x := range w.latest {
					size += len(x.JWS)
				}
				w.notes, w.latest = nil, nil // a store keeps them on disk
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				held := m.HeapAlloc
				runtime.KeepAlive(p)
				p = nil // only the drawn content is left
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, held-m.HeapAlloc)
				runtime.KeepAlive(w)
				b.ReportMetric(float64(size/n), "B-document")
			}
			b.ReportMetric(float64(most)/(1<<20), "MiB-held")
		})
	}
}

// BenchmarkNothingChanged plans when nothing changed.
func BenchmarkNothingChanged(b *testing.B) {
	for _, n := range []int{10_000} {
		w, p := many(n)
		if err := p.plan(b.Context(), w.signs, true); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("signs=%d", n), func(b *testing.B) {
			for b.Loop() {
				if err := p.plan(b.Context(), w.signs, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOnePlaylist measures the time from a company's change to a playlist
// until the broker has the new programs of its signs.
func BenchmarkOnePlaylist(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("signs=%d", n), func(b *testing.B) {
			w, p := many(n)
			if err := p.Reconcile(b.Context()); err != nil {
				b.Fatal(err)
			}
			list, k := w.lists["owner-7/list-1"], 0
			changed := 0
			for b.Loop() {
				b.StopTimer()
				k++
				c := *list
				c.Items = append([]playlists.Item(nil), list.Items...)
				c.Items[0].Weight = playlists.Plays(1 + k%3)
				w.lists["owner-7/list-1"] = &c
				var some []playlists.Sign
				for i := range w.signs {
					if w.signs[i].Owner == "owner-7" {
						some = append(some, w.signs[i])
					}
				}
				w.sent = nil
				b.StartTimer()
				if err := p.plan(b.Context(), some, false); err != nil {
					b.Fatal(err)
				}
				if err := p.publishSome(b.Context(), some); err != nil {
					b.Fatal(err)
				}
				changed = len(w.sent)
			}
			b.ReportMetric(float64(changed), "messages")
		})
	}
}
