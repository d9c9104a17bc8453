package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/playlists/manifest"
	"ledcast/sign/box"
)

// yieldFor is how long a virtual sign stays away after an outside client that
// took its session has left.
const yieldFor = 10 * time.Second

// demoManifest is the demo's two companies and four signs. They show the
// default rotation.
func demoManifest() *manifest.Manifest {
	class := func(s string) playlists.Class {
		c, err := playlists.ParseClass(s)
		if err != nil {
			panic(err) // a constant below is wrong
		}
		return c
	}
	sign := func(id, owner, name, c, area string, mode playlists.Mode) playlists.Sign {
		return playlists.Sign{Position: &playlists.Place{Lat: 15.12, Lon: 108.80}, ID: id, Owner: owner, Name: name, Class: class(c), Areas: []string{"quang-ngai/" + area}, Mode: mode}
	}
	return &manifest.Manifest{
		Owners: []playlists.Owner{
			{ID: "viet-ads", Name: "Công ty Quảng cáo Việt"},
			{ID: "song-tra-ads", Name: "Quảng cáo Sông Trà"},
		},
		Signs: []playlists.Sign{
			sign("demo-64x32", "viet-ads", "Chợ Quảng Ngãi", "64x32-red", "thanh-pho-quang-ngai", playlists.ModeProgram),
			sign("demo-128x64", "viet-ads", "Ngã tư Ba La", "128x64-rgb", "thanh-pho-quang-ngai", playlists.ModeProgram),
			sign("demo-320x160", "song-tra-ads", "Quảng trường Phạm Văn Đồng", "320x160-rgb", "thanh-pho-quang-ngai", playlists.ModeProgram),
			sign("demo-picture", "song-tra-ads", "Bến xe Sơn Tịnh", "128x64-rgb", "son-tinh", playlists.ModePicture),
		},
	}
}

// Demo is the virtual signs beside a running App.
type Demo struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// StartDemo sets up the demo's companies and signs, writes their config files
// to DIR/signs (mode 0600), and runs a virtual sign for each of them.
func (a *App) StartDemo(ctx context.Context) (*Demo, error) {
	if a.broker == nil {
		return nil, errors.New("the demo needs the embedded broker; leave --broker out")
	}
	m := demoManifest()
	if err := a.apply(ctx, m, store.Absent); err != nil {
		return nil, err
	}
	dir := filepath.Join(a.o.Data, "signs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sign configs: %w", err)
	}
	run, cancel := context.WithCancel(context.Background())
	d := &Demo{cancel: cancel}
	for i := range m.Signs { // signs that people have added are their own
		id := m.Signs[i].ID
		s, err := get[playlists.Sign](ctx, a.store, kindSign, "", id)
		var conf box.Config
		if err == nil {
			conf, err = a.signConfig(ctx, s, filepath.Join(dir, id+".json"))
		}
		if err == nil {
			err = d.runSign(run, a, conf)
		}
		if err != nil {
			d.Stop()
			return nil, fmt.Errorf("sign %s: %w", id, err)
		}
	}
	if err := a.demoTokens(ctx); err != nil {
		d.Stop()
		return nil, err
	}
	a.FilesWritten()
	a.Kick()
	return d, nil
}

// DemoGuest is who looks at the demo's wall from its own machine: a viewer of
// the department, who changes nothing.
func DemoGuest() *playlists.Principal {
	return &playlists.Principal{ID: "guest", Owner: playlists.Public, Role: playlists.RoleViewer}
}

// demoPeople are the demo's people: each has a token of its name in
// DIR/tokens.json, made anew at each start, and signs in to the pages by a link.
var demoPeople = []playlists.User{
	{ID: AdminUser, Owner: playlists.Public, Role: playlists.RoleAdmin, Name: "Quản trị"},
	{ID: "author", Owner: playlists.Public, Role: playlists.RoleAuthor, Name: "Người soạn"},
	{ID: "approver", Owner: playlists.Public, Role: playlists.RoleApprover, Name: "Người duyệt"},
	{ID: "viet-ads", Owner: "viet-ads", Role: playlists.RoleAdmin, Name: "Công ty Quảng cáo Việt"},
	{ID: "song-tra-ads", Owner: "song-tra-ads", Role: playlists.RoleAdmin, Name: "Quảng cáo Sông Trà"},
}

func (a *App) demoTokens(ctx context.Context) error {
	tokens := map[string]auth.Token{}
	for i := range demoPeople {
		u := demoPeople[i]
		if err := a.addUser(ctx, &u); err != nil {
			return err
		}
		tokens[u.ID] = auth.Token{Owner: u.Owner, Role: u.Role}
	}
	return a.issueTokens(ctx, demoTokenLife, tokens)
}

// demoTokenLife is how long the demo's tokens live, which each start makes anew.
const demoTokenLife = 30 * 24 * time.Hour

// signConfig writes a sign's config file, and keeps the password that an
// earlier start gave it, so that a sign that somebody attached comes back.
func (a *App) signConfig(ctx context.Context, s *playlists.Sign, path string) (box.Config, error) {
	conf, err := a.config(ctx, s)
	if err != nil {
		return conf, err
	}
	if old, err := box.LoadConfig(path); err == nil && a.Enrolled(s.ID, old.Password) {
		conf.Password = old.Password
	} else {
		conf.Password = secret()
		if err := a.Enrol(ctx, s, conf.Password); err != nil {
			return conf, err
		}
	}
	return conf, writePrivate(path, conf)
}

// writePrivate replaces path with v as JSON, readable by its owner only.
func writePrivate(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return replacePrivate(path, append(data, '\n'))
}

// runSign runs a virtual sign: a real one, with its own folder, over MQTT. It
// yields to an outside client that takes its session.
func (d *Demo) runSign(ctx context.Context, a *App, conf box.Config) error {
	id := conf.Sign
	b, err := box.New(box.Options{
		Config: conf, Dir: filepath.Join(a.o.Data, "virtual", id), Software: "ledcast " + a.o.Software + " (virtual)", Log: a.log,
		Opened: a.presence.opened,
		Gate: func(ctx context.Context) error {
			t := time.NewTicker(250 * time.Millisecond)
			defer t.Stop()
			for !a.presence.free(id, a.now(), yieldFor) {
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
			a.log.Error("virtual sign stopped", "sign", id, "err", err)
		}
	}()
	return nil
}

// Stop ends the virtual signs.
func (d *Demo) Stop() {
	d.cancel()
	d.done.Wait()
}
