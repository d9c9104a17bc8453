package plan

import (
	"fmt"
	"sort"

	"ledcast/playlists"
)

// Lost is a rule that would have shown something else.
type Lost struct {
	Rule    string         `json:"rule"` // as in timeline.Segment.Why, or "campaign:<id>"
	Because playlists.Text `json:"because"`
}

// Share is the part of a loop that a campaign gets.
type Share struct {
	ID             string           `json:"id"` // the campaign's
	Letter         playlists.Letter `json:"letter"`
	AskedPercent   float64          `json:"asked_percent"`
	AgreedPercent  float64          `json:"agreed_percent"`  // of all campaigns together
	PlannedPercent float64          `json:"planned_percent"` // of every whole loop
	Slots          int64            `json:"slots"`           // in one loop
	Seconds        int64            `json:"seconds"`         // in one loop
	LoopSeconds    int64            `json:"loop_seconds"`
}

// Decision says which rule shows, which rules do not, and why.
type Decision struct {
	Rule      string           `json:"rule"` // as timeline.Segment.Why
	Lost      []Lost           `json:"lost,omitempty"`
	Campaigns []Share          `json:"campaigns,omitempty"`
	Notes     []playlists.Text `json:"notes,omitempty"`
}

// Span is a time during which a decision holds (Unix seconds). Until is exclusive.
type Span struct {
	From     int64 `json:"from"`
	Until    int64 `json:"until"`
	Decision int   `json:"decision"` // index into Reasons.Decisions
}

// Reasons explains a program. Decisions recur every day, so each is stored once
// and spans refer to it by index.
type Reasons struct {
	Decisions []Decision `json:"decisions"`
	Spans     []Span     `json:"spans"` // in order, not overlapping
}

// At returns the decision at t (Unix seconds) and its span, or nil outside of the
// program. Near a boundary the segment may belong to another rule than the
// decision; compare Rule with Segment.Why.
func (r *Reasons) At(t int64) (*Decision, Span) {
	i := sort.Search(len(r.Spans), func(i int) bool { return r.Spans[i].Until > t })
	if i == len(r.Spans) || r.Spans[i].From > t {
		return nil, Span{}
	}
	return &r.Decisions[r.Spans[i].Decision], r.Spans[i]
}

func text(vi, en string, args ...any) playlists.Text {
	return playlists.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)}
}
