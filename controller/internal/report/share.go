package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Share is what became of a campaign's share of one sign's face on one day:
// asked, planned and shown.
type Share struct {
	Day       string           `json:"day"`
	Campaign  string           `json:"campaign"`
	Letter    playlists.Letter `json:"letter"`
	Sign      string           `json:"sign"`
	SignOwner string           `json:"sign_owner"`
	BoundMS   int64            `json:"bound_ms"` // time of the day in which the campaign had a share of the face
	// AskedMS is the share that was asked for of that time; PlannedMS is what
	// the programs that were issued give it, and ShownMS what the sign proved.
	AskedMS   int64 `json:"asked_ms"`
	PlannedMS int64 `json:"planned_ms"`
	ShownMS   int64 `json:"shown_ms"`
	Shown     int64 `json:"shown"` // plays
	// ProvenMS is how much of the time in which it was bound is covered by
	// records: where it is less, less could be shown.
	ProvenMS int64 `json:"proven_ms"`
}

// Percent is part of whole, in percent; 0 of nothing.
func Percent(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// Shares is what became of campaigns' shares.
type Shares struct {
	From  int64   `json:"from"`
	Until int64   `json:"until"`
	Rows  []Share `json:"rows"`
}

type shareKey struct{ day, campaign string }

// MakeShares compares what was asked, planned and shown.
func MakeShares(ctx context.Context, b Book, q Query) (*Shares, error) {
	out := &Shares{From: q.From, Until: q.Until, Rows: []Share{}}
	err := each(ctx, b, q, func(s *sign) error {
		sums := map[shareKey]*Share{}
		row := func(day, campaign string) *Share {
			k := shareKey{day, campaign}
			if sums[k] == nil {
				sums[k] = &Share{Day: day, Campaign: campaign, Sign: s.id, SignOwner: s.owner}
			}
			return sums[k]
		}
		var spans []Span
		if err := b.Records(ctx, s.id, q.From*1000, q.Until*1000, func(r *Record) error {
			spans = append(spans, Span{r.FromMS, r.UntilMS})
			for i := range r.Plays {
				p := &r.Plays[i]
				if p.Why == timeline.WhyAlert {
					continue
				}
				it, f := s.item(p, r.FromMS, r.UntilMS)
				if it == nil || !campaignOf(f, it.Campaign) {
					continue
				}
				x := row(s.day(r.FromMS), it.Campaign)
				x.ShownMS += p.MS
				x.Shown += times(f.Program, it, p.Frame, p.Count)
			}
			return nil
		}); err != nil {
			return err
		}
		s.planned(q, spans, row)
		for _, x := range sums {
			if q.Campaign == "" || q.Campaign == x.Campaign {
				out.Rows = append(out.Rows, *x)
			}
		}
		return nil
	})
	slices.SortFunc(out.Rows, func(a, b Share) int {
		return cmp.Or(cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Sign, b.Sign))
	})
	return out, err
}

// campaignOf reports whether an item's campaign is one of the department's with
// a share: a company's message may carry a campaign's name of its own.
func campaignOf(f *InForce, id string) bool {
	if id == "" || f.Notes.Reasons == nil {
		return false
	}
	return slices.ContainsFunc(f.Notes.Reasons.Decisions, func(d playlists.Decision) bool {
		return slices.ContainsFunc(d.Campaigns, func(c playlists.Share) bool { return c.ID == id })
	})
}

// planned adds up what the programs give campaigns, day by day.
func (s *sign) planned(q Query, spans []Span, row func(day, campaign string) *Share) {
	for i := range s.programs {
		f := &s.programs[i]
		if f.Notes.Reasons == nil {
			continue
		}
		for _, span := range f.Notes.Reasons.Spans {
			d := &f.Notes.Reasons.Decisions[span.Decision]
			if len(d.Campaigns) == 0 {
				continue
			}
			from := max(span.From, f.From, q.From) * 1000
			until := min(span.Until, f.Until, q.Until) * 1000
			for from < until {
				end := min(s.midnight(from), until)
				shown := onFace(f.Program, from, end)
				for _, c := range d.Campaigns {
					x := row(s.day(from), c.ID)
					x.Letter = c.Letter
					x.BoundMS += end - from
					x.AskedMS += int64(c.AskedPercent * float64(end-from) / 100)
					x.PlannedMS += shown[c.ID]
					x.ProvenMS += overlap(spans, from, end)
				}
				from = end
			}
		}
	}
}

// midnight is the end of the day that a moment lies in, in the sign's zone.
func (s *sign) midnight(ms int64) int64 {
	y, m, d := time.UnixMilli(ms).In(s.zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, s.zone).UnixMilli()
}

func overlap(spans []Span, from, until int64) int64 {
	var n int64
	for _, x := range spans {
		n += max(0, min(x.UntilMS, until)-max(x.FromMS, from))
	}
	return n
}

// onFace is how long each campaign is on the face from a until b (Unix ms) by a
// program alone.
func onFace(p *timeline.Program, a, b int64) map[string]int64 {
	out := map[string]int64{}
	for _, seg := range p.Segments {
		from, until := max(a, seg.From*1000), min(b, seg.Until*1000)
		if until <= from || seg.Loop == timeline.Dark {
			continue
		}
		addLoop(p, seg.Loop, from, until, func(it *timeline.Item, ms int64) {
			if it.Campaign != "" {
				out[it.Campaign] += ms
			}
		})
	}
	return out
}

// addLoop calls add for the time that each item of a loop has from a until b:
// whole rounds at once, what is left place by place.
func addLoop(p *timeline.Program, loop, a, b int64, add func(*timeline.Item, int64)) {
	l := &p.Loops[loop]
	var length int64
	for _, i := range l.Order {
		length += timeline.Length(p.Items[i].Steps)
	}
	if length == 0 {
		return
	}
	rounds := (b - a) / length
	if rounds > 0 {
		for _, i := range l.Order {
			add(&p.Items[i], rounds*timeline.Length(p.Items[i].Steps))
		}
	}
	a += rounds * length
	pos := (a - l.Anchor*1000) % length
	if pos < 0 {
		pos += length
	}
	// One round from the start of the loop, and the next one: what is left is
	// shorter than a round, and may go over its end.
	begin := a - pos
	for range 2 {
		for _, i := range l.Order {
			ms := timeline.Length(p.Items[i].Steps)
			if n := min(begin+ms, b) - max(begin, a); n > 0 {
				add(&p.Items[i], n)
			}
			begin += ms
		}
	}
}
