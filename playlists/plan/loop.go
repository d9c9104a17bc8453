package plan

import (
	"fmt"
	"strings"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// MaxLoopS is the longest duration of a loop in seconds.
const MaxLoopS = 900

// look is what determines how a message looks on a sign and how long it shows.
type look struct {
	class  playlists.Class
	motion playlists.Motion
	least  int64 // ms
}

func lookOf(s *playlists.Sign) look {
	l := look{class: s.Class, motion: s.Motion()}
	if r := s.Rules; r != nil {
		l.least = r.LeastDwellMS
	}
	return l
}

// entry is a message with its artwork and its duration in a loop.
type entry struct {
	message  *playlists.Message
	art      *playlists.Artwork
	campaign string
	class    playlists.Class
	steps    []timeline.Step // Frame indexes art.Frames
	s        int64           // whole seconds
}

// bound is a campaign that a sign must show, with the share it gets.
type bound struct {
	campaign *playlists.Campaign
	percent  int64
}

// loop is a repeating sequence of entries.
type loop struct {
	places []*entry
	s      int64 // duration in seconds
	least  int64 // duration of the shortest place in seconds
	shares []slots
}

// slots is what one campaign gets of one loop.
type slots struct {
	bound
	n, s int64 // number and seconds
}

// starts returns the starts of the places in seconds, followed by the loop's end.
func (l *loop) starts() []int64 {
	out := make([]int64, 1, len(l.places)+1)
	var n int64
	for _, e := range l.places {
		n += e.s
		out = append(out, n)
	}
	return out
}

// entry draws a message. Its duration is the longest of its reading time, the
// requested dwell and the sign's least dwell, rounded up to whole seconds.
func (p *Planner) entry(lk look, owner, id, campaign string, dwell int64) (*entry, error) {
	k := entryKey{lk, owner, id, campaign, dwell}
	return p.entries.get(k, func() (*entry, error) { return p.draw(k) })
}

type entryKey struct {
	look
	owner, id, campaign string
	dwell               int64
}

func (p *Planner) draw(k entryKey) (*entry, error) {
	m, err := p.content.Message(k.owner, k.id)
	if err != nil {
		return nil, err
	}
	art, err := p.content.Artwork(m, k.class, k.motion)
	if err != nil {
		return nil, err
	}
	field := "messages/" + k.id
	if len(art.Steps) == 0 {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: field,
			Key: "nothing-to-show-on-class", Args: []any{k.class.String()}}
	}
	for i := range art.Frames {
		if n := max(len(art.Frames[i].Data), int(art.Frames[i].Len)); n > maxFrame {
			return nil, &playlists.Error{Code: playlists.TooLarge, Field: field,
				Key: "frame-too-large", Args: []any{n, k.class, maxFrame}}
		}
	}
	asked := max(k.dwell, k.least)
	ms := art.MS()
	if asked > ms && !hasStill(art.Steps) {
		ms = ceilDiv(asked, ms) * ms // whole passes
	}
	s := ceilDiv(max(ms, asked), 1000)
	if s > MaxLoopS {
		return nil, &playlists.Error{Code: playlists.TooLarge, Field: field,
			Key: "message-too-long", Args: []any{s, k.class, MaxLoopS}}
	}
	e := &entry{message: m, art: art, campaign: k.campaign, class: k.class, steps: stretchTo(art.Steps, s*1000, k.class),
		s: s}
	if e.campaign == "" {
		e.campaign = m.Campaign
	}
	return e, nil
}

// same reports whether two places show the same message.
func (e *entry) same(o *entry) bool {
	return e == o || e.message.ID == o.message.ID && e.message.Owner == o.message.Owner
}

// loopOf returns the loop of some items of a playlist with campaigns. The same
// arguments return the same *loop. The error says what does not fit.
func (p *Planner) loopOf(lk look, l *list, items []int, set string, bounds []bound) (*loop, error) {
	var b strings.Builder
	for _, x := range bounds {
		fmt.Fprintf(&b, "%s:%d;", x.campaign.ID, x.percent)
	}
	k := loopKey{lk, l, set, b.String()}
	return p.loops.get(k, func() (*loop, error) { return p.compose(lk, l, items, bounds) })
}

type loopKey struct {
	look
	list   *list
	set    string // which items
	shares string
}

func (p *Planner) compose(lk look, l *list, items []int, bounds []bound) (*loop, error) {
	var total int64
	var rs []rotation
	for _, b := range bounds {
		r := rotation{bound: b, prefix: []int64{0}}
		for i, id := range b.campaign.Messages {
			e, err := p.entry(lk, playlists.Public, id, b.campaign.ID, 0)
			if err != nil {
				return nil, err
			}
			r.entries = append(r.entries, e)
			r.prefix = append(r.prefix, r.prefix[i]+e.s)
		}
		total += b.percent
		rs = append(rs, r)
	}
	if total > 100 {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "campaigns",
			Key: "shares-over-100", Args: []any{total}}
	}
	if total == 100 {
		return p.full(rs)
	}
	round, err := p.round(lk, l, items)
	if err != nil {
		return nil, err
	}
	var length int64
	for _, e := range round {
		length += e.s
	}
	if length*100 > MaxLoopS*(100-total) {
		e := &playlists.Error{Code: playlists.TooLarge, Field: l.field() + ".items",
			Key: "company-round-too-long", Args: []any{length, lk.class, MaxLoopS}}
		if total > 0 {
			rest := MaxLoopS * (100 - total) / 100
			e.Key, e.Args = "company-round-over-rest", []any{length, lk.class, rest, total, MaxLoopS}
		}
		return nil, e
	}
	if len(rs) == 0 {
		return newLoop(separate(round, (*entry).same), nil), nil
	}
	k, counts, err := choose(rs, length)
	if err != nil {
		return nil, err
	}
	var company []*entry
	for range k {
		company = append(company, round...)
	}
	return merge(company, rs, counts), nil
}

// round returns one round of a playlist's items. Weighted items play weight/gcd
// times, counted items count times.
func (p *Planner) round(lk look, l *list, items []int) ([]*entry, error) {
	var g int64
	for _, i := range items {
		if it := &l.playlist.Items[i]; it.Count == 0 {
			g = gcd(g, max(1, int64(it.Weight)))
		}
	}
	entries := make([]*entry, len(items))
	counts := make([]int64, len(items))
	var total int64
	for n, i := range items {
		it := &l.playlist.Items[i]
		owner, id := playlists.SplitRef(l.playlist.Owner, it.Message)
		e, err := p.entry(lk, owner, id, "", it.DwellMS)
		if err != nil {
			return nil, err
		}
		entries[n], counts[n] = e, int64(it.Count)
		if it.Count == 0 {
			counts[n] = max(1, int64(it.Weight)) / g
		}
		total += counts[n] * e.s
	}
	if total > MaxLoopS {
		var plays int64
		for _, n := range counts {
			plays += n
		}
		return nil, &playlists.Error{Code: playlists.TooLarge, Field: l.field() + ".items",
			Key: "round-too-long", Args: []any{total, plays, lk.class, MaxLoopS}}
	}
	var out []*entry
	for _, i := range spread(counts) {
		out = append(out, entries[i])
	}
	return out, nil
}
