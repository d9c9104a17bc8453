package capinbox

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"ledcast/playlists"
)

// runner is who approves by the policy.
var runner = &playlists.Principal{ID: "cap-policy", Owner: playlists.Public, Role: playlists.RoleApprover}

// CAPPolicy is the policy, and what came last, newest first.
func (b *Inbox) CAPPolicy() (playlists.CAPPolicy, []playlists.CAPResult, []playlists.CAPFeedState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]playlists.CAPResult, 0, len(b.seen))
	for _, k := range b.seen {
		list = append(list, k.CAPResult)
	}
	slices.SortFunc(list, func(a, b playlists.CAPResult) int {
		switch {
		case a.AtMS != b.AtMS:
			return int(min(1, max(-1, b.AtMS-a.AtMS)))
		default:
			return strings.Compare(a.Identifier, b.Identifier)
		}
	})
	const most = 200
	feeds := make([]playlists.CAPFeedState, 0, len(b.policy.Feeds))
	for _, f := range b.policy.Feeds {
		if x := b.feeds[f.ID]; x != nil {
			feeds = append(feeds, x.state(b.o.Now()))
		}
	}
	p := b.policy
	p.Senders, p.Feeds = slices.Clone(p.Senders), slices.Clone(p.Feeds)
	return p, list[:min(most, len(list))], feeds
}

// SetCAPPolicy replaces the policy. A part that lets alerts run without a person
// waits for another person's approval, and so does every change of what it
// rests on.
func (b *Inbox) SetCAPPolicy(ctx context.Context, who *playlists.Principal, p playlists.CAPPolicy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if p.Auto != nil {
		if err := b.o.Catalogue.KnownAreas(ctx, p.Auto.Areas, controller, "cap.auto"); err != nil {
			return err
		}
	}
	for i, f := range p.Feeds {
		u, err := url.Parse(f.URL)
		if err == nil {
			err = b.o.Fetcher.MayGo(u)
		}
		if err != nil {
			return &playlists.Error{Code: playlists.Invalid, Field: fmt.Sprintf("cap.feeds[%d].url", i), Value: f.URL,
				Key: "feed-address-unusable", Args: []any{err}}
		}
	}
	b.rule.Lock()
	defer b.rule.Unlock()
	b.mu.Lock()
	old := b.policy
	b.mu.Unlock()
	p.ProposedBy, p.ApprovedBy = who.ID, ""
	if p.Digest() == old.Digest() {
		p.ProposedBy, p.ApprovedBy = old.ProposedBy, old.ApprovedBy
	}
	return b.keepPolicy(ctx, who, p)
}

// ApproveCAPPolicy lets the policy's automatic part hold: another person than
// proposed it, who says by its digest which policy they read.
func (b *Inbox) ApproveCAPPolicy(ctx context.Context, who *playlists.Principal, digest string) error {
	b.rule.Lock()
	defer b.rule.Unlock()
	b.mu.Lock()
	p := b.policy
	b.mu.Unlock()
	if p.Auto == nil {
		return &playlists.Error{Code: playlists.Invalid, Field: "cap.auto", Key: "policy-not-set"}
	}
	if err := playlists.CheckSecond("cap.auto", playlists.Author{ID: p.ProposedBy, Makers: p.Makers}, who); err != nil {
		return err
	}
	if err := playlists.CheckDigest(digest, p.Digest()); err != nil {
		return err
	}
	p.ApprovedBy = who.ID
	return b.keepPolicy(ctx, who, p)
}

func (b *Inbox) keepPolicy(ctx context.Context, who *playlists.Principal, p playlists.CAPPolicy) error {
	if err := b.keep(ctx, who, kindPolicy, "cap", p); err != nil {
		return err
	}
	b.mu.Lock()
	b.policy = p
	b.mu.Unlock()
	b.followFeeds()
	return nil
}

// mayRun reports whether an alert may run without a person: by an approved
// policy, of an allowed sender, within its areas, signs included, and priority.
// Only a feed that the policy names says who a sender is: what a person hands in
// says of its sender whatever that person wrote.
func (b *Inbox) mayRun(d *handed, v *playlists.AlertView) bool {
	p := &d.policy
	if !d.fed || p.Auto == nil || p.ApprovedBy == "" || !slices.Contains(p.Senders, d.Sender) ||
		v.Priority > p.Auto.MaxPriority {
		return false
	}
	if v.Replaces != "" && !b.ofDocument(v.Replaces) {
		return false // what two people put in a document's place goes for nobody's machine
	}
	within := func(area string) bool { return playlists.Within(p.Auto.Areas, area) }
	if slices.ContainsFunc(v.Areas, func(a string) bool { return !within(a) }) {
		return false
	}
	return b.o.Alerts.SignsWithin(v.Signs, within)
}

func (b *Inbox) runByPolicy(ctx context.Context, p *playlists.CAPPolicy, id string) error {
	who := *runner
	who.ID = "cap-policy:" + p.ProposedBy + "+" + p.ApprovedBy
	return b.o.Alerts.RunByPolicy(ctx, &who, id)
}
