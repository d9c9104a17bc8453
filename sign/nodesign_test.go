package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/draw"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/box"
	"ledcast/sign/wire"
)

const nodeSign = "../docs/examples/node-sign"

// A sign in another language, made from the docs, gives the answers that ours
// gives: what the docs leave open would show here.
func TestNodeSign(t *testing.T) {
	t.Parallel()
	dir := node(t, nodeSign)
	t.Run("passes the vectors", func(t *testing.T) { nodeSignPasses(t, dir) })
	t.Run("judges proofs of play", func(t *testing.T) { nodeSignJudgesProofs(t, dir) })
	t.Run("plays the demo", func(t *testing.T) { nodeSignPlays(t, dir) })
}

func nodeSignPasses(t *testing.T, dir string) {
	p, err := startImplementation(t.Context(), []string{"node", filepath.Join(dir, "vectors.mjs")})
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	var out bytes.Buffer
	if err := runVectors(vectorDir, []string{"jpeg"}, regexp.MustCompile(""), p.answer, &out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// process runs a program until the test ends and gives its standard output
// line by line.
func process(t *testing.T, name string, args ...string) *bufio.Scanner {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(10*time.Minute, cancel)
	t.Cleanup(func() { late.Stop(); cancel(); _, _ = io.Copy(io.Discard, out); _ = cmd.Wait() })
	return bufio.NewScanner(out)
}

// It takes a demo sign's place and shows what that sign's program says.
func nodeSignPlays(t *testing.T, dir string) {
	if !full() {
		t.Skip("it builds the controller and watches a sign for some 20 s; LEDCAST_FULL=1 runs it")
	}
	data := t.TempDir()
	controller := filepath.Join(data, "controller")
	if out, err := exec.Command("go", "build", "-o", controller, "../controller").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	demo := process(t, controller, "demo", "--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0", "--data",
		filepath.Join(data, "demo"))
	for demo.Scan() && !strings.HasPrefix(demo.Text(), "ledcast demo:") {
	}
	config := filepath.Join(data, "demo", "signs", "demo-128x64.json")

	type line struct {
		AtMS  int64 `json:"at_ms"`
		Why   string
		Item  string
		Frame string
		RGB   string `json:"rgb_sha256"`
	}
	var lines []line
	t.Run("plays", func(t *testing.T) {
		said := process(t, "node", filepath.Join(dir, "run.mjs"), config, filepath.Join(data, "sign"))
		for len(lines) < 3 && said.Scan() {
			var l line
			if err := json.Unmarshal(said.Bytes(), &l); err != nil {
				t.Fatalf("%s: %v", said.Bytes(), err)
			}
			if l.Why == timeline.WhyProgram {
				lines = append(lines, l)
			}
		}
	})
	if len(lines) < 3 {
		t.Fatalf("the sign put out %d pictures of its program, want 3", len(lines))
	}

	// What should it have shown? The broker still has its program.
	conf, err := box.LoadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	topic := wire.SignTopic(conf.Sign, wire.LeafProgram)
	got, err := fetch(t.Context(), &conf, []string{topic, wire.TopicKeys})
	if err != nil {
		t.Fatal(err)
	}
	in := inspection{doc: got[topic], typ: wire.TypProgram, keys: got[wire.TopicKeys], conf: &conf,
		now: time.UnixMilli(lines[0].AtMS)}
	payload, _, err := in.check()
	if err != nil {
		t.Fatal(err)
	}
	program := payload.(*timeline.Program)
	for i, l := range lines {
		at := func(ms int64) timeline.Shown {
			return timeline.At(program, nil, timeline.Conditions{ClockTrusted: true, LastContactMS: ms}, ms)
		}
		want := at(l.AtMS)
		if want.Item != l.Item || want.Frame.SHA256 != l.Frame {
			t.Errorf("at %d it showed %s %s; the program says %s %s", l.AtMS, l.Item, l.Frame, want.Item, want.Frame.SHA256)
			continue
		}
		if before := at(l.AtMS - 2000); i > 0 && before.Item == l.Item && before.Step == want.Step {
			t.Errorf("it changed to %s at %d, 2 s late", l.Item, l.AtMS)
		}
		if rgb := framePixels(t, filepath.Join(data, "sign", "frames", l.Frame), want.Frame,
			conf.Class); want.Scroll == nil && rgb != l.RGB {
			t.Errorf("at %d it showed other pixels than those of %s", l.AtMS, l.Frame)
		}
	}

	// And a person can ask the same.
	if code, out, err := command(t, "inspect", "--config="+config, "--topic="+topic); code != 0 ||
		!strings.Contains(out, "program for demo-128x64") {
		t.Errorf("sign inspect: exit code %d: %s%s", code, out, err)
	}
	sha := lines[0].Frame
	for _, f := range program.Frames {
		if f.SHA256 == sha {
			topic = wire.FrameTopic(f.Owner, sha)
		}
	}
	if code, out, err := command(t, "inspect", "--config="+config, "--topic="+topic); code != 0 ||
		!strings.Contains(out, sha) {
		t.Errorf("sign inspect: exit code %d: %s%s", code, out, err)
	}
}

func framePixels(t *testing.T, path string, f *timeline.Frame, class string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := wire.OpenFrame(data, f, class)
	if err != nil {
		t.Fatal(err)
	}
	dst := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(dst, dst.Rect, img, img.Bounds().Min, draw.Src)
	return pixelDigest(dst)
}
