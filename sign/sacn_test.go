package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"os"
	"os/exec"
	"testing"
	"time"

	"ledcast/sign/output"
)

// Somebody else's receiver gets what our sender sends: npm's sacn.
func TestSACNIsReceived(t *testing.T) {
	t.Parallel()
	dir := node(t, "output/testdata/sacn-receiver")
	cmd := exec.Command("node", "receive.mjs", "7", "8")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	kill := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { kill.Stop() })
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	type said struct {
		Port, Universe, Sequence, Priority, Options, Sync, Slots int
		Source, CID, Data, Wrong                                 string
		Lengths                                                  []int
	}
	next := func() (s said) {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("the receiver says no more: %v", lines.Err())
		}
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		if s.Wrong != "" {
			t.Fatal(s.Wrong)
		}
		return s
	}
	port := next().Port

	f := output.Face{Sign: "qn-001", Class: "16x16-rgb", Colour: "rgb", W: 16, H: 16}
	priority := 120
	o, err := output.Open(fmt.Sprintf("sacn:127.0.0.1:%d", port), f,
		map[string]output.Map{"sacn": {Gamma: 1, Universe: 7, Priority: &priority, ColourOrder: "bgr",
			Wiring: output.Wiring{Serpentine: true}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, 16, 16))
	want := make([]byte, 0, 768)
	for y := range 16 {
		for i := range 16 {
			x := i
			if y%2 == 1 {
				x = 15 - i
			}
			want = append(want, 7, byte(y), byte(x)) // blue, green, red along the wire
		}
	}
	for i := range 256 {
		copy(img.Pix[4*i:], []byte{byte(i % 16), byte(i / 16), 7, 255})
	}
	const frames = 300 // past the end of a sequence
	sequence := map[int]int{7: -1, 8: -1}
	for n := range frames {
		if err := o.Show(output.Picture{Image: img, Percent: 100}); err != nil {
			t.Fatal(err)
		}
		var data []byte
		for u := 7; u <= 8; u++ {
			p := next()
			if p.Universe != u || p.Sequence != (sequence[u]+1)%256 || p.Priority != 120 || p.Options != 0 || p.Sync != 0 ||
				p.Source != "ledcast qn-001" {
				t.Fatalf("frame %d: %+v", n, p)
			}
			sequence[u] = p.Sequence
			b, err := hex.DecodeString(p.Data)
			if err != nil || len(b) != p.Slots || p.Lengths[2] != 0x7000|(len(b)+11) {
				t.Fatalf("%d bytes, %d slots, lengths %v", len(b), p.Slots, p.Lengths)
			}
			data = append(data, b...)
		}
		if string(data) != string(want) {
			t.Fatalf("frame %d: other pixels: %x", n, data)
		}
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	for next().Options != 0x40 { // repeats of the last picture come before the end is said
	}
}
