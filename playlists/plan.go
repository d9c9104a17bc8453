package playlists

import (
	"fmt"

	"ledcast/playlists/timeline"
)

// Anchor is the moment from which every loop counts: midnight in Quảng Ngãi at
// the start of 2021. One anchor for all keeps signs with one loop in phase,
// whichever day their programs were issued.
const Anchor = 1609434000

// CommLossAfterS is how long a sign goes on by its segments without having
// reached the broker. The rotation goes on after it: a day's silence is a bad
// link more often than a taken-over one, and everything shown is signed.
const CommLossAfterS = 24 * 3600

// Placed is a message that a playlist places on a sign, as it looks there.
type Placed struct {
	Message *Message
	DwellMS int64 // asked for; 0 is the reading time
	Art     *Artwork
}

// Plan makes the program of a sign that rotates through items: one loop, in
// order, from `from` until at least `until` (Unix seconds). No item shows for
// less than its reading time. The program's header is left to who issues it.
//
// Its error is an *Error of code Invalid or TooLarge that names the sign.
func Plan(s *Sign, items []Placed, from, until int64) (*timeline.Program, error) {
	where := "signs/" + s.ID
	if len(items) == 0 {
		return nil, &Error{Code: Invalid, Field: where + ".playlist", Problem: "has nothing to show", Remedy: "name a playlist with at least one message"}
	}
	p := &timeline.Program{
		Sign: s.ID, Class: s.Class.String(), Areas: s.Areas,
		Loops:    []timeline.Loop{{Anchor: Anchor}},
		CommLoss: timeline.CommLoss{AfterS: CommLossAfterS},
	}
	index := map[string]int64{} // frames by digest
	var length int64
	var level float64
	for i, it := range items {
		level = max(level, it.Art.Level)
		steps := make([]timeline.Step, len(it.Art.Steps))
		for k, st := range it.Art.Steps {
			f := it.Art.Frames[st.Frame]
			n, ok := index[f.SHA256]
			if !ok {
				n = int64(len(p.Frames))
				index[f.SHA256] = n
				desc := f.Frame
				desc.Owner = it.Message.Owner
				p.Frames = append(p.Frames, desc)
			}
			st.Frame = n
			steps[k] = st
		}
		steps = Stretch(steps, it.DwellMS)
		if i == len(items)-1 {
			// Segments are in whole seconds and are cut where an item ends.
			rest := (length + timeline.Length(steps)) % 1000
			if rest > 0 {
				steps = Stretch(steps, timeline.Length(steps)+1000-rest)
			}
		}
		length += timeline.Length(steps)
		p.Loops[0].Order = append(p.Loops[0].Order, int64(len(p.Items)))
		p.Items = append(p.Items, timeline.Item{ID: it.Message.ID, Owner: it.Message.Owner, Campaign: it.Message.Campaign, Steps: steps})
	}
	if len(p.Frames) > 800 {
		return nil, &Error{Code: TooLarge, Field: where + ".playlist", Value: s.Playlist,
			Problem: fmt.Sprintf("needs %d frames, over the limit of 800", len(p.Frames)), Remedy: "shorten the playlist"}
	}
	sec := length / 1000
	p.Segments = []timeline.Segment{{
		From:  Anchor + floorDiv(from-Anchor, sec)*sec,
		Until: Anchor + (floorDiv(until-Anchor-1, sec)+1)*sec,
		Loop:  0, Why: why(s),
	}}
	var err error
	p.Brightness, err = PlanBrightness(s, level, from, until)
	return p, err
}

func why(s *Sign) string {
	if s.Playlist == "" {
		return "default"
	}
	return "playlist:" + s.Playlist
}

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

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
