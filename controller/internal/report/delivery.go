package report

import (
	"cmp"
	"context"
	"slices"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Delivered counts the plays of one item on one sign on one day.
type Delivered struct {
	Day       string `json:"day"` // in the sign's zone
	Sign      string `json:"sign"`
	SignOwner string `json:"sign_owner"`
	Why       string `json:"why"`             // "program", "alert", "fallback", "comm-loss" or "dark"
	Owner     string `json:"owner"`           // of the item; "" if unknown
	Item      string `json:"item,omitempty"`  // "" if the reader may see only the owner
	Title     string `json:"title,omitempty"` // at the time of the play
	Campaign  string `json:"campaign,omitempty"`
	Count     int64  `json:"count"` // number of plays that began
	MS        int64  `json:"ms"`
}

// Covered is the part of a day, up to the present, for which a sign has records.
type Covered struct {
	Day       string `json:"day"`
	Sign      string `json:"sign"`
	SignOwner string `json:"sign_owner"`
	MS        int64  `json:"ms"`         // covered
	MissingMS int64  `json:"missing_ms"` // not covered, of the part of the day in the query
	Missing   []Span `json:"missing,omitempty"`
}

// Delivery reports what was shown.
type Delivery struct {
	From     int64       `json:"from"`
	Until    int64       `json:"until"`
	Rows     []Delivered `json:"rows"`
	Coverage []Covered   `json:"coverage"`
	Unproven []string    `json:"unproven,omitempty"` // signs without any record
	// Straddling are records that lie only partly in the range; they are not counted.
	Straddling []Straddler `json:"straddling,omitempty"`
}

// MakeDelivery adds up the plays in the signs' records.
func MakeDelivery(ctx context.Context, b Book, q Query) (*Delivery, error) {
	out := &Delivery{From: q.From, Until: q.Until, Rows: []Delivered{}, Coverage: []Covered{}}
	err := eachSign(ctx, b, q, func(s *sign) error {
		sums := map[Delivered]*Delivered{}
		proven, straddling, err := s.records(ctx, b, q, func(r *playlists.PlayRecord) {
			for i := range r.Plays {
				s.add(sums, q, r, &r.Plays[i])
			}
		})
		if err != nil {
			return err
		}
		for _, row := range sums {
			out.Rows = append(out.Rows, *row)
		}
		out.Coverage = append(out.Coverage, s.coverage(q, proven)...)
		if len(proven.whole)+len(proven.part) == 0 {
			out.Unproven = append(out.Unproven, s.id)
		}
		out.Straddling = append(out.Straddling, straddling...)
		return nil
	})
	slices.SortFunc(out.Rows, func(a, b Delivered) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Sign, b.Sign), cmp.Compare(a.Why, b.Why),
			cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Campaign, b.Campaign))
	})
	return out, err
}

// add adds one play of record r.
func (s *sign) add(sums map[Delivered]*Delivered, q Query, r *playlists.PlayRecord, p *playlists.Play) {
	if q.Campaign != "" && p.Campaign != q.Campaign {
		return
	}
	key := Delivered{Day: s.day(middle(r)), Sign: s.id, SignOwner: s.owner, Why: p.Why, Item: p.Item,
		Campaign: p.Campaign}
	count := p.Count
	if p.Why == timeline.WhyAlert {
		key.Owner = "public"
	} else if it, f := s.item(p, r.FromMS, r.UntilMS); it != nil {
		key.Owner, key.Title = it.Owner, f.Notes.Titles[it.Owner+"/"+it.ID]
		count = playsOf(f.Program, it, p.Frame, p.Count)
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

// coverage returns the proven part of each day of the query, up to the present.
func (s *sign) coverage(q Query, proven *cover) []Covered {
	var out []Covered
	for from, end := q.From*1000, q.end(); from < end; {
		until := min(s.midnight(from), end)
		c := Covered{Day: s.day(from), Sign: s.id, SignOwner: s.owner}
		c.MS, c.Missing = proven.within(from, until)
		c.MissingMS = until - from - c.MS
		out = append(out, c)
		from = until
	}
	return out
}

// end is the end of the query, or the present if that is earlier (Unix ms).
func (q *Query) end() int64 {
	if q.Now > 0 {
		return min(q.Until, q.Now) * 1000
	}
	return q.Until * 1000
}
