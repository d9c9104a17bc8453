package capinbox

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"ledcast/playlists"
)

// policyPrincipal approves alerts that the policy lets run.
var policyPrincipal = &playlists.Principal{ID: "cap-policy", Owner: playlists.Public, Role: playlists.RoleApprover}

// CAPPolicy returns the policy, the latest results (newest first) and the state of the feeds.
func (b *Inbox) CAPPolicy() (playlists.CAPPolicy, []playlists.CAPResult, []playlists.CAPFeedState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]playlists.CAPResult, 0, len(b.records))
	for _, k := range b.records {
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

// SetCAPPolicy replaces the policy. The part that lets alerts run without a person
// takes effect when another person approves it, and every change needs a new approval.
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
	b.policyMu.Lock()
	defer b.policyMu.Unlock()
	b.mu.Lock()
	old := b.policy
	b.mu.Unlock()
	p.ProposedBy, p.Makers, p.ApprovedBy = who.ID, who.Author().Makers, ""
	if p.Digest() == old.Digest() {
		p.ProposedBy, p.Makers, p.ApprovedBy = old.ProposedBy, old.Makers, old.ApprovedBy
	}
	return b.savePolicy(ctx, who, p)
}

// ApproveCAPPolicy approves the automatic part of the policy. who must not be its
// proposer. digest must match the policy that who read.
func (b *Inbox) ApproveCAPPolicy(ctx context.Context, who *playlists.Principal, digest string) error {
	b.policyMu.Lock()
	defer b.policyMu.Unlock()
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
	return b.savePolicy(ctx, who, p)
}

func (b *Inbox) savePolicy(ctx context.Context, who *playlists.Principal, p playlists.CAPPolicy) error {
	if err := b.put(ctx, who, kindPolicy, "cap", p); err != nil {
		return err
	}
	b.mu.Lock()
	b.policy = p
	b.mu.Unlock()
	b.updateFeeds()
	return nil
}

// mayRun reports whether an alert may run without a person: the policy is approved
// and covers the sender, the priority, the areas and all signs. Only documents from
// a feed qualify, because a person can write any sender into a document.
func (b *Inbox) mayRun(d *submission, v *playlists.AlertView) bool {
	p := &d.policy
	if !d.fromFeed || p.Auto == nil || p.ApprovedBy == "" || !slices.Contains(p.Senders, d.Sender) ||
		v.Priority > p.Auto.MaxPriority {
		return false
	}
	if v.Replaces != "" && !b.isFromDocument(v.Replaces) {
		return false // people replaced the document's alert with their own, which the policy must not end
	}
	within := func(area string) bool { return playlists.Within(p.Auto.Areas, area) }
	if slices.ContainsFunc(v.Areas, func(a string) bool { return !within(a) }) {
		return false
	}
	return b.o.Alerts.SignsWithin(v.Signs, within)
}

func (b *Inbox) runByPolicy(ctx context.Context, p *playlists.CAPPolicy, id string) error {
	who := *policyPrincipal
	who.ID = "cap-policy:" + p.ProposedBy + "+" + p.ApprovedBy
	return b.o.Alerts.RunByPolicy(ctx, &who, id)
}
