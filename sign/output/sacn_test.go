package output

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// dmx reads a data packet by the tables of ANSI E1.31-2018 and fails on
// whatever is not as they say.
func dmx(t *testing.T, p []byte) (universe int, sequence, options byte, slots []byte) {
	t.Helper()
	be := binary.BigEndian
	length := func(at int) {
		t.Helper()
		if fl := be.Uint16(p[at:]); fl>>12 != 7 || int(fl&0xfff) != len(p)-at {
			t.Fatalf("flags and length at %d: %#x in a packet of %d", at, fl, len(p))
		}
	}
	want := func(at int, bytes string) {
		t.Helper()
		if string(p[at:at+len(bytes)]) != bytes {
			t.Fatalf("at %d: %x, want %x", at, p[at:at+len(bytes)], bytes)
		}
	}
	if len(p) < 126 || len(p) > 638 {
		t.Fatalf("a packet of %d bytes", len(p))
	}
	want(0, "\x00\x10\x00\x00ASC-E1.17\x00\x00\x00")
	length(16)
	want(18, "\x00\x00\x00\x04")
	length(38)
	want(40, "\x00\x00\x00\x02")
	if bytes.IndexByte(p[44:108], 0) < 1 {
		t.Fatalf("source name %q", p[44:108])
	}
	want(109, "\x00\x00") // no synchronisation
	length(115)
	want(117, "\x02\xa1\x00\x00\x00\x01")
	if n := int(be.Uint16(p[123:])); n != len(p)-125 {
		t.Fatalf("%d property values in %d bytes", n, len(p)-125)
	}
	want(125, "\x00")
	return int(be.Uint16(p[113:])), p[111], p[112], p[126:]
}

func newTestSACN(t *testing.T, f Face, first int) (*stream, *recorder) {
	t.Helper()
	l, err := Map{}.compile(f, 1)
	if err != nil {
		t.Fatal(err)
	}
	o, err := newSACN("sacn:127.0.0.1", "127.0.0.1", Map{Universe: first}, l)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	return record(t, f, sacnRepeat, sacnEarly, o.(*stream).pack)
}

func TestSACNUniverses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Face{Sign: "qn-001", Class: "32x16-rgb", Colour: "rgb", W: 32, H: 16} // 512 LEDs: 170, 170, 170 and 2
		s, r := newTestSACN(t, f, 250)
		img := noise(f, 3)
		if err := s.Show(Picture{Image: img, Percent: 100}); err != nil {
			t.Fatal(err)
		}
		if len(r.packets) != 4 {
			t.Fatalf("%d packets for 512 LEDs", len(r.packets))
		}
		var got []byte
		for i, p := range r.packets {
			u, seq, options, slots := dmx(t, p)
			if u != 250+i || r.to[i] != i || seq != 0 || options != 0 {
				t.Errorf("packet %d: universe %d, sequence %d, options %#x", i, u, seq, options)
			}
			got = append(got, slots...)
		}
		if !bytes.Equal(got, rgb(img)) {
			t.Error("other pixels")
		}
		if n := len(r.packets[3]) - 126; n != 6 {
			t.Errorf("the last universe has %d slots, want 6", n)
		}
		// 300 pictures on: each universe counts by itself, past 255.
		for range 299 {
			if err := s.Show(Picture{Image: img, Percent: 100}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range r.packets {
			if _, seq, _, _ := dmx(t, r.packets[i]); seq != byte(i/4) {
				t.Fatalf("packet %d has sequence %d", i, seq)
			}
		}
		// Three of one content, then one each 800 to 1000 ms.
		r.packets, r.at = nil, nil
		if err := s.Show(Picture{Image: img, Percent: 100}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for i := 4; i < len(r.at); i += 4 {
			gap := r.at[i].Sub(r.at[i-4])
			if early := i/4 <= 2; early && gap > 100*time.Millisecond || !early &&
				(gap < 800*time.Millisecond || gap > time.Second) {
				t.Errorf("repeat %d after %v", i/4, gap)
			}
		}
		if n := len(r.at) / 4; n < 12 || n > 15 {
			t.Errorf("%d frames in ten seconds", n)
		}
		// The end is said three times.
		r.packets = nil
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if len(r.packets) != 12 {
			t.Fatalf("%d packets at the end", len(r.packets))
		}
		for _, p := range r.packets {
			if _, _, options, _ := dmx(t, p); options != 0x40 {
				t.Errorf("options %#x at the end", options)
			}
		}
	})
}

func TestSACNBounds(t *testing.T) {
	f := Face{Sign: "qn-001", Class: "32x16-rgb", Colour: "rgb", W: 32, H: 16}
	high := 201
	for want, m := range map[string]Map{
		"universe 63997": {Universe: 63997}, // four of them: up to 64000
		"universe -1":    {Universe: -1},
		"priority 201":   {Priority: &high},
		`from "eth0"`:    {From: "eth0"},
	} {
		if _, err := Open("sacn:127.0.0.1", f, map[string]Map{"sacn": m}, nil); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v; it should name %s", err, want)
		}
	}
	if got := sacnGroup(0x1234).String(); got != "239.255.18.52" {
		t.Errorf("the group of universe 0x1234 is %s", got)
	}
	if a, b := sacnCID("qn-001"), sacnCID("qn-002"); a == b || a[6]>>4 != 8 || a[8]>>6 != 2 {
		t.Errorf("ids %x and %x", a, b)
	}
}
