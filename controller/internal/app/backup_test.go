package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/backup"
)

// Yesterday's file on a new machine: a sign that has seen later programs
// follows it within a minute, and the log and the pictures are there.
func TestBackupAndRestore(t *testing.T) {
	slow(t)
	t.Parallel()
	dir := t.TempDir()
	d := startDemo(t, dir)
	c := newCaller(t, d)
	picture := string(onePicture(t))
	c.all([]ask{
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/media/cho", picture, []string{"Content-Type", "image/png"}, 201, ""},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/hinh", `{"image":{"media":"cho"}}`, nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/playlists/own",
			`{"items":[{"message":"hinh"},{"message":"public/5k"}]}`, nil, 201, ""},
	})
	put := func(playlist string) {
		t.Helper()
		_, spec, _ := c.do("viet-ads", "GET", "/api/v1/signs/demo-128x64/spec", "")
		spec = strings.Replace(spec, `,"playlist":"own"`, "", 1)
		if playlist != "" {
			spec = strings.Replace(spec, `"areas"`, `"playlist":"`+playlist+`","areas"`, 1)
		}
		if status, text, _ := c.do("viet-ads", "PUT", "/api/v1/signs/demo-128x64", spec); status != 200 {
			t.Fatal(status, text)
		}
	}
	put("own")
	eventually(t, "the sign plays its own list", func() bool {
		p := d.publisher.Plan("demo-128x64")
		return p != nil && len(p.Program.Items) == 2
	})
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	if err := backup.Write(t.Context(), dir, database(t, dir), file, time.Now()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := backup.Write(t.Context(), dir, database(t, dir), file, time.Now()); err == nil {
		t.Error("a file was overwritten")
	}
	// Afterwards the sign sees a later program, which the file knows nothing of.
	sign := attach(t, filepath.Join(dir, "signs", "demo-128x64.json"), t.TempDir(), t.TempDir())
	put("")
	eventually(t, "the sign plays something later", func() bool {
		// Its own output, not its status: two that hold a sign's name one after
		// the other share its limit of messages.
		p := d.publisher.Plan("demo-128x64").Program
		c := sign.last(t)
		return len(p.Items) > 2 && c.Frame != "" && at128(p, c.AtMS).Frame.SHA256 == c.Frame
	})
	later := d.publisher.Plan("demo-128x64").Program.Seq
	_, mqtt, _ := strings.Cut(d.BrokerAddr(), "://")
	_, pages, _ := strings.Cut(d.URL(), "://")
	d.stop(t)

	restored := t.TempDir()
	if err := backup.Restore(t.Context(), restored, "", file, time.Now()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	a, err := app.New(t.Context(), app.Options{Data: restored, Listen: pages, MQTTListen: mqtt})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	}()
	a.FilesWritten()
	a.Kick()
	eventually(t, "the sign follows the restored controller", func() bool {
		p := app.PartsOf(a).Publisher.Plan("demo-128x64")
		return p != nil && len(p.Program.Items) == 2 && p.Program.Seq > later &&
			app.PartsOf(a).Source.Heard("demo-128x64").ProgramSeq == p.Program.Seq
	})
	t.Logf("the sign followed %v after the restored controller began to start", time.Since(began).Round(time.Millisecond))
	sign.stop(t)
	if data, _, err := app.PartsOf(a).Media.File(t.Context(), "viet-ads", "cho"); err != nil || len(data) == 0 {
		t.Errorf("the picture: %v", err)
	}
	if n, err := app.PartsOf(a).Store.Audit().Verify(t.Context(), nil); err != nil || n < 4 {
		t.Errorf("the log: %d, %v", n, err)
	}

	// What is not a whole file is refused, and leaves no database behind.
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(whole)
	changed[len(changed)/2] ^= 1
	for what, data := range map[string][]byte{"cut": whole[:len(whole)*2/3], "changed": changed, "empty": nil,
		"a page": []byte("<html>")} {
		from, to := filepath.Join(t.TempDir(), "x"), t.TempDir()
		writeFile(t, from, string(data))
		if err := backup.Restore(t.Context(), to, "", from, time.Now()); err == nil {
			t.Errorf("%s: restored", what)
		}
		if err := backup.Restore(t.Context(), to, "", file, time.Now()); err != nil {
			t.Errorf("after %s, the whole one: %v", what, err)
		}
	}
	if err := backup.Restore(t.Context(), restored, "", file, time.Now()); err == nil {
		t.Error("restored over a running controller")
	}
}
