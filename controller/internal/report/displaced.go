package report

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"ledcast/playlists/timeline"
)

// Displaced is what gave way to urgent messages on one sign and day.
type Displaced struct {
	Day       string `json:"day"`
	Sign      string `json:"sign"`
	SignOwner string `json:"sign_owner"`
	Alerts    string `json:"alerts"`          // ids of those that showed meanwhile, separated by spaces
	Owner     string `json:"owner"`           // whose item gave way
	Item      string `json:"item,omitempty"`  // "" where only the owner is told
	Title     string `json:"title,omitempty"` // what people called it
	MS        int64  `json:"ms"`              // by which it showed less than its program gave it
}

// Displacement is what gave way.
type Displacement struct {
	From  int64       `json:"from"`
	Until int64       `json:"until"`
	Rows  []Displaced `json:"rows"`
}

// MakeDisplacement compares, in each record in which an urgent message showed,
// what the program gave each item with what the record proves of it.
func MakeDisplacement(ctx context.Context, b Book, q Query) (*Displacement, error) {
	out := &Displacement{From: q.From, Until: q.Until, Rows: []Displaced{}}
	err := each(ctx, b, q, func(s *sign) error {
		sums := map[Displaced]*Displaced{}
		if err := b.Records(ctx, s.id, q.From*1000, q.Until*1000, func(r *Record) error {
			s.gaveWay(sums, q, r)
			return nil
		}); err != nil {
			return err
		}
		for _, x := range sums {
			out.Rows = append(out.Rows, *x)
		}
		return nil
	})
	slices.SortFunc(out.Rows, func(a, b Displaced) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Sign, b.Sign), cmp.Compare(a.Alerts, b.Alerts), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Item, b.Item))
	})
	return out, err
}

type itemKey struct{ owner, id string }

func (s *sign) gaveWay(sums map[Displaced]*Displaced, q Query, r *Record) {
	var alerts []string
	shown := map[itemKey]int64{}
	for i := range r.Plays {
		p := &r.Plays[i]
		if p.Why == timeline.WhyAlert {
			if !slices.Contains(alerts, p.Item) {
				alerts = append(alerts, p.Item)
			}
			continue
		}
		if it, _ := s.item(p, r.FromMS, r.UntilMS); it != nil {
			shown[itemKey{it.Owner, it.ID}] += p.MS
		}
	}
	if len(alerts) == 0 {
		return
	}
	slices.Sort(alerts)
	planned, titles := map[itemKey]int64{}, map[itemKey]string{}
	for i := range s.programs {
		f := &s.programs[i]
		for _, seg := range f.Program.Segments {
			a := max(r.FromMS, f.From*1000, seg.From*1000)
			b := min(r.UntilMS, f.Until*1000, seg.Until*1000)
			if b <= a || seg.Loop == timeline.Dark {
				continue
			}
			addLoop(f.Program, seg.Loop, a, b, func(it *timeline.Item, ms int64) {
				k := itemKey{it.Owner, it.ID}
				planned[k] += ms
				titles[k] = f.Notes.Titles[it.Owner+"/"+it.ID]
			})
		}
	}
	for k, ms := range planned {
		less := ms - shown[k]
		if less <= 0 {
			continue
		}
		key := Displaced{Day: s.day(r.FromMS), Sign: s.id, SignOwner: s.owner, Alerts: strings.Join(alerts, " "), Owner: k.owner, Item: k.id, Title: titles[k]}
		if q.Content != "" && k.owner != q.Content && k.owner != "public" {
			key.Item, key.Title = "", ""
		}
		if sums[key] == nil {
			row := key
			sums[key] = &row
		}
		sums[key].MS += less
	}
}
