package plan

import (
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Stretch returns steps that last ms in total. It lengthens stills in proportion
// and adds the remainder to the last one. It never shortens steps and does not
// slow down strips. If there are only strips, it adds whole passes until they
// last at least ms.
func Stretch(steps []timeline.Step, ms int64) []timeline.Step {
	out := append([]timeline.Step(nil), steps...)
	total := timeline.Length(out)
	if ms <= total {
		return out
	}
	var stills, last int64 = 0, -1
	for i := range out {
		if out[i].Scroll == nil {
			stills += out[i].MS
			last = int64(i)
		}
	}
	if last < 0 {
		for timeline.Length(out) < ms {
			out = append(out, steps...)
		}
		return out
	}
	extra := ms - total
	left := extra
	for i := range out {
		if out[i].Scroll == nil {
			add := extra * steps[i].MS / stills
			out[i].MS += add
			left -= add
		}
	}
	out[last].MS += left
	return out
}

// stretchTo returns steps that last exactly ms, which must be at least their
// length. If there are only strips, it adds the whole passes that fit and slows
// all of them down, so that none is cut.
func stretchTo(steps []timeline.Step, ms int64, c playlists.Class) []timeline.Step {
	if hasStill(steps) {
		return Stretch(steps, ms)
	}
	pass := timeline.Length(steps)
	var out []timeline.Step
	for n := ms / pass; n > 0; n-- {
		out = append(out, steps...)
	}
	total := int64(len(out)/len(steps)) * pass
	extra := ms - total
	left := extra
	for i := range out {
		add := extra * out[i].MS / total
		if i == len(out)-1 {
			add = left
		}
		left -= add
		out[i] = slower(out[i], out[i].MS+add, c)
	}
	return out
}

// evenSpeeds are the speeds at which a strip moves by whole pixels or stands for
// whole frames at 60 frames a second. Above these, multiples of 60 do.
var evenSpeeds = [...]int64{4, 5, 6, 10, 12, 15, 20, 30}

// slower stretches a step of a strip to ms, which must be at least its length.
// The strip scrolls at least as far as before, at the slowest even speed. If it
// would then scroll beyond its empty lead-in, it takes the slowest speed instead.
func slower(st timeline.Step, ms int64, c playlists.Class) timeline.Step {
	if ms <= st.MS || st.Scroll == nil || st.Scroll.PxS == 0 {
		st.MS = max(ms, st.MS)
		return st
	}
	v, sign := st.Scroll.PxS, int64(1)
	if v < 0 {
		v, sign = -v, -1
	}
	lead := int64(c.W)
	if st.Scroll.Axis == "y" {
		lead = int64(c.H)
	}
	least := (st.MS*v + ms - 1) / ms
	speed := (least + 59) / 60 * 60
	for i := len(evenSpeeds) - 1; i >= 0 && evenSpeeds[i] >= least; i-- {
		speed = evenSpeeds[i]
	}
	if speed*ms/1000-v*st.MS/1000 > lead {
		speed = least
	}
	st.MS, st.Scroll = ms, &timeline.Scroll{Axis: st.Scroll.Axis, PxS: sign * speed}
	return st
}

func hasStill(steps []timeline.Step) bool {
	for i := range steps {
		if steps[i].Scroll == nil {
			return true
		}
	}
	return false
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func ceilDiv(a, b int64) int64 { return -floorDiv(-a, b) }
