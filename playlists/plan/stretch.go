package plan

import (
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Stretch makes steps last ms in all, by lengthening stills in proportion, the
// last one taking the remainder. Steps are never shortened: what lasts longer
// than ms stays as it is. A strip's pass is not drawn out; where there are
// only strips, whole passes are added until ms is reached.
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

// stretchTo makes steps last ms exactly; ms is not under their length. Where
// there are only strips it adds whole passes as far as they fit and lets all
// of them run slower for the rest, so that none is cut.
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

// evenSpeeds move by whole pixels or stand for whole frames at 60 frames a
// second; above them it is the multiples of 60.
var evenSpeeds = [...]int64{4, 5, 6, 10, 12, 15, 20, 30}

// slower lets a strip's step take ms, which is not under its own. The strip
// travels at least as far as before. Its speed is the slowest even one, if the
// strip does not then run further than into the empty face that it begins with;
// else the slowest.
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
