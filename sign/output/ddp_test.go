package output

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// display is a DDP receiver made from the specification
// (http://www.3waylabs.com/ddp/) and from nothing of this package: it shows
// what it has when a packet with the push flag comes.
type display struct {
	pixels []byte // of the display
	shown  [][]byte
	got    []bool // bytes that came since the last push
	seq    byte
	errs   []string
}

func newDisplay(leds int) *display {
	return &display{pixels: make([]byte, 3*leds), got: make([]bool, 3*leds)}
}

func (d *display) wrong(format string, args ...any) {
	d.errs = append(d.errs, fmt.Sprintf(format, args...))
}

func (d *display) packet(p []byte) {
	if len(p) < 10 {
		d.wrong("%d bytes are no header", len(p))
		return
	}
	flags, seq, kind, id := p[0], p[1]&0x0f, p[2], p[3]
	offset, length := int(binary.BigEndian.Uint32(p[4:8])), int(binary.BigEndian.Uint16(p[8:10]))
	switch {
	case flags>>6 != 1:
		d.wrong("version %d", flags>>6)
	case flags&^0x41 != 0:
		d.wrong("flags %#x: timecode, storage, reply or query", flags)
	case p[1]>>4 != 0 || seq == 0:
		d.wrong("sequence %#x", p[1])
	case d.seq != 0 && seq != d.seq%15+1:
		d.wrong("sequence %d after %d", seq, d.seq)
	case kind != 0x0b: // standard, RGB, 8 bits an element
		d.wrong("data type %#x", kind)
	case id != 1:
		d.wrong("output %d", id)
	case length == 0 || length > 1440 || length != len(p)-10:
		d.wrong("length %d in a packet of %d", length, len(p))
	case offset+length > len(d.pixels):
		d.wrong("bytes %d to %d of %d", offset, offset+length, len(d.pixels))
	}
	d.seq = seq
	if len(d.errs) > 0 {
		return
	}
	copy(d.pixels[offset:], p[10:])
	for i := offset; i < offset+length; i++ {
		if d.got[i] {
			d.wrong("byte %d came twice in a frame", i)
		}
		d.got[i] = true
	}
	if flags&1 == 0 {
		return
	}
	for i, got := range d.got {
		if !got {
			d.wrong("pushed without byte %d", i)
			return
		}
	}
	clear(d.got)
	d.shown = append(d.shown, bytes.Clone(d.pixels))
}

// noise is a face of pixels that are all different enough.
func noise(f Face, seed byte) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	for i := range img.Pix {
		img.Pix[i] = byte(i*7+i/256) + seed
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

// rgb is a picture's pixels row by row.
func rgb(img *image.RGBA) []byte {
	var out []byte
	for i := 0; i < len(img.Pix); i += 4 {
		out = append(out, img.Pix[i:i+3]...)
	}
	return out
}

func listen(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetReadBuffer(1 << 20); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDDPOverTheNetwork(t *testing.T) {
	for _, size := range []struct{ w, h, packets int }{
		{8, 8, 1},    // 192 bytes
		{24, 20, 1},  // 1440: exactly one packet
		{48, 20, 2},  // 2880: exactly two
		{64, 32, 5},  // 6144
		{96, 50, 10}, // 14400: exactly ten
	} {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			f := Face{Sign: "qn-001", Class: fmt.Sprintf("%dx%d-rgb", size.w, size.h), Colour: "rgb", W: size.w, H: size.h}
			c := listen(t)
			o, err := Open("ddp:"+c.LocalAddr().String(), f, map[string]Map{"ddp": {Gamma: 1}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			d := newDisplay(size.w * size.h)
			buf := make([]byte, 2000)
			for frame := range 4 {
				img := noise(f, byte(frame))
				if err := o.Show(Picture{Image: img, Percent: 100}); err != nil {
					t.Fatal(err)
				}
				for range size.packets {
					if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
						t.Fatal(err)
					}
					n, err := c.Read(buf)
					if err != nil {
						t.Fatal(err)
					}
					d.packet(buf[:n])
				}
				if len(d.errs) > 0 {
					t.Fatal(d.errs)
				}
				if len(d.shown) != frame+1 || !bytes.Equal(d.shown[frame], rgb(img)) {
					t.Fatalf("after frame %d: %d were shown, or other pixels", frame, len(d.shown))
				}
			}
		})
	}
}

// A receiver that is not there is an error of Show, so that no sign says
// "showing" to nobody where the network tells.
func TestDDPToNobody(t *testing.T) {
	c := listen(t)
	addr := c.LocalAddr().String()
	c.Close()
	f := Face{Class: "64x32-rgb", Colour: "rgb", W: 64, H: 32}
	o, err := Open("ddp:"+addr, f, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for range 3 {
		err = o.Show(Picture{Image: noise(f, 0), Percent: 100})
	}
	if err == nil || !strings.Contains(err.Error(), addr) {
		t.Fatalf("the error is %v; it should name %s", err, addr)
	}
}

// recorder is a sender that keeps what it is given.
type recorder struct {
	packets [][]byte
	to      []int
	at      []time.Time
	fail    error
	closed  bool
}

func (r *recorder) send(to int, p []byte) error {
	if r.fail != nil {
		return r.fail
	}
	r.packets = append(r.packets, bytes.Clone(p))
	r.to = append(r.to, to)
	r.at = append(r.at, time.Now())
	return nil
}

func (r *recorder) close() error { r.closed = true; return nil }

// record makes a stream of a kind into a recorder.
func record(t *testing.T, f Face, every time.Duration, early int, pack packer) (*stream, *recorder) {
	t.Helper()
	l, err := Map{}.compile(f, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	return newStream("test", l, every, early, "127.0.0.1", func(net.IP) (sender, error) { return r, nil }, pack), r
}

func TestStillIsRepeatedWhileTheLoopIsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Face{Class: "24x20-rgb", Colour: "rgb", W: 24, H: 20}
		s, r := record(t, f, ddpRepeat, 0, &ddp{})
		time.Sleep(5500 * time.Millisecond)
		synctest.Wait()
		if len(r.packets) != 0 {
			t.Fatalf("%d packets before the first picture", len(r.packets))
		}
		img := noise(f, 1)
		if err := s.Show(Picture{Image: img, Percent: 100}); err != nil {
			t.Fatal(err)
		}
		d := newDisplay(24 * 20)
		time.Sleep(500 * time.Millisecond) // between two repeats
		for range 60 {
			time.Sleep(time.Second)
			s.Keep()
		}
		synctest.Wait()
		if n := len(r.packets); n != 61 {
			t.Fatalf("%d packets in a minute, want the picture and 60 repeats", n)
		}
		for i, p := range r.packets {
			d.packet(p)
			if i > 0 && r.at[i].Sub(r.at[i-1]) != time.Second {
				t.Errorf("packet %d came %v after the one before", i, r.at[i].Sub(r.at[i-1]))
			}
		}
		if len(d.errs) > 0 || len(d.shown) != 61 || !bytes.Equal(d.shown[60], rgb(img)) {
			t.Fatalf("errors %v, %d shown, or other pixels", d.errs, len(d.shown))
		}
		// The loop hangs: the stream falls silent, so that receivers go dark.
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := len(r.packets) - 61; n != aliveFor {
			t.Errorf("%d repeats without a sign of life, want %d", n, aliveFor)
		}
		// It lives again.
		s.Keep()
		time.Sleep(2200 * time.Millisecond)
		synctest.Wait()
		if n := len(r.packets) - 61 - aliveFor; n != 2 {
			t.Errorf("%d repeats after it lived again, want 2", n)
		}
		if err := s.Close(); err != nil || !r.closed {
			t.Errorf("closed %v, err %v", r.closed, err)
		}
		n := len(r.packets)
		time.Sleep(time.Minute)
		if len(r.packets) != n {
			t.Error("packets after Close")
		}
	})
}

// A moving face needs no repeats: they would only be in its way.
func TestMovingFaceIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Face{Class: "8x8-rgb", Colour: "rgb", W: 8, H: 8}
		s, r := record(t, f, ddpRepeat, 0, &ddp{})
		defer s.Close()
		for i := range 600 {
			if err := s.Show(Picture{Image: noise(f, byte(i)), Percent: 100}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second / 60)
			synctest.Wait()
		}
		if len(r.packets) != 600 {
			t.Errorf("%d packets for 600 pictures", len(r.packets))
		}
	})
}

// Until a receiver's address is known Show fails and names it; the picture
// goes out as soon as it is.
func TestReceiverThatIsFoundLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Face{Class: "8x8-rgb", Colour: "rgb", W: 8, H: 8}
		l, err := Map{}.compile(f, 1)
		if err != nil {
			t.Fatal(err)
		}
		r := &recorder{}
		var there atomic.Bool
		s := newStream("ddp:127.0.0.9", l, ddpRepeat, 0, "127.0.0.9", func(net.IP) (sender, error) {
			if !there.Load() {
				return nil, fmt.Errorf("network is unreachable")
			}
			return r, nil
		}, &ddp{})
		defer s.Close()
		err = s.Show(Picture{Image: noise(f, 0), Percent: 100})
		if err == nil || !strings.Contains(err.Error(), "ddp:127.0.0.9") || !strings.Contains(err.Error(), "unreachable") {
			t.Fatalf("the error is %v", err)
		}
		time.Sleep(9500 * time.Millisecond)
		synctest.Wait()
		there.Store(true)
		time.Sleep(2100 * time.Millisecond)
		synctest.Wait()
		if len(r.packets) == 0 {
			t.Fatal("the picture did not go out when the receiver was there")
		}
		if err := s.Show(Picture{Image: noise(f, 0), Percent: 100}); err != nil {
			t.Fatal(err)
		}
	})
}
