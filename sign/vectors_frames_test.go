package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// bits is a frame of one bit a pixel: lit where (x + y + seed) mod 3 is 0.
func bits(w, h int, seed int, kind byte, before ...chunk) *file {
	var rows, rgb []byte
	for y := range h {
		rows = append(rows, 0)
		for x := 0; x < w; x += 8 {
			var b byte
			for i := range 8 {
				lit := (x+i+y+seed)%3 == 0
				v := byte(0)
				if lit {
					b, v = b|0x80>>i, 255
				}
				rgb = append(rgb, v, v, v)
			}
			rows = append(rows, b)
		}
	}
	f := newFile(png(w, h, 1, kind, 0, rows, before...), w, h)
	f.rgb = rgb
	return f
}

// palette8 is a frame of a byte a pixel into a palette.
func palette8(w, h int, colours []byte) *file {
	var rows, rgb []byte
	for y := range h {
		rows = append(rows, 0)
		for x := range w {
			i := (x + y) % (len(colours) / 3)
			rows, rgb = append(rows, byte(i)), append(rgb, colours[3*i:3*i+3]...)
		}
	}
	f := newFile(png(w, h, 8, 3, 0, rows, chunk{"PLTE", colours}), w, h)
	f.rgb = rgb
	return f
}

var (
	blackWhite = []byte{0, 0, 0, 255, 255, 255}
	redGreen   = []byte{0, 0, 0, 255, 0, 0, 0, 255, 0, 255, 255, 0}
)

// single is a program of one frame, for any class.
func single(class string, f *file) *timeline.Program {
	p := program()
	p.Class = class
	p.Frames = []timeline.Frame{f.meta}
	p.Items = []timeline.Item{{ID: "one", Owner: "public", Steps: []timeline.Step{{Frame: 0, MS: 8000}}}}
	p.Loops = []timeline.Loop{{Anchor: now, Order: []int64{0}}}
	p.Fallback, p.CommLoss.Loop = 0, 0
	return p
}

func frameVectors(t testing.TB) *suite {
	s := newSuite(t, "Frames: found by their digest, checked before anything of their program shows, "+
		"and within the profile of pictures.")
	good := func(name, class string, f *file) {
		m := s.make("frame: "+name, class)
		m.begin()
		m.program(single(class, f))
		m.dark()
		m.frame(f, received("program", seq0), showing("program", seq0))
		m.shows("program", "one", f, 0)
		m.end()
	}
	bad := func(name, class string, f *file) {
		m := s.make("frame: "+name, class)
		m.begin()
		m.program(single(class, f))
		a := rejected("program", wire.BadFrame)
		a["frame"] = f.meta.SHA256
		m.frame(f, a)
		m.dark()
		m.end()
	}
	const red, redgreen = "16x8-red", "16x8-redgreen"
	good("true colour", class, frameA)
	good("a palette", class, palette8(16, 8, []byte{1, 2, 3, 40, 50, 60, 200, 100, 0}))
	good("one bit of grey", red, bits(16, 8, 0, 0))
	good("one bit of a palette", red, bits(16, 8, 1, 3, chunk{"PLTE", blackWhite}))
	good("one bit on a face of colours", class, bits(16, 8, 2, 0))
	good("red and green", redgreen, palette8(16, 8, redGreen))

	rows := func(perPixel int) []byte { return make([]byte, 8*(1+16*perPixel)) }
	file := func(depth, kind, interlace byte, perPixel int, before ...chunk) *file {
		return newFile(png(16, 8, depth, kind, interlace, rows(perPixel), before...), 16, 8)
	}
	bad("with an alpha channel", class, file(8, 6, 0, 4))
	bad("grey with an alpha channel", class, file(8, 4, 0, 2))
	bad("with tRNS", class, file(8, 2, 0, 3, chunk{"tRNS", []byte{0, 0, 0, 0, 0, 0}}))
	bad("interlaced", class, file(8, 2, 1, 3))
	bad("16 bits a channel", class, file(16, 2, 0, 6))
	bad("8 bits on a face of one colour", red, file(8, 0, 0, 1))
	bad("a palette of white and black", red, bits(16, 8, 0, 3, chunk{"PLTE", []byte{255, 255, 255, 0, 0, 0}}))
	bad("a palette of black and red", red, bits(16, 8, 0, 3, chunk{"PLTE", []byte{0, 0, 0, 255, 0, 0}}))
	bad("true colour on a face of red and green", redgreen, frameA)
	bad("another order of red and green", redgreen, palette8(16, 8, []byte{0, 0, 0, 0, 255, 0, 255, 0, 0, 255, 255, 0}))
	narrow := newFile(png(8, 16, 8, 2, 0, make([]byte, 16*(1+8*3))), 16, 8)
	bad("its pixels are not those that it was said to have", class, narrow)
	noPNG := newFile([]byte("GIF89a and nothing more than that, but long enough"), 16, 8)
	bad("no PNG", class, noPNG)
	short := frameA.data[:len(frameA.data)-40]
	bad("a PNG that ends early", class, newFile(short, 16, 8))
	photo := newFile(jpegHead(0xc0), 16, 8)
	photo.meta.Type = "image/jpeg"
	bad("a JPEG on a face of one colour", red, photo)
	photo = newFile(jpegHead(0xc2), 16, 8)
	photo.meta.Type = "image/jpeg"
	bad("a progressive JPEG", class, photo)

	data, err := base64.StdEncoding.DecodeString(greyJPEG)
	if err != nil {
		t.Fatal(err)
	}
	photo = newFile(data, 16, 8)
	photo.meta.Type, photo.rgb = "image/jpeg", bytes.Repeat([]byte{128}, 3*16*8)
	good("a baseline JPEG", class, photo)
	s.file.Cases[len(s.file.Cases)-1].Needs = []string{"jpeg"}

	m := s.make("frame: other bytes on its topic, then its own", class)
	m.begin()
	m.program(single(class, frameA))
	m.bytes(wire.FrameTopic("public", frameA.meta.SHA256), frameB.data, rejected("program", wire.BadFrame))
	m.dark()
	m.frame(frameA, received("program", seq0), showing("program", seq0))
	m.shows("program", "one", frameA, 0)
	m.end()

	m = s.make("frame: a length that is not the file's", class)
	m.begin()
	p := single(class, frameA)
	p.Frames[0].Len++
	m.program(p)
	m.frame(frameA, rejected("program", wire.BadFrame))
	m.dark()
	m.end()

	m = s.make("frame: missing after 30 s; what comes later is taken all the same", class)
	m.begin()
	m.program(program())
	m.frame(frameA)
	m.frame(frameB)
	m.frame(frameC)
	m.wait(29_999)
	m.wait(1, ack{"role": "program", "epoch": 1, "seq": seq0, "state": "rejected", "reason": "missing-frame",
		"frame": frameD.meta.SHA256})
	m.dark()
	m.frame(frameD, received("program", seq0), showing("program", seq0))
	m.end()

	m = s.make("frame: those of the program before need not be fetched again", class)
	m.ready(program(), onlyTwo...)
	p = program()
	p.Seq, p.Loops[0].Order = seq0+1, []int64{1}
	m.program(p, received("program", seq0+1), showing("program", seq0+1))
	m.shows("program", "two", frameB, 0)
	m.end()

	m = s.make("frame: what nobody asked for is not taken", class)
	m.begin()
	m.frame(frameA)
	m.program(single(class, frameA))
	m.dark()
	m.frame(frameA, received("program", seq0), showing("program", seq0))
	m.end()

	m = s.make("frame: they last over a restart", class)
	m.ready(program(), onlyTwo...)
	m.start(now*1000+8_000, true)
	m.shows("program", "two", frameB, 0)
	m.end()
	return s
}

// jpegHead is the head of a JPEG of 16x8 whose frame is of the given kind, and
// no picture after it.
func jpegHead(sof byte) []byte {
	out := []byte{0xff, 0xd8, 0xff, sof}
	out = binary.BigEndian.AppendUint16(out, 17)
	out = append(out, 8, 0, 8, 0, 16, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
	return append(out, 0xff, 0xd9)
}

// greyJPEG is 16x8 pixels of middle grey, which every decoder reads alike.
const greyJPEG = "/9j/2wCEAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDIB" +
	"CQkJDAsMGA0NGDIhHCEyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMv/AAAsIAAgA" +
	"EAEBEQD/xADSAAABBQEBAQEBAQAAAAAAAAAAAQIDBAUGBwgJCgsQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQci" +
	"cRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6" +
	"g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5" +
	"+v/aAAgBAQAAPwAor//Z"
