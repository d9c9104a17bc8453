package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
)

// Share compares the asked, planned and shown time of a campaign on one sign and day.
type Share struct {
	Day       string           `json:"day"`
	Campaign  string           `json:"campaign"`
	Letter    playlists.Letter `json:"letter"`
	Sign      string           `json:"sign"`
	SignOwner string           `json:"sign_owner"`
	BoundMS   int64            `json:"bound_ms"` // time for which the campaign had a share
	// AskedMS is the asked share of BoundMS. PlannedMS is the campaign's time in the issued programs. ShownMS is
	// the campaign's time in the play records.
	AskedMS   int64 `json:"asked_ms"`
	PlannedMS int64 `json:"planned_ms"`
	ShownMS   int64 `json:"shown_ms"`
	Shown     int64 `json:"shown"` // number of plays
	// UnboundMS is the time that the campaign was shown while it had no share. A sign without contact continues to
	// show a campaign that has ended.
	UnboundMS int64 `json:"unbound_ms,omitempty"`
	// ProvenMS is the part of BoundMS that play records cover.
	ProvenMS int64 `json:"proven_ms"`
}

// Percent returns part as a percentage of whole, or 0 if whole is 0.
func Percent(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// Shares reports the shares of campaigns.
type Shares struct {
	From  int64   `json:"from"`
	Until int64   `json:"until"`
	Rows  []Share `json:"rows"`
	// Straddling are records that lie only partly in the range; they are not counted.
	Straddling []Straddler `json:"straddling,omitempty"`
}

type shareKey struct{ day, campaign string }

// MakeShares compares the asked, planned and shown time of each campaign.
func MakeShares(ctx context.Context, b Book, q Query) (*Shares, error) {
	out := &Shares{From: q.From, Until: q.Until, Rows: []Share{}}
	err := eachSign(ctx, b, q, func(s *sign) error {
		sums := map[shareKey]*Share{}
		row := func(day, campaign string) *Share {
			k := shareKey{day, campaign}
			if sums[k] == nil {
				sums[k] = &Share{Day: day, Campaign: campaign, Sign: s.id, SignOwner: s.owner}
			}
			return sums[k]
		}
		bound := s.planned(q, row)
		proven, straddling, err := s.records(ctx, b, q, func(r *playlists.PlayRecord) { s.shown(r, bound, row) })
		if err != nil {
			return err
		}
		out.Straddling = append(out.Straddling, straddling...)
		for id, spans := range bound {
			for _, x := range spans {
				for from := x.FromMS; from < x.UntilMS; {
					end := min(s.midnight(from), x.UntilMS)
					ms, _ := proven.within(from, end)
					row(s.day(from), id).ProvenMS += ms
					from = end
				}
			}
		}
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

// campaignLetter returns the official letter of an item's campaign. ok is false for a campaign that is not the
// department's: a company's message may name any campaign.
func campaignLetter(f *plan.InForce, id string) (letter playlists.Letter, ok bool) {
	if id == "" || f.Notes.Reasons == nil {
		return letter, false
	}
	for i := range f.Notes.Reasons.Decisions {
		for _, c := range f.Notes.Reasons.Decisions[i].Campaigns {
			if c.ID == id {
				return c.Letter, true
			}
		}
	}
	return letter, false
}

// shown adds the time that a record proves for each campaign. The time that exceeds the campaign's time with a
// share goes to UnboundMS.
func (s *sign) shown(r *playlists.PlayRecord, bound map[string][]Span, row func(day, campaign string) *Share) {
	ms := map[string]int64{}
	day := s.day(middle(r))
	for i := range r.Plays {
		p := &r.Plays[i]
		if p.Why == timeline.WhyAlert {
			continue
		}
		it, f := s.item(p, r.FromMS, r.UntilMS)
		if it == nil {
			continue
		}
		letter, ok := campaignLetter(f, it.Campaign)
		if !ok {
			continue
		}
		ms[it.Campaign] += p.MS
		x := row(day, it.Campaign)
		if x.BoundMS == 0 {
			x.Letter = letter
		}
		// A record has no length if a power cut ended it at once. Its plays count, too.
		if overlap(bound[it.Campaign], r.FromMS, max(r.UntilMS, r.FromMS+1)) > 0 {
			x.Shown += playsOf(f.Program, it, p.Frame, p.Count)
		}
	}
	for id, n := range ms {
		x := row(day, id)
		within := min(n, overlap(bound[id], r.FromMS, r.UntilMS))
		x.ShownMS += within
		x.UnboundMS += n - within
	}
}

// planned adds up the planned time of each campaign by day, up to the present. It returns the spans in which each
// campaign had a share.
func (s *sign) planned(q Query, row func(day, campaign string) *Share) map[string][]Span {
	bound := map[string][]Span{}
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
			until := min(min(span.Until, f.Until)*1000, q.end())
			for from < until {
				end := min(s.midnight(from), until)
				shown := plannedByCampaign(f.Program, from, end)
				for _, c := range d.Campaigns {
					x := row(s.day(from), c.ID)
					x.Letter = c.Letter
					x.BoundMS += end - from
					x.AskedMS += int64(c.AskedPercent * float64(end-from) / 100)
					x.PlannedMS += shown[c.ID]
					bound[c.ID] = append(bound[c.ID], Span{FromMS: from, UntilMS: end})
				}
				from = end
			}
		}
	}
	for id := range bound {
		bound[id] = joined(bound[id])
	}
	return bound
}

// midnight returns the end of the day at a time, in the sign's zone (Unix ms).
func (s *sign) midnight(ms int64) int64 {
	y, m, d := time.UnixMilli(ms).In(s.zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, s.zone).UnixMilli()
}

// plannedByCampaign returns the time in ms that a program shows each campaign in [a, b) (Unix ms) without alerts.
func plannedByCampaign(p *timeline.Program, a, b int64) map[string]int64 {
	out := map[string]int64{}
	eachPlanned(p, a, b, func(s *timeline.Shown, ms int64) {
		if s.Campaign != "" {
			out[s.Campaign] += ms
		}
	})
	return out
}
