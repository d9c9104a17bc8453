package box

import (
	"fmt"
	"math"

	"ledcast/playlists/timeline"
	"ledcast/sign/output"
	"ledcast/sign/player"
)

// present puts on the outputs what shows now. It returns the mono before which nothing changes.
func (b *Box) present() int64 {
	mono := b.times.Mono()
	shown, next := b.now(mono)
	frame := ""
	if shown.Frame != nil {
		frame = shown.Frame.SHA256
	}
	key := fmt.Sprintf("%s|%s|%s|%d", shown.Why, shown.Item, frame, shown.Step)
	offset := shown.Offset()
	flashing := mono < b.identify
	if key == b.lastKey && !flashing && !b.redraw && offset == b.shown.Offset() && b.drawn &&
		shown.Percent == b.shown.Percent {
		b.shown = shown
		if !b.faults["output"] && !b.blank {
			b.ackShowing(&shown, mono) // of a new document whose picture is on already
		}
		return b.wake(shown, next, mono)
	}
	b.blank = false
	b.redraw = flashing // and once more when the border goes out
	if !b.draw(&shown) {
		// The frame cannot be read. What is on the face stays: it was accepted.
		b.shown = shown
		b.lastKey = key
		return b.wake(shown, next, mono)
	}
	if flashing {
		b.border((b.identify-mono)/500%2 == 0)
		next = min(next, mono+500)
	}
	changed := key != b.lastKey
	out := true
	for _, o := range b.o.Outputs {
		if err := o.Show(output.Picture{Image: b.face, AtMS: b.player.Clock.Now(mono), Item: shown.Item, Frame: frame,
			Why: shown.Why, Percent: shown.Percent, Changed: changed}); err != nil {
			b.fault("output", err)
			out = false
		}
	}
	b.shown, b.lastKey, b.drawn = shown, key, true
	if out {
		delete(b.faults, "output")
		if changed || b.proof.on == nil {
			b.note(&shown, mono)
		}
		if !b.blank {
			b.ackShowing(&shown, mono)
		}
	} else {
		b.notOut(mono)
	}
	if k := shown.Why + "|" + shown.Rule; k != b.shownKey {
		b.shownKey = k
		b.sendStatus(mono)
	}
	return b.wake(shown, next, mono)
}

func (b *Box) wake(shown timeline.Shown, next, mono int64) int64 {
	if shown.Scroll != nil {
		next = min(next, mono+frameInterval)
	}
	b.endAlerts(mono)
	return next
}

// now is timeline.At's answer, or the last picture of a picture sign.
func (b *Box) now(mono int64) (timeline.Shown, int64) {
	if !b.cfg.picture() {
		return b.player.At(mono)
	}
	if b.picture == nil || mono >= b.pictureMono+pictureTimeout {
		return timeline.Shown{Why: timeline.WhyDark, Percent: 100}, math.MaxInt64
	}
	f := &timeline.Frame{SHA256: b.pictureSHA, W: int64(b.w), H: int64(b.h)}
	return timeline.Shown{Why: timeline.WhyProgram, Frame: f, Percent: 100}, b.pictureMono + pictureTimeout
}

// draw composes shown on the face. False: its frame cannot be read.
func (b *Box) draw(shown *timeline.Shown) bool {
	switch {
	case shown.Frame == nil:
		player.Darken(b.face)
		return true
	case b.cfg.picture():
		player.NewStrip(b.picture, b.w, b.h, "").Blit(b.face, shown)
		return true
	}
	s, err := b.frames.strip(shown.Frame, shown.Scroll)
	if err != nil {
		b.blank = true
		b.lost(shown.Frame, err)
		if b.drawn {
			return false
		}
		// Nothing was shown since the start: any other accepted still of the
		// program is better than a dark face.
		if s = b.substitute(); s == nil {
			return false
		}
		still := *shown
		still.Scroll = nil
		s.Blit(b.face, &still)
		return true
	}
	s.Blit(b.face, shown)
	return true
}

func (b *Box) substitute() *player.Strip {
	p := b.player.Program()
	if p == nil {
		return nil
	}
	for i := range p.Frames {
		f := &p.Frames[i]
		if f.W != int64(b.w) || f.H != int64(b.h) {
			continue
		}
		if s, err := b.frames.strip(f, nil); err == nil {
			return s
		}
	}
	return nil
}

// border draws a frame of one LED around the face, or leaves it: identify.
func (b *Box) border(lit bool) {
	if !lit {
		return
	}
	for x := range b.w {
		for _, y := range []int{0, b.h - 1} {
			copy(b.face.Pix[b.face.PixOffset(x, y):], []byte{255, 255, 255, 255})
		}
	}
	for y := range b.h {
		for _, x := range []int{0, b.w - 1} {
			copy(b.face.Pix[b.face.PixOffset(x, y):], []byte{255, 255, 255, 255})
		}
	}
}
