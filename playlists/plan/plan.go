package plan

import (
	"encoding/json"
	"errors"
	"strconv"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Anchor is the start of every loop whose rules have no beginning: midnight in
// Quảng Ngãi at the start of 2021. A common anchor keeps signs with the same loop
// in phase, whenever their programs were issued.
const Anchor = 1609434000

// CommLossAfterS is how long a sign plays its segments without contact with the
// broker unless its owner says otherwise: past the end of any program, so that a
// bad link costs no company what it has paid for. Then it plays the fallback loop.
const CommLossAfterS = 9 * 24 * 3600

// Limits of a program (docs/protocol.md, Signed documents). A signed document is
// a third larger than its JSON, and brightness is added to that.
const (
	MaxProgram      = 150 << 10 // bytes of a program's JSON
	maxDocument     = 256 << 10
	maxFrames       = 800
	maxFrameBytes   = 64 << 20
	maxFrame        = 900 << 10
	documentPerJSON = 4.0 / 3
)

// Limits are the lower limits that a sign declares; 0 means the general limit.
type Limits struct {
	Frames     int64
	FrameBytes int64
	Document   int64 // bytes of the signed program
}

// Planned is a sign's program with its reasons and files. Signs with the same
// rules share them, so callers may change only the program's header.
type Planned struct {
	Program *timeline.Program
	Reasons *Reasons
	Files   []*playlists.FrameFile // the frames of Program, in its order
	Titles  map[string]string      // title of each item, by owner/id
}

// Plan makes the program of one sign. For several signs use a Planner.
func Plan(content Content, r Rulebook, s *playlists.Sign, from, until int64) (*Planned, error) {
	return NewPlanner(content, r).Plan(s, from, until, Limits{})
}

// Plan makes the program of a sign for at least [from, until) (Unix seconds). It
// is a pure function of the rulebook, the content, the sign and the two times.
// Where two plans of the same rules overlap, they show the same to the
// millisecond. docs/planning.md describes the rules. The caller sets the
// program's header.
//
// The error is an *Error that says which sign and what does not fit, or an error
// of the content.
func (p *Planner) Plan(s *playlists.Sign, from, until int64, limits Limits) (*Planned, error) {
	b, err := p.body(s, from, until)
	if err == nil {
		err = b.checkLimits(limits)
	}
	if err != nil {
		var e *playlists.Error
		if errors.As(err, &e) {
			c := *e
			c.Field = "signs/" + s.ID + ": " + e.Field
			return nil, &c
		}
		return nil, err
	}
	g := *b.program
	g.Sign, g.Areas = s.ID, s.Areas
	if s.CommLossH > 0 {
		g.CommLoss.AfterS = s.CommLossH * 3600
	}
	if g.Brightness, err = Brightness(s, b.level, from, until); err != nil {
		return nil, err
	}
	if g.AlertFloor, err = AlertFloor(s, p.floors.For(s), b.level, from, until); err != nil {
		return nil, err
	}
	return &Planned{Program: &g, Reasons: b.reasons, Files: b.files, Titles: b.titles}, nil
}

// body is the part of a plan that signs with the same rules and look share.
type body struct {
	program *timeline.Program
	reasons *Reasons
	files   []*playlists.FrameFile
	titles  map[string]string
	level   float64
	json    int64 // bytes
	bytes   int64 // of frames

	planner *Planner
	look    look
	items   map[itemKey]int64
	frames  map[string]int64
	loops   map[string]int64
	orders  map[string][]int64
	key     []byte
}

// itemKey identifies an item. A message's duration determines its steps.
type itemKey struct {
	owner, id, campaign string
	s                   int64
}

// build fills the body with segments for every interval of the rules.
func (b *body) build(r *rules, from, until int64) error {
	p := b.planner
	ivs := p.absorbShort(b.look, r, p.intervalsAround(b.look, r, from, until))
	for i := range ivs {
		iv := &ivs[i]
		if iv.until <= from {
			continue
		}
		if iv.from >= until {
			break
		}
		if iv.dark {
			b.addSegment(max(iv.from, from), min(iv.until, until), timeline.Dark, iv.rule)
			continue
		}
		l, err := p.loopFor(b.look, iv)
		if err != nil {
			return p.failsAt(r, iv, max(iv.from, from), err)
		}
		if err := b.addInterval(iv, l, from, until); err != nil {
			return err
		}
	}
	if err := b.setFallback(r, from); err != nil {
		return err
	}
	b.reasons = p.reasons(r, b.look, ivs, from, until)
	data, err := json.Marshal(b.program)
	if err != nil {
		return err
	}
	b.json = int64(len(data))
	b.items, b.frames, b.loops, b.orders, b.key = nil, nil, nil, nil, nil
	return nil
}

// setFallback sets the loop for times without a segment: the playlist without
// schedules and campaigns. It has only items without a last date, because a sign
// that needs the fallback may not know the date.
func (b *body) setFallback(r *rules, from int64) error {
	var first error
	for _, x := range r.base {
		open := x.dated.open(r.c, from)
		if len(open.index) == 0 {
			continue
		}
		l, err := b.planner.loopOf(b.look, x.dated.list, open.index, open.key, nil)
		if err == nil {
			n := b.loopIndex(l.places, Anchor, l.s)
			b.program.Fallback, b.program.CommLoss.Loop = n, n
			return nil
		}
		if first == nil {
			first = err
		}
	}
	if len(b.program.Loops) > 0 {
		return nil // the fallback is loop 0
	}
	b.program.Fallback, b.program.CommLoss.Loop = timeline.Dark, timeline.Dark
	return first
}

// addInterval adds the segments of one interval: whole loops from its beginning,
// and a bridge before its end, so that its last item is not cut.
func (b *body) addInterval(iv *interval, l *loop, from, until int64) error {
	origin, begin := iv.from, iv.from
	if iv.from <= always {
		origin, begin = Anchor, always
	}
	begin = max(begin, origin+floorDiv(from-origin, l.s)*l.s)
	done := begin + ceilDiv(until-begin, l.s)*l.s
	if iv.until >= never {
		b.addSegment(begin, done, b.loopIndex(l.places, origin, l.s), iv.rule)
		return nil
	}
	bridge, at := b.planner.bridge(l, origin, iv.until, b.look.class)
	if done <= at {
		b.addSegment(begin, done, b.loopIndex(l.places, origin, l.s), iv.rule)
		return nil
	}
	if begin < at {
		b.addSegment(begin, at, b.loopIndex(l.places, origin, l.s), iv.rule)
	}
	if len(bridge) > 0 {
		b.addSegment(at, iv.until, b.loopIndex(bridge, at, iv.until-at), iv.rule)
	}
	return nil
}

// bridge returns the plays that end a loop, which starts at origin, exactly at
// end, and when they begin. It returns none if an item of the loop ends there.
// The item that would be cut does not start. Instead the item before it is
// stretched, or the nearest earlier one with a still, because strips cannot
// stand. If there are only strips, the last one scrolls more slowly.
func (p *Planner) bridge(l *loop, origin, end int64, c playlists.Class) (plays []*entry, at int64) {
	whole := floorDiv(end-origin, l.s)
	rest := end - origin - whole*l.s
	starts := l.starts()
	k := 0
	for k < len(l.places) && starts[k+1] <= rest {
		k++
	}
	gap := rest - starts[k]
	if gap == 0 {
		return nil, end
	}
	n := int64(len(l.places))
	done := whole*n + int64(k) // places that are complete
	if origin == Anchor {
		done = max(done, n+int64(k)) // the loop has no beginning
	}
	if done == 0 { // the first place does not fit: stretch the first one that does
		for _, e := range l.places {
			if e.s <= rest {
				return []*entry{p.longer(e, rest)}, origin
			}
		}
		return []*entry{p.longer(l.places[0], l.places[0].s)}, origin // absorbShort leaves no such interval
	}
	place := func(back int64) *entry { return l.places[((done-1-back)%n+n)%n] }
	back := int64(0)
	for back < min(n, done) && !hasStill(place(back).art.Steps) {
		back++
	}
	if back == min(n, done) {
		back = 0
	}
	e := place(back)
	plays = append(plays, p.longer(e, e.s+gap))
	for i := back - 1; i >= 0; i-- {
		plays = append(plays, place(i))
	}
	at = end
	for _, e := range plays {
		at -= e.s
	}
	return plays, at
}

func (b *body) addSegment(from, until, loop int64, why string) {
	if from >= until {
		return
	}
	if n := len(b.program.Segments); n > 0 {
		if s := &b.program.Segments[n-1]; s.Until == from && s.Loop == loop && s.Why == why {
			s.Until = until
			return
		}
	}
	b.program.Segments = append(b.program.Segments, timeline.Segment{From: from, Until: until, Loop: loop, Why: why})
}

// loopIndex returns the index of a loop of s seconds that starts at origin. It
// reuses a loop with the same phase and order.
func (b *body) loopIndex(places []*entry, origin, s int64) int64 {
	order := make([]int64, len(places))
	b.key = b.key[:0]
	for i, e := range places {
		order[i] = b.itemIndex(e)
		b.key = strconv.AppendInt(append(b.key, ' '), order[i], 10)
	}
	if same, ok := b.orders[string(b.key)]; ok {
		order = same // share it with the same hours of another day
	} else {
		b.orders[string(b.key)] = order
	}
	l := timeline.Loop{Anchor: origin - floorDiv(origin-Anchor, s)*s, Order: order}
	b.key = strconv.AppendInt(append(b.key, '@'), l.Anchor, 10)
	n, ok := b.loops[string(b.key)]
	if !ok {
		n = int64(len(b.program.Loops))
		b.loops[string(b.key)] = n
		b.program.Loops = append(b.program.Loops, l)
	}
	return n
}

func (b *body) itemIndex(e *entry) int64 {
	m := e.message
	k := itemKey{m.Owner, m.ID, e.campaign, e.s}
	n, ok := b.items[k]
	if ok {
		return n
	}
	b.level = max(b.level, e.art.Level)
	b.titles[m.Owner+"/"+m.ID] = m.Title()
	steps := make([]timeline.Step, len(e.steps))
	for i, st := range e.steps {
		f := &e.art.Frames[st.Frame]
		at, ok := b.frames[f.SHA256]
		if !ok {
			at = int64(len(b.program.Frames))
			b.frames[f.SHA256] = at
			file := b.planner.file(f, m.Owner)
			b.program.Frames = append(b.program.Frames, file.Frame)
			b.files = append(b.files, file)
			b.bytes += file.Len
		}
		st.Frame = at
		steps[i] = st
	}
	n = int64(len(b.program.Items))
	b.items[k] = n
	b.program.Items = append(b.program.Items, timeline.Item{ID: m.ID, Owner: m.Owner, Campaign: e.campaign, Steps: steps})
	return n
}

// file returns a frame's file with its owner, shared by all programs.
func (p *Planner) file(f *playlists.FrameFile, owner string) *playlists.FrameFile {
	k := fileKey{f, owner}
	if p.files[k] == nil {
		c := *f
		c.Owner = owner
		p.files[k] = &c
	}
	return p.files[k]
}

type fileKey struct {
	file  *playlists.FrameFile
	owner string
}

// checkLimits returns an *Error if the program exceeds a limit.
func (b *body) checkLimits(l Limits) error {
	least := func(own, limit int64) int64 {
		if own > 0 {
			return min(own, limit)
		}
		return limit
	}
	for _, x := range []struct {
		n     int64
		limit int64
		key   playlists.TextKey
	}{
		{int64(len(b.program.Frames)), least(l.Frames, maxFrames), "program-frames-over-limit"},
		{b.bytes, least(l.FrameBytes, maxFrameBytes), "program-bytes-over-limit"},
		{b.json, min(MaxProgram, int64(float64(least(l.Document, maxDocument)-2048)/documentPerJSON)),
			"program-json-over-limit"},
	} {
		if x.n > x.limit {
			return &playlists.Error{Code: playlists.TooLarge, Field: "program", Key: x.key, Args: []any{x.n, x.limit}}
		}
	}
	return nil
}
