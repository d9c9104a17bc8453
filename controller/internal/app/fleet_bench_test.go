package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/simulate"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// fleetClasses are 40 classes, from small to large.
func fleetClass(i int) playlists.Class {
	return playlists.Class{W: 64 + 8*(i%20), H: 32 + 32*(i/20%2), Colour: playlists.RGB}
}

// fill writes n program signs of 40 classes that carry 500 playlists of 100
// companies of the department's messages, with dayparts, a campaign and what
// companies have agreed to.
func fillFleet(b *testing.B, dir string, n int) {
	b.Helper()
	ctx := b.Context()
	s, err := datadir.OpenStore(ctx, dir, "")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	now := time.Now()
	set := func(t playlists.Thing) {
		if err == nil {
			err = keep(ctx, s, t, now)
		}
	}
	for m := range 35 {
		set(&playlists.Message{ID: fmt.Sprintf("m-%d", m), Owner: playlists.Public,
			Variants: []playlists.Variant{{Lang: "vi", Headline: fmt.Sprintf("TIN %d", m), Body: "Thực hiện 5K"}}})
	}
	for c := range 100 {
		owner := fmt.Sprintf("owner-%d", c)
		set(&playlists.Owner{ID: owner, Name: owner})
		for l := range 5 {
			list := &playlists.Playlist{ID: fmt.Sprintf("list-%d", l), Owner: owner}
			for m := range 7 {
				list.Items = append(list.Items, playlists.Item{Message: fmt.Sprintf("public/m-%d", (l*7+m+c)%35),
					Weight: playlists.Plays(1 + (m+c)%3)})
			}
			set(list)
		}
		set(&playlists.Schedule{ID: "day", Owner: owner, Playlist: "list-3",
			Window: playlists.Window{From: "07:00", Until: "19:00"}})
		set(&playlists.Schedule{ID: "sunday", Owner: owner, Playlist: "list-4", Priority: 5,
			Window: playlists.Window{Days: []string{"sun"}}})
		set(&playlists.Agreement{ID: "ag", Owner: owner, SharePercent: 25})
	}
	set(&playlists.Area{Code: "quang-ngai", Name: "Quảng Ngãi"})
	set(fleetCampaign(20))
	for i := range n {
		id := fmt.Sprintf("sign-%d", i)
		set(&playlists.Sign{ID: id, Owner: fmt.Sprintf("owner-%d", i%100), Class: fleetClass(i / 100),
			Areas: []string{"quang-ngai"}, Playlist: fmt.Sprintf("list-%d", i/7%3),
			Position: &playlists.Place{Lat: 15.1, Lon: 108.8}})
	}
	if err != nil {
		b.Fatal(err)
	}
}

func fleetCampaign(percent int64) *playlists.Campaign {
	return &playlists.Campaign{ID: "bluezone", Letter: playlists.Letter{Number: "1", Date: "2021-01-29"},
		Messages:     []string{"m-0"},
		SharePercent: percent, Areas: []string{"quang-ngai"}, First: "2021-01-01", Last: "2099-12-31"}
}

// keep writes a thing over whatever is there, without asking anybody.
func keep(ctx context.Context, s store.Store, t playlists.Thing, now time.Time) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	key := t.Key()
	_, err = s.Objects().Put(ctx, store.Object{Kind: string(key.Kind), Owner: key.Owner,
		ID: key.ID, Data: data, UpdatedMS: now.UnixMilli()}, store.AnyVersion)
	return err
}

// The whole way with a real database and a real broker: planning, signing,
// keeping and publishing every sign's program; then one playlist of twenty signs
// is changed, its check at the door included, until the broker has handed their programs to somebody
// who listens. LEDCAST_FLEET sets another number of signs.
//
// peak-MiB is of the whole process, the drawings (which are made before the clock
// runs), the broker's copy and the test among it.
func BenchmarkFleet(b *testing.B) {
	n := 10_000
	if x, err := strconv.Atoi(os.Getenv("LEDCAST_FLEET")); err == nil {
		n = x
	}
	app.SaveMemory()
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		fillFleet(b, dir, n)
		a, err := app.New(b.Context(), app.Options{Data: dir, Listen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0",
			Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := a.People().FirstAdmins(b.Context()); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		a.FilesWritten()
		a.Kick()
		fleetReady(b, a)
		cold := time.Since(began) // draws, too
		// Everything again: the campaign's share changes on every sign, so that
		// each program is planned and signed anew, and nothing has to be drawn.
		_, peakCold := simulate.Usage()
		again := time.Now()
		b.StartTimer()
		if err := keep(b.Context(), a.Store(), fleetCampaign(25), time.Now()); err != nil {
			b.Fatal(err)
		}
		if err := a.Publisher().Reconcile(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		warm := time.Since(again)
		_, peak := simulate.Usage()
		if app.PartsOf(a).Publisher.Programs() != n {
			b.Fatalf("%d programs", app.PartsOf(a).Publisher.Programs())
		}
		one := changeOne(b, a, n)
		b.ReportMetric(cold.Seconds(), "s-with-drawing")
		b.ReportMetric(warm.Seconds(), "s-plan-sign-keep-publish")
		b.ReportMetric(float64(peakCold)/(1<<20), "peak-MiB-with-drawing")
		b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
		b.ReportMetric(float64(one.Milliseconds()), "ms-one-playlist")
		if err := a.Stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func fleetReady(b *testing.B, a *app.App) {
	b.Helper()
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for a.Ready() != nil {
		<-t.C
	}
}

// changeOne changes a playlist that twenty signs carry and waits until a client
// at the broker has got twenty new programs.
func changeOne(b *testing.B, a *app.App, n int) time.Duration {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	const signs = 20
	if err := keep(ctx, a.Store(), &playlists.Playlist{ID: "special", Owner: "owner-7",
		Items: []playlists.Item{{Message: "public/m-1"}, {Message: "public/m-2"}}}, time.Now()); err != nil {
		b.Fatal(err)
	}
	var chosen []string
	for i := 7; len(chosen) < signs && i < n; i += 100 {
		id := fmt.Sprintf("sign-%d", i)
		s, err := a.Sign(ctx, id)
		if err != nil {
			b.Fatal(err)
		}
		special := *s
		special.Playlist = "special"
		if err := keep(ctx, a.Store(), &special, time.Now()); err != nil {
			b.Fatal(err)
		}
		chosen = append(chosen, id)
	}
	a.Kick()
	fleetReady(b, a)
	got := make(chan string, 1000)
	up := make(chan link.Conn, 1)
	l, err := link.New(link.Options{Broker: a.BrokerAddr(), ClientID: "controller-bench", Username: a.BrokerLogin().User,
		Password: a.BrokerLogin().Password, Log: slog.New(slog.DiscardHandler),
		Up:      func(c link.Conn) { up <- c },
		Message: func(m link.Message) { got <- m.Topic }})
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	defer func() { cancel(); <-done }()
	conn := <-up
	for _, id := range chosen {
		if err := conn.Subscribe(ctx, map[string]byte{wire.SignTopic(id, wire.LeafProgram): 0}); err != nil {
			b.Fatal(err)
		}
	}
	for range chosen {
		<-got // what is retained
	}
	began := time.Now()
	value := &playlists.Playlist{ID: "special", Owner: "owner-7",
		Items: []playlists.Item{{Message: "public/m-1", Weight: 3}, {Message: "public/m-2"}, {Message: "public/m-3"}}}
	who := &playlists.Principal{ID: "token:bench", Owner: "owner-7", Role: playlists.RoleAdmin}
	if _, err := app.PartsOf(a).Things.Put(ctx, who, value, store.AnyVersion, nil); err != nil {
		b.Fatal(err)
	}
	for range chosen {
		<-got
	}
	return time.Since(began)
}
