package app_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/demo"
	"ledcast/playlists/timeline"
	"ledcast/sign/box"
	"ledcast/sign/output"
	"ledcast/sign/wire"
)

func at128(p *timeline.Program, ms int64) timeline.Shown {
	return timeline.At(p, nil, timeline.Conditions{ClockTrusted: true, LastContactMS: ms}, ms)
}

// attached is a sign of our own in the place of a virtual one.
type attached struct {
	face   string
	cancel context.CancelFunc
	done   chan error
}

func attach(t *testing.T, config, dir, face string) *attached {
	t.Helper()
	conf, err := box.LoadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	out, err := output.NewFolder(face)
	if err != nil {
		t.Fatal(err)
	}
	b, err := box.New(box.Options{Config: conf, Dir: dir, Outputs: []output.Output{out}, Software: "attached"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &attached{face: face, cancel: cancel, done: make(chan error, 1)}
	go func() { a.done <- b.Run(ctx) }()
	t.Cleanup(cancel)
	return a
}

func (a *attached) stop(t *testing.T) {
	t.Helper()
	a.cancel()
	if err := <-a.done; err != nil {
		t.Error(err)
	}
}

type change struct {
	AtMS             int64 `json:"at_ms"`
	Item, Frame, Why string
}

func (a *attached) changes(t *testing.T) []change {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(a.face, "changes.jsonl"))
	if err != nil {
		return nil
	}
	var out []change
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var c change
		if json.Unmarshal([]byte(line), &c) == nil {
			out = append(out, c)
		}
	}
	return out
}

func (a *attached) last(t *testing.T) change {
	t.Helper()
	if all := a.changes(t); len(all) > 0 {
		return all[len(all)-1]
	}
	return change{}
}

// An outside sign takes the virtual one's place without a fight, goes on
// without the controller and without a network, and follows again.
func TestAttachedSign(t *testing.T) {
	slow(t)
	t.Parallel() // most of it waits
	data, dir := t.TempDir(), t.TempDir()
	d := startDemo(t, data)
	stopped := false
	defer func() {
		if !stopped {
			d.stop(t)
		}
	}()
	said := func(software string) func() bool {
		return func() bool {
			h := d.source.Heard("demo-64x32")
			return h.Online && strings.Contains(h.Software, software)
		}
	}
	eventually(t, "the virtual sign", said("(virtual)"))
	config := filepath.Join(data, "signs", "demo-64x32.json")
	a := attach(t, config, dir, t.TempDir())
	eventually(t, "the attached sign plays", func() bool { return a.last(t).Why == timeline.WhyProgram })
	eventually(t, "its status", said("attached"))
	plan := d.publisher.Plan("demo-64x32").Program
	for _, c := range a.changes(t) {
		if c.Frame == "" {
			continue
		}
		if want := at128(plan, c.AtMS); want.Frame.SHA256 != c.Frame || want.Item != c.Item {
			t.Errorf("at %d it showed %s of %s; its program says %s of %s", c.AtMS, c.Frame, c.Item, want.Frame.SHA256,
				want.Item)
		}
	}

	// The controller goes; the sign goes on rotating.
	d.stop(t)
	stopped = true
	n := len(a.changes(t))
	eventually(t, "the rotation goes on without a controller", func() bool { return len(a.changes(t)) > n })
	a.stop(t)

	// Started again without a network it plays from disk. Its clock is vouched
	// for by nobody now, so it is the fallback loop that plays.
	a = attach(t, config, dir, t.TempDir())
	eventually(t, "play from disk", func() bool { return a.last(t).Frame != "" })
	if c := a.changes(t)[0]; c.Why == timeline.WhyDark {
		t.Errorf("it began %q with content on disk", c.Why)
	}
	a.stop(t)

	// One frame and the program are damaged: never shown, fetched again.
	frame := filepath.Join(dir, "frames", plan.Frames[0].SHA256)
	good, err := os.ReadFile(frame)
	if err != nil {
		t.Fatal(err)
	}
	bad := append([]byte(nil), good...)
	bad[len(bad)/2] ^= 0x10
	if err := os.WriteFile(frame, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Glob(filepath.Join(dir, "docs", "program.*"))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d stored programs, %v", len(docs), err)
	}
	text, err := os.ReadFile(docs[0])
	if err != nil {
		t.Fatal(err)
	}
	text[100] ^= 1
	if err := os.WriteFile(docs[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	d = startDemo(t, data)
	stopped = false
	// The demo took another port: the config file says which.
	a = attach(t, config, dir, t.TempDir())
	eventually(t, "the damaged program is back", func() bool {
		text, err := os.ReadFile(docs[0])
		return err == nil && wire.Digest(text)[:16] == strings.Split(filepath.Base(docs[0]), ".")[1]
	})
	eventually(t, "the damaged frame is back", func() bool {
		data, err := os.ReadFile(frame)
		return err == nil && wire.Digest(data) == plan.Frames[0].SHA256
	})
	eventually(t, "it follows again", func() bool { return a.last(t).Why == timeline.WhyProgram })
	for _, c := range a.changes(t) {
		if c.Frame == "" {
			continue
		}
		if want := at128(plan, c.AtMS); c.Why == timeline.WhyProgram && want.Frame.SHA256 != c.Frame {
			t.Errorf("at %d it showed %s; its program says %s", c.AtMS, c.Frame, want.Frame.SHA256)
		}
	}
	// Asked while it stops: the virtual sign may be back before that is done.
	ended := make(chan struct{})
	back := time.Now()
	go func() { defer close(ended); a.stop(t) }()
	eventually(t, "a sign that said goodbye is offline", func() bool { return !d.source.Heard("demo-64x32").Online })
	<-ended
	eventually(t, "the virtual sign is back", said("(virtual)"))
	if took := time.Since(back); took < demo.YieldFor-2*time.Second {
		t.Errorf("the virtual sign came back after %v, before %v", took, demo.YieldFor)
	}
}
