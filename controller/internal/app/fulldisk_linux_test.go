package app_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/demo"
	"ledcast/playlists"
)

// smallDisk is a file system of so many bytes. It needs the right to mount one.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("no file system of its own: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all the room of a file system and returns what gives it back.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1 << 20, 4096, 1} { // to the last byte
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, n))
		}
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(f.Close(), os.Remove(path)); err != nil {
			t.Error(err)
		}
	}
}

// On a full disk an urgent message can be approved and cancelled; everything else is refused by name, the controller is
// not ready and says why; with room again all goes on.
func TestFullDisk(t *testing.T) {
	slow(t)
	t.Parallel()
	data := smallDisk(t, 48<<20)
	a, err := app.New(t.Context(), app.Options{Data: data, Listen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0",
		Software: "test", Guest: demo.Guest(), Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	dm, err := demo.Start(t.Context(), a, demo.Options{Data: data, Software: "test", Now: time.Now,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	d := inside(a, dm, data)
	defer d.stop(t)
	c := newCaller(t, d)
	d.ready(t)
	c.approved(order("before", time.Now().Add(time.Hour), nil))
	c.shows("before", 3, 1)
	empty := fill(t, data)
	random := rand.New(rand.NewPCG(5, 6))
	edit := func(status int, says string) {
		t.Helper()
		body := fmt.Sprintf(`{"variants":[{"lang":"vi","body":%q}]}`, strings.Repeat("một ", 20+random.IntN(30)))
		for i := range 200 { // what SQLite has room for in its files is taken first
			path := fmt.Sprintf("/api/v1/owners/public/messages/m-%d", random.IntN(1<<30))
			got, text, _ := c.do("admin", "PUT", path, body)
			if got == status && strings.Contains(text, says) {
				return
			}
			if got != 201 || i == 199 {
				t.Fatalf("an edit: %d %s; want %d", got, text, status)
			}
		}
	}
	edit(507, "disk-full")
	if err := d.source.Ready(); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("it is ready: %v", err)
	}
	c.want("author", "POST", "/api/v1/alerts/before/cancel", map[string]bool{}, 200, nil)
	eventually(t, "it is off the faces", func() bool {
		return d.source.Heard("demo-128x64").Item != "before"
	})
	edit(507, "disk-full") // nobody takes the reserve's room
	for i := range 5 {
		id := fmt.Sprintf("during-%d", i)
		c.approved(order(id, time.Now().Add(time.Hour), nil))
		c.want("author", "POST", "/api/v1/alerts/"+id+"/cancel", map[string]bool{}, 200, nil)
	}
	c.approved(order("last", time.Now().Add(time.Hour), nil))
	eventually(t, "it shows", func() bool { return d.source.Heard("demo-128x64").Item == "last" })
	empty()
	edit(201, "")
	eventually(t, "ready again", func() bool { return d.source.Ready() == nil })
	if v := c.alert("before"); v.State != playlists.AlertEnded {
		t.Errorf("what was acknowledged is %s", v.State)
	}
}

// A database that is removed, replaced or emptied while the controller runs: nothing is acknowledged any more, and at
// the next start nothing begins anew beside the rest.
func TestDatabaseVanishes(t *testing.T) {
	slow(t)
	for name, lose := range map[string]func(path string) error{
		"removed": os.Remove,
		"emptied": func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			o := app.Options{Data: data, Listen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0", Guest: demo.Guest(), Demo: true}
			a, err := app.New(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.People().FirstAdmins(t.Context()); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(data, "ledcast.db")
			for _, more := range []string{"-wal", "-shm"} {
				_ = os.Remove(path + more)
			}
			if err := lose(path); err != nil {
				t.Fatal(err)
			}
			if err := a.Ready(); err == nil || !strings.Contains(err.Error(), "ledcast.db") {
				t.Errorf("it is ready: %v", err)
			}
			err = a.Seed(t.Context(), []playlists.Thing{&playlists.Owner{ID: "late", Name: "Late"}})
			if err == nil {
				t.Error("a write was acknowledged that no start will find")
			}
			if err := a.Stop(); err != nil && !errors.Is(err, io.EOF) {
				t.Logf("stop: %v", err)
			}
			for _, more := range []string{"-wal", "-shm"} {
				_ = os.Remove(path + more)
			}
			if name == "removed" {
				_ = os.Remove(path)
			} else if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := app.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "rest of an installation") {
				t.Errorf("it begins anew: %v", err)
			}
		})
	}
}
