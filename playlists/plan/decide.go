package plan

import (
	"slices"
	"strconv"
	"strings"

	"ledcast/playlists"
)

// reasons returns, for all of [from, until), which rule shows, which rules do
// not, and why.
func (p *Planner) reasons(r *rules, lk look, ivs []interval, from, until int64) *Reasons {
	out := &Reasons{}
	known := map[string]int{}
	changes := r.changes(from, until)
	for i := range ivs {
		iv := &ivs[i]
		begin, end := max(iv.from, from), min(iv.until, until)
		for begin < end {
			next := end
			if k, _ := slices.BinarySearch(changes, begin+1); k < len(changes) {
				next = min(end, changes[k])
			}
			key := r.decisionKey(iv, begin)
			n, ok := known[key]
			if !ok {
				n = len(out.Decisions)
				known[key] = n
				out.Decisions = append(out.Decisions, p.decide(r, lk, iv, begin))
			}
			if k := len(out.Spans) - 1; k >= 0 && out.Spans[k].Decision == n && out.Spans[k].Until == begin {
				out.Spans[k].Until = next
			} else {
				out.Spans = append(out.Spans, Span{begin, next, n})
			}
			begin = next
		}
	}
	return out
}

// decisionKey returns a key that is equal for times with the same decision.
func (r *rules) decisionKey(iv *interval, t int64) string {
	var b strings.Builder
	b.WriteString(iv.key)
	bit := func(on bool) {
		if on {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	}
	b.WriteByte('|')
	for _, s := range r.schedules {
		_, on := s.hours.on(r.c, t)
		bit(on)
		items, _ := s.dated.at(t)
		bit(len(items.index) > 0)
	}
	for _, x := range r.base {
		items, _ := x.dated.at(t)
		bit(len(items.index) > 0)
	}
	for _, c := range r.campaigns {
		_, on := c.hours.on(r.c, t)
		bit(on)
	}
	b.WriteString(strconv.FormatInt(r.agreed(t), 10))
	for _, n := range iv.notes {
		b.WriteString(n.EN)
	}
	return b.String()
}

var (
	noItems   = text("không có mục nào còn hiệu lực", "none of its items is valid then")
	dark      = text("màn hình tắt vào giờ này theo quy định của nó", "the face is off at these hours by its rules")
	covered   = text("một lịch phát có hiệu lực vào giờ này", "a schedule covers these hours")
	ownList   = text("màn hình có danh sách phát riêng", "the sign has a playlist of its own")
	wholeFace = text("các chiến dịch chiếm toàn bộ thời lượng", "campaigns have the whole of the face's time")
	noConsent = text("chủ màn hình không có thỏa thuận cho màn hình này vào giờ này",
		"the company has no agreement for this sign at these hours")
)

// decide returns the decision of an interval at t.
func (p *Planner) decide(r *rules, lk look, iv *interval, t int64) Decision {
	d := Decision{Rule: iv.rule, Lost: r.lost(iv, t), Notes: iv.notes}
	if !iv.dark {
		p.decideCampaigns(&d, r, lk, iv, t)
	}
	return d
}

// lost returns the schedules and playlists that do not show at t, and why.
func (r *rules) lost(iv *interval, t int64) (out []Lost) {
	lose := func(rule string, because playlists.Text) { out = append(out, Lost{rule, because}) }
	for i, s := range r.schedules {
		if i == iv.winner {
			continue
		}
		if _, on := s.hours.on(r.c, t); !on {
			continue
		}
		items, _ := s.dated.at(t)
		switch {
		case iv.dark:
			lose(s.rule(), dark)
		case len(items.index) == 0:
			lose(s.rule(), noItems)
		case i > iv.winner:
			_, why := r.schedules[iv.winner].compare(s)
			lose(s.rule(), why)
		} // otherwise its interval is too short, which a note says
	}
	for i, x := range r.base {
		items, _ := x.dated.at(t)
		switch n := len(r.schedules) + i; {
		case n == iv.winner:
		case iv.dark:
			lose(x.rule, dark)
		case len(items.index) == 0:
			lose(x.rule, noItems)
		case iv.winner < len(r.schedules):
			lose(x.rule, covered)
		case n > iv.winner:
			lose(x.rule, ownList)
		}
	}
	return out
}

// decideCampaigns adds the campaigns' shares at t to d, and which campaigns get
// less than they asked for.
func (p *Planner) decideCampaigns(d *Decision, r *rules, lk look, iv *interval, t int64) {
	agreed := r.agreed(t)
	var percent, used int64
	for _, b := range iv.bounds {
		percent += b.percent
	}
	if percent == 100 && iv.rule != "" {
		d.Notes = append(slices.Clip(d.Notes), wholeFace)
	}
	l, err := p.loopFor(lk, iv)
	if err != nil {
		return // the plan fails and is not issued
	}
	for _, c := range r.campaigns {
		if _, on := c.hours.on(r.c, t); !on {
			continue
		}
		i := slices.IndexFunc(l.shares, func(s slots) bool { return s.campaign == c.campaign })
		asked := c.campaign.SharePercent
		if i < 0 {
			why := noConsent
			if agreed > 0 {
				why = text("thỏa thuận là %d %% và các công văn cũ hơn đã dùng %d %%",
					"the agreed share is %d %%, and older letters have %d %% of it", agreed, used)
			}
			d.Lost = append(d.Lost, Lost{"campaign:" + c.campaign.ID, why})
			continue
		}
		s := &l.shares[i]
		if s.percent < asked {
			d.Notes = append(slices.Clip(d.Notes),
				text("chiến dịch %s được %d %% thay vì %d %%: thỏa thuận là %d %% và các công văn cũ hơn đã dùng %d %%",
					"campaign %s gets %d %% instead of %d %%: the agreed share is %d %%, and older letters have %d %% of it",
					c.campaign.ID, s.percent, asked, agreed, used))
		}
		used += s.percent
		d.Campaigns = append(d.Campaigns, Share{ID: c.campaign.ID, Letter: c.campaign.Letter,
			AskedPercent: float64(asked), AgreedPercent: float64(agreed),
			PlannedPercent: float64(s.s) * 100 / float64(l.s), Slots: s.n, Seconds: s.s, LoopSeconds: l.s})
	}
}
