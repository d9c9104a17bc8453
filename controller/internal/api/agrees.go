package api

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"sync"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// verdicts keeps whether signs' last snapshots agree with their programs. A
// snapshot is compared once, when it is first seen: decoding two pictures a sign
// at each turn of the wall would fill a processor with some hundred signs.
type verdicts struct {
	mu sync.Mutex
	by map[string]verdict // by sign
}

// verdictKey is what a verdict holds for.
type verdictKey struct {
	shot time.Time // when the snapshot came
	seq  int64     // of the program
}

type verdict struct {
	verdictKey
	agrees bool
}

// of is the verdict about a sign's snapshot, which compare makes for a new one.
func (v *verdicts) of(sign string, k verdictKey, compare func() bool) bool {
	v.mu.Lock()
	x, known := v.by[sign]
	v.mu.Unlock()
	if known && x.verdictKey == k {
		return x.agrees
	}
	x = verdict{k, compare()}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.by == nil {
		v.by = map[string]verdict{}
	}
	v.by[sign] = x
	return x.agrees
}

// agrees compares a sign's snapshot with what its program says of the moment it
// came, or of the second before, when it was on its way. It must have the size of
// the sign's class and 8 bits a channel, which its header says before anything
// is decoded: a picture of 33 kB can claim gigabytes.
func (s *Server) agrees(p *timeline.Program, alerts []timeline.Alert, sign *playlists.Sign, h Heard) bool {
	c, err := png.DecodeConfig(bytes.NewReader(h.Snapshot))
	if err != nil || c.Width != sign.Class.W || c.Height != sign.Class.H || deep(c.ColorModel) {
		return false
	}
	shot, err := png.Decode(bytes.NewReader(h.Snapshot))
	if err != nil {
		return false
	}
	for _, back := range []int64{0, 250, 1000} {
		shown := at(p, alerts, sign, h, h.ShotAt.UnixMilli()-back)
		if shown.Scroll != nil {
			return true // it does not tell at which pixel of a strip it was
		}
		if shown.Frame == nil {
			continue
		}
		data, _ := s.src.Frame("", shown.Frame.SHA256)
		if want, _, err := image.Decode(bytes.NewReader(data)); err == nil && samePixels(shot, want) {
			return true
		}
	}
	return false
}

// deep reports whether a picture has 16 bits a channel.
func deep(m color.Model) bool {
	return m == color.Gray16Model || m == color.RGBA64Model || m == color.NRGBA64Model
}

// samePixels compares colours, whatever the pictures' formats.
func samePixels(a, b image.Image) bool {
	if a.Bounds().Size() != b.Bounds().Size() {
		return false
	}
	x, y := pixels(a), pixels(b)
	for i := 0; i < len(x); i += 4 {
		if x[i] != y[i] || x[i+1] != y[i+1] || x[i+2] != y[i+2] {
			return false
		}
	}
	return true
}

// pixels is a picture as RGBA, row by row.
func pixels(m image.Image) []byte {
	out := image.NewRGBA(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(out, out.Bounds(), m, m.Bounds().Min, draw.Src)
	return out.Pix
}
