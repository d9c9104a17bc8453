package report

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Displaced is the time that an item lost to alerts on one sign and day.
type Displaced struct {
	Day       string `json:"day"`
	Sign      string `json:"sign"`
	SignOwner string `json:"sign_owner"`
	Alerts    string `json:"alerts"`          // IDs of the alerts that were shown instead, separated by spaces
	Owner     string `json:"owner"`           // of the item
	Item      string `json:"item,omitempty"`  // "" if the reader may see only the owner
	Title     string `json:"title,omitempty"` // at that time
	MS        int64  `json:"ms"`              // planned and not shown
}

// Displacement reports the time that items lost to alerts.
type Displacement struct {
	From  int64       `json:"from"`
	Until int64       `json:"until"`
	Rows  []Displaced `json:"rows"`
	// Straddling are records that lie only partly in the range; they are not counted.
	Straddling []Straddler `json:"straddling,omitempty"`
}

// MakeDisplacement compares the planned and the proven time of each item in each record in which an alert was
// shown.
func MakeDisplacement(ctx context.Context, b Book, q Query) (*Displacement, error) {
	out := &Displacement{From: q.From, Until: q.Until, Rows: []Displaced{}}
	err := eachSign(ctx, b, q, func(s *sign) error {
		sums := map[Displaced]*Displaced{}
		_, straddling, err := s.records(ctx, b, q, func(r *playlists.PlayRecord) { s.addDisplaced(sums, q, r) })
		if err != nil {
			return err
		}
		out.Straddling = append(out.Straddling, straddling...)
		for _, x := range sums {
			out.Rows = append(out.Rows, *x)
		}
		return nil
	})
	slices.SortFunc(out.Rows, func(a, b Displaced) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Sign, b.Sign), cmp.Compare(a.Alerts, b.Alerts),
			cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Item, b.Item))
	})
	return out, err
}

type itemKey struct{ owner, id string }

func (s *sign) addDisplaced(sums map[Displaced]*Displaced, q Query, r *playlists.PlayRecord) {
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
		eachPlanned(f.Program, max(r.FromMS, f.From*1000), min(r.UntilMS, f.Until*1000), func(x *timeline.Shown, ms int64) {
			if x.Item == "" { // dark
				return
			}
			k := itemKey{x.Owner, x.Item}
			planned[k] += ms
			titles[k] = f.Notes.Titles[x.Owner+"/"+x.Item]
		})
	}
	for k, ms := range planned {
		less := ms - shown[k]
		if less <= 0 {
			continue
		}
		key := Displaced{Day: s.day(middle(r)), Sign: s.id, SignOwner: s.owner, Alerts: strings.Join(alerts, " "),
			Owner: k.owner, Item: k.id, Title: titles[k]}
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
