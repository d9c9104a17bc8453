package wire

import (
	"strconv"
	"strings"

	"ledcast/playlists/timeline"
)

// Bounds that keep 64-bit arithmetic in timeline.At from overflowing. The
// protocol's own bound of 2^53 would not.
const (
	maxSeconds = maxInt / 1000
	maxStepMS  = 1 << 31
	maxSpeed   = 1 << 20
)

func classSize(class string) (w, h int64, ok bool) {
	size, _, ok := strings.Cut(class, "-")
	ws, hs, ok2 := strings.Cut(size, "x")
	w, err1 := strconv.ParseInt(ws, 10, 32)
	h, err2 := strconv.ParseInt(hs, 10, 32)
	return w, h, ok && ok2 && err1 == nil && err2 == nil
}

func checkProgram(p *timeline.Program, w, h int64) error {
	bad := func(format string, args ...any) error { return reject(BadDocument, format, args...) }
	if err := checkFrames(p.Frames, MaxFrames, MaxFrameBytes, true); err != nil {
		return err
	}
	for i := range p.Items {
		if err := checkSteps(p.Items[i].Steps, p.Frames, w, h); err != nil {
			return bad("items[%d]: %v", i, err)
		}
	}
	for i, l := range p.Loops {
		if len(l.Order) == 0 {
			return bad("loops[%d] is empty", i)
		}
		for _, k := range l.Order {
			if k < 0 || k >= int64(len(p.Items)) {
				return bad("loops[%d] names item %d of %d", i, k, len(p.Items))
			}
		}
		if l.Anchor > maxSeconds || l.Anchor < -maxSeconds {
			return bad("loops[%d]: the anchor is out of bounds", i)
		}
	}
	loop := func(l int64) bool { return l >= timeline.Dark && l < int64(len(p.Loops)) }
	if !loop(p.Fallback) || !loop(p.CommLoss.Loop) {
		return bad("fallback %d or comm_loss %d is none of %d loops", p.Fallback, p.CommLoss.Loop, len(p.Loops))
	}
	if p.CommLoss.AfterS < 0 || p.CommLoss.AfterS > maxSeconds {
		return bad("comm_loss.after_s is out of bounds")
	}
	last := int64(-maxSeconds)
	for i, s := range p.Segments {
		if !loop(s.Loop) {
			return bad("segments[%d] names loop %d of %d", i, s.Loop, len(p.Loops))
		}
		if s.From < last || s.Until <= s.From || s.Until > maxSeconds {
			return bad("segments[%d] is empty, out of bounds, or overlaps the one before", i)
		}
		last = s.Until
	}
	for name, entries := range map[string][]timeline.Brightness{"brightness": p.Brightness, "alert_floor": p.AlertFloor} {
		for i, b := range entries {
			if b.Percent < 0 || b.Percent > 100 || b.Until <= b.From || b.From < -maxSeconds || b.Until > maxSeconds {
				return bad("%s[%d] is not 0 to 100 percent from one time until a later one", name, i)
			}
		}
	}
	return nil
}

// CheckAlerts makes a sign's checks of an alert set's fields, for the maker of a set: every sign refuses a set of which
// one alert is out of bounds. Its error is a Rejection of reason bad-document.
func CheckAlerts(a *timeline.AlertSet) error {
	w, h, ok := classSize(a.Class)
	if !ok {
		return reject(BadDocument, "class %q is not <W>x<H>-<colour>", a.Class)
	}
	return checkAlerts(a, w, h)
}

func checkAlerts(a *timeline.AlertSet, w, h int64) error {
	bad := func(format string, args ...any) error { return reject(BadDocument, format, args...) }
	if len(a.Alerts) > MaxAlerts {
		return bad("%d alerts, over the limit of %d", len(a.Alerts), MaxAlerts)
	}
	frames, size := 0, int64(0)
	ids := map[string]bool{}
	for i := range a.Alerts {
		x := &a.Alerts[i]
		if x.ID == "" || ids[x.ID] {
			return bad("alerts[%d]: the id %q is empty or stands twice", i, x.ID)
		}
		ids[x.ID] = true
		if err := checkFrames(x.Frames, MaxAlertFrames, MaxAlertBytes, false); err != nil {
			return err
		}
		frames += len(x.Frames)
		for _, f := range x.Frames {
			size += f.Len
		}
		if err := checkSteps(x.Steps, x.Frames, w, h); err != nil {
			return bad("alerts[%d]: %v", i, err)
		}
		length := timeline.Length(x.Steps)
		switch {
		case x.Until <= x.From || x.Until-x.From > MaxAlertLife || x.From < -maxSeconds || x.Until > maxSeconds:
			return bad("alerts[%d]: until is not after from by at most %d s", i, MaxAlertLife)
		case len(x.Signs) > MaxAlertSigns:
			return bad("alerts[%d]: %d signs, over the limit of %d", i, len(x.Signs), MaxAlertSigns)
		case x.ExclusiveS < 0 || x.ExclusiveS > maxSeconds:
			return bad("alerts[%d]: exclusive_s is out of bounds", i)
		case x.CycleMS <= 0 || x.CycleMS > maxStepMS*1000:
			return bad("alerts[%d]: cycle_ms is out of bounds", i)
		case x.ShareMS < 0 || x.ShareMS > maxStepMS*1000 || x.ShareMS%length != 0:
			return bad("alerts[%d]: share_ms %d is no multiple of its length %d", i, x.ShareMS, length)
		}
	}
	if frames > MaxAlertFrames || size > MaxAlertBytes {
		return bad("%d frames of %d bytes, over the limits of %d and %d", frames, size, MaxAlertFrames, MaxAlertBytes)
	}
	return nil
}

func checkFrames(frames []timeline.Frame, most int, bytes int64, owner bool) error {
	if len(frames) > most {
		return reject(BadDocument, "%d frames, over the limit of %d", len(frames), most)
	}
	var sum int64
	for i, f := range frames {
		sum += f.Len
		switch {
		case !IsDigest(f.SHA256):
			return reject(BadDocument, "frames[%d].sha256 is no digest", i)
		case f.Len <= 0 || f.Len > MaxFrame:
			return reject(BadDocument, "frames[%d] has %d bytes, outside 1 to %d", i, f.Len, MaxFrame)
		case f.Type != "image/png" && f.Type != "image/jpeg":
			return reject(BadDocument, "frames[%d].type %q is neither image/png nor image/jpeg", i, f.Type)
		case f.W <= 0 || f.H <= 0 || f.W > MaxStripLen || f.H > MaxStripLen || f.W*f.H > MaxStripPixels:
			return reject(BadDocument, "frames[%d] has %dx%d pixels, over the limits", i, f.W, f.H)
		case owner && f.Owner == "":
			return reject(BadDocument, "frames[%d] has no owner", i)
		}
	}
	if sum > bytes {
		return reject(BadDocument, "frames of %d bytes, over the limit of %d", sum, bytes)
	}
	return nil
}

func checkSteps(steps []timeline.Step, frames []timeline.Frame, w, h int64) error {
	bad := func(format string, args ...any) error { return reject(BadDocument, format, args...) }
	if len(steps) == 0 {
		return bad("it has no steps")
	}
	for i, s := range steps {
		if s.Frame < 0 || s.Frame >= int64(len(frames)) {
			return bad("steps[%d] names frame %d of %d", i, s.Frame, len(frames))
		}
		if s.MS < MinStepMS || s.MS > maxStepMS {
			return bad("steps[%d] takes %d ms, under %d or out of bounds", i, s.MS, MinStepMS)
		}
		f := &frames[s.Frame]
		switch {
		case s.Scroll == nil:
			if f.W != w || f.H != h {
				return bad("steps[%d]: a still of %dx%d on a face of %dx%d", i, f.W, f.H, w, h)
			}
		case s.Scroll.Axis == "x":
			if f.H != h || f.W < w {
				return bad("steps[%d]: a strip of %dx%d on a face of %dx%d", i, f.W, f.H, w, h)
			}
		case s.Scroll.Axis == "y":
			if f.W != w || f.H < h {
				return bad("steps[%d]: a strip of %dx%d on a face of %dx%d", i, f.W, f.H, w, h)
			}
		default:
			return bad("steps[%d].scroll.axis %q is neither x nor y", i, s.Scroll.Axis)
		}
		if s.Scroll != nil && (s.Scroll.PxS > maxSpeed || s.Scroll.PxS < -maxSpeed) {
			return bad("steps[%d].scroll.px_s is out of bounds", i)
		}
	}
	return nil
}
