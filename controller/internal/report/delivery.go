package report

import (
	"cmp"
	"context"
	"slices"

	"ledcast/playlists/timeline"
)

// Delivered is what one sign put out of one item on one day.
type Delivered struct {
	Day       string `json:"day"` // in the sign's zone
	Sign      string `json:"sign"`
	SignOwner string `json:"sign_owner"`
	Why       string `json:"why"`             // "program", "alert", "fallback", "comm-loss" or "dark"
	Owner     string `json:"owner"`           // whose item; "" where that is unknown
	Item      string `json:"item,omitempty"`  // "" where only the owner is told
	Title     string `json:"title,omitempty"` // what people called it
	Campaign  string `json:"campaign,omitempty"`
	Count     int64  `json:"count"` // whole plays begun
	MS        int64  `json:"ms"`
}

// Covered is how much of a day a sign's records cover.
type Covered struct {
	Day       string `json:"day"`
	Sign      string `json:"sign"`
	SignOwner string `json:"sign_owner"`
	MS        int64  `json:"ms"`         // covered
	MissingMS int64  `json:"missing_ms"` // not covered, of the part of the day that was asked for
	Missing   []Span `json:"missing,omitempty"`
}

// Delivery is what was shown.
type Delivery struct {
	From     int64       `json:"from"`
	Until    int64       `json:"until"`
	Rows     []Delivered `json:"rows"`
	Coverage []Covered   `json:"coverage"`
	Unproven []string    `json:"unproven,omitempty"` // signs of which there is no record at all
}

// MakeDelivery adds up what signs proved.
func MakeDelivery(ctx context.Context, b Book, q Query) (*Delivery, error) {
	out := &Delivery{From: q.From, Until: q.Until, Rows: []Delivered{}, Coverage: []Covered{}}
	err := each(ctx, b, q, func(s *sign) error {
		sums := map[Delivered]*Delivered{}
		var spans []Span
		if err := b.Records(ctx, s.id, q.From*1000, q.Until*1000, func(r *Record) error {
			spans = append(spans, Span{r.FromMS, min(r.UntilMS, q.Until*1000)})
			for i := range r.Plays {
				s.add(sums, q, r, &r.Plays[i])
			}
			return nil
		}); err != nil {
			return err
		}
		for _, row := range sums {
			out.Rows = append(out.Rows, *row)
		}
		out.Coverage = append(out.Coverage, s.coverage(q, spans)...)
		if len(spans) == 0 {
			out.Unproven = append(out.Unproven, s.id)
		}
		return nil
	})
	slices.SortFunc(out.Rows, func(a, b Delivered) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Sign, b.Sign), cmp.Compare(a.Why, b.Why), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Campaign, b.Campaign))
	})
	return out, err
}

// add counts one play.
func (s *sign) add(sums map[Delivered]*Delivered, q Query, r *Record, p *Play) {
	if q.Campaign != "" && p.Campaign != q.Campaign {
		return
	}
	key := Delivered{Day: s.day(r.FromMS), Sign: s.id, SignOwner: s.owner, Why: p.Why, Item: p.Item, Campaign: p.Campaign}
	count := p.Count
	if p.Why == timeline.WhyAlert {
		key.Owner = "public"
	} else if it, f := s.item(p, r.FromMS, r.UntilMS); it != nil {
		key.Owner, key.Title = it.Owner, f.Notes.Titles[it.Owner+"/"+it.ID]
		count = times(f.Program, it, p.Frame, p.Count)
	}
	if q.Content != "" && key.Owner != q.Content && key.Owner != "public" {
		key.Item, key.Title, key.Campaign = "", "", ""
	}
	row := sums[key]
	if row == nil {
		k := key
		row = &k
		sums[key] = row
	}
	row.Count += count
	row.MS += p.MS
}

// coverage says, for each day of the query, what its records cover.
func (s *sign) coverage(q Query, spans []Span) []Covered {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.FromMS, b.FromMS) })
	var out []Covered
	for from := q.From * 1000; from < q.Until*1000; {
		until := min(s.midnight(from), q.Until*1000)
		c := Covered{Day: s.day(from), Sign: s.id, SignOwner: s.owner}
		at := from
		for _, x := range spans {
			a, b := max(x.FromMS, at), min(x.UntilMS, until)
			if b <= a {
				continue
			}
			if a > at {
				c.Missing = append(c.Missing, Span{at, a})
				c.MissingMS += a - at
			}
			c.MS += b - a
			at = b
		}
		if at < until {
			c.Missing = append(c.Missing, Span{at, until})
			c.MissingMS += until - at
		}
		out = append(out, c)
		from = until
	}
	return out
}
