// Package demo sets up two companies and four virtual signs beside a running
// controller, for `controller demo`.
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/enrol"
	"ledcast/playlists"
	"ledcast/sign/box"
)

// YieldFor is how long a virtual sign stays away after an outside client that
// took its session has left.
const YieldFor = 10 * time.Second

// Things are the demo's two companies and four signs. The signs show the default
// rotation.
func Things() []playlists.Thing {
	class := func(s string) playlists.Class {
		c, err := playlists.ParseClass(s)
		if err != nil {
			panic(err) // a constant below is wrong
		}
		return c
	}
	sign := func(id, owner, name, c, area string, mode playlists.Mode) *playlists.Sign {
		return &playlists.Sign{ID: id, Owner: owner, Name: name, Class: class(c), Areas: []string{"quang-ngai/" + area},
			Mode:     mode,
			Position: &playlists.Place{Lat: 15.12, Lon: 108.80}}
	}
	return []playlists.Thing{
		&playlists.Owner{ID: "viet-ads", Name: "Công ty Quảng cáo Việt"},
		&playlists.Owner{ID: "song-tra-ads", Name: "Quảng cáo Sông Trà"},
		sign("demo-64x32", "viet-ads", "Chợ Quảng Ngãi", "64x32-red", "thanh-pho-quang-ngai", playlists.ModeProgram),
		sign("demo-128x64", "viet-ads", "Ngã tư Ba La", "128x64-rgb", "thanh-pho-quang-ngai", playlists.ModeProgram),
		sign("demo-320x160", "song-tra-ads", "Quảng trường Phạm Văn Đồng", "320x160-rgb", "thanh-pho-quang-ngai",
			playlists.ModeProgram),
		sign("demo-picture", "song-tra-ads", "Bến xe Sơn Tịnh", "128x64-rgb", "son-tinh", playlists.ModePicture),
	}
}

// Demo is the virtual signs beside a running App.
type Demo struct {
	o      Options
	app    *app.App
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Options are what the demo needs to know of its controller.
type Options struct {
	Data     string // its folder
	Software string
	Now      func() time.Time
	Log      *slog.Logger
}

// Start sets up the demo's companies and signs, writes their config files to
// DIR/signs (mode 0600), and runs a virtual sign for each of them.
func Start(ctx context.Context, a *app.App, o Options) (*Demo, error) {
	if a.Broker() == nil {
		return nil, errors.New("the demo needs the embedded broker; leave --broker out")
	}
	if err := a.Seed(ctx, Things()); err != nil {
		return nil, err
	}
	dir := filepath.Join(o.Data, "signs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sign configs: %w", err)
	}
	run, cancel := context.WithCancel(context.Background())
	d := &Demo{o: o, app: a, cancel: cancel}
	for _, t := range Things() { // signs that people have added are their own
		if t.Key().Kind != playlists.KindSign {
			continue
		}
		if err := d.startSign(ctx, run, t.Key().ID, dir); err != nil {
			d.Stop()
			return nil, fmt.Errorf("sign %s: %w", t.Key().ID, err)
		}
	}
	if err := d.issueTokens(ctx); err != nil {
		d.Stop()
		return nil, err
	}
	a.FilesWritten()
	a.Kick()
	return d, nil
}

// startSign writes a sign's config file and runs the sign. Somebody may have
// changed the sign since the demo's first start.
func (d *Demo) startSign(ctx, run context.Context, id, dir string) error {
	s, err := d.app.Sign(ctx, id)
	if err != nil {
		return err
	}
	conf, err := d.config(ctx, s, filepath.Join(dir, id+".json"))
	if err != nil {
		return err
	}
	return d.run(run, conf)
}

// Guest is the principal of requests from the demo's own machine that bring no
// credentials: a viewer of the department, who changes nothing.
func Guest() *playlists.Principal {
	return &playlists.Principal{ID: "guest", Owner: playlists.Public, Role: playlists.RoleViewer}
}

// people are the demo's people: each has a token of its name in
// DIR/tokens.json, made anew at each start, and signs in to the pages by a link.
var people = []playlists.User{
	{ID: enrol.AdminUser, Owner: playlists.Public, Role: playlists.RoleAdmin, Name: "Quản trị"},
	{ID: "author", Owner: playlists.Public, Role: playlists.RoleAuthor, Name: "Người soạn"},
	{ID: "approver", Owner: playlists.Public, Role: playlists.RoleApprover, Name: "Người duyệt"},
	{ID: "viet-ads", Owner: "viet-ads", Role: playlists.RoleAdmin, Name: "Công ty Quảng cáo Việt"},
	{ID: "song-tra-ads", Owner: "song-tra-ads", Role: playlists.RoleAdmin, Name: "Quảng cáo Sông Trà"},
}

// People are the ids of the demo's people.
func People() (ids []string) {
	for _, u := range people {
		ids = append(ids, u.ID)
	}
	return ids
}

func (d *Demo) issueTokens(ctx context.Context) error {
	tokens := map[string]auth.Token{}
	for i := range people {
		u := people[i]
		if err := d.app.People().Add(ctx, &u); err != nil {
			return err
		}
		tokens[u.ID] = auth.Token{Owner: u.Owner, Role: u.Role}
	}
	return d.app.People().IssueTokens(ctx, TokenLife, tokens)
}

// TokenLife is how long the demo's tokens live. Each start makes them anew.
const TokenLife = 30 * 24 * time.Hour

// config writes a sign's config file, and keeps the password that an earlier
// start gave it, so that a sign that somebody attached comes back.
func (d *Demo) config(ctx context.Context, s *playlists.Sign, path string) (box.Config, error) {
	fleet := d.app.Fleet()
	conf, err := fleet.Config(ctx, s)
	if err != nil {
		return conf, err
	}
	if old, err := box.LoadConfig(path); err == nil && fleet.CheckPassword(s.ID, old.Password) {
		conf.Password = old.Password
	} else {
		conf.Password = enrol.Password()
		if err := fleet.SetPassword(ctx, s, conf.Password); err != nil {
			return conf, err
		}
	}
	return conf, datadir.WriteJSON(path, conf)
}

// run runs a virtual sign: a real one, with its own folder, over MQTT. It yields
// to an outside client that takes its session.
func (d *Demo) run(ctx context.Context, conf box.Config) error {
	id := conf.Sign
	b, err := box.New(box.Options{
		Config: conf, Dir: filepath.Join(d.o.Data, "virtual", id), Software: "ledcast " + d.o.Software + " (virtual)",
		Log:    d.o.Log,
		Opened: d.app.Presence().Opened,
		Quiet:  true, // that it gives way to an outside sign is no trouble
		Gate: func(ctx context.Context) error {
			t := time.NewTicker(250 * time.Millisecond)
			defer t.Stop()
			for !d.app.Presence().Free(id, d.o.Now(), YieldFor) {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-t.C:
				}
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	d.done.Add(1)
	go func() {
		defer d.done.Done()
		if err := b.Run(ctx); err != nil {
			d.o.Log.Error("virtual sign stopped", "sign", id, "err", err)
		}
	}()
	return nil
}

// Stop ends the virtual signs.
func (d *Demo) Stop() {
	d.cancel()
	d.done.Wait()
}
