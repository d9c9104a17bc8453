package alert

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ledcast/playlists"
)

// capRunner is who approves by the policy.
var capRunner = &playlists.Principal{ID: "cap-policy", Owner: playlists.Public, Role: playlists.RoleApprover}

// CAPPolicy is the policy, and what came last, newest first.
func (s *Service) CAPPolicy() (playlists.CAPPolicy, []playlists.CAPResult, []playlists.CAPFeedState) {
	s.inbox.mu.Lock()
	defer s.inbox.mu.Unlock()
	list := make([]playlists.CAPResult, 0, len(s.inbox.seen))
	for _, k := range s.inbox.seen {
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
	feeds := make([]playlists.CAPFeedState, 0, len(s.inbox.policy.Feeds))
	for _, f := range s.inbox.policy.Feeds {
		if x := s.inbox.feeds[f.ID]; x != nil {
			feeds = append(feeds, x.state(s.o.Now()))
		}
	}
	p := s.inbox.policy
	p.Senders, p.Feeds = slices.Clone(p.Senders), slices.Clone(p.Feeds)
	return p, list[:min(most, len(list))], feeds
}

// SetCAPPolicy replaces the policy. A part that lets alerts run without a person
// waits for another person's approval, and so does every change of what it
// rests on.
func (s *Service) SetCAPPolicy(ctx context.Context, who *playlists.Principal, p playlists.CAPPolicy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if p.Auto != nil {
		if err := s.o.Catalogue.KnownAreas(ctx, p.Auto.Areas, Controller, "cap.auto"); err != nil {
			return err
		}
	}
	for i, f := range p.Feeds {
		if err := s.hooks.mayAsk(f.URL); err != nil {
			return &playlists.Error{Code: playlists.Invalid, Field: fmt.Sprintf("cap.feeds[%d].url", i), Value: f.URL, Problem: err.Error(), Remedy: "use https, and a host that is on the Internet"}
		}
	}
	s.inbox.rule.Lock()
	defer s.inbox.rule.Unlock()
	s.inbox.mu.Lock()
	old := s.inbox.policy
	s.inbox.mu.Unlock()
	p.ProposedBy, p.ApprovedBy = who.ID, ""
	if p.Digest() == old.Digest() {
		p.ProposedBy, p.ApprovedBy = old.ProposedBy, old.ApprovedBy
	}
	return s.keepPolicy(ctx, who, p)
}

// ApproveCAPPolicy lets the policy's automatic part hold: another person than
// proposed it, who says by its digest which policy they read.
func (s *Service) ApproveCAPPolicy(ctx context.Context, who *playlists.Principal, digest string) error {
	s.inbox.rule.Lock()
	defer s.inbox.rule.Unlock()
	s.inbox.mu.Lock()
	p := s.inbox.policy
	s.inbox.mu.Unlock()
	switch {
	case p.Auto == nil:
		return &playlists.Error{Code: playlists.Invalid, Field: "cap.auto", Problem: "is not set", Remedy: "nothing waits for approval"}
	case playlists.Same(p.ProposedBy, who.ID):
		return &playlists.Error{Code: playlists.Denied, Field: "cap.auto", Problem: "was proposed by yourself", Remedy: "another person approves it"}
	}
	if err := sameDigest(digest, p.Digest()); err != nil {
		return err
	}
	p.ApprovedBy = who.ID
	return s.keepPolicy(ctx, who, p)
}

// sameDigest refuses an approval of something else than what holds now.
func sameDigest(read, now string) error {
	switch read {
	case now:
		return nil
	case "":
		return &playlists.Error{Code: playlists.Invalid, Field: "digest", Problem: "is missing", Remedy: "give the digest that came with what you read"}
	}
	return &playlists.Error{Code: playlists.Conflict, Field: "digest", Value: read, Problem: "is of what it was before", Remedy: "read it again"}
}

func (s *Service) keepPolicy(ctx context.Context, who *playlists.Principal, p playlists.CAPPolicy) error {
	if err := s.keep(ctx, who, kindPolicy, "cap", p); err != nil {
		return err
	}
	s.inbox.mu.Lock()
	s.inbox.policy = p
	s.inbox.mu.Unlock()
	s.followFeeds()
	return nil
}

// mayRun reports whether an alert may run without a person: by an approved
// policy, of an allowed sender, within its areas, signs included, and priority.
// Only a feed that the policy names says who a sender is: what a person hands in
// says of its sender whatever that person wrote.
func (s *Service) mayRun(d *handed, v *playlists.AlertView) bool {
	p := &d.policy
	if !d.fed || p.Auto == nil || p.ApprovedBy == "" || !slices.Contains(p.Senders, d.Sender) || v.Priority > p.Auto.MaxPriority {
		return false
	}
	if v.Replaces != "" && !s.ofDocument(v.Replaces) {
		return false // what two people put in a document's place goes for nobody's machine
	}
	within := func(area string) bool { return playlists.Within(p.Auto.Areas, area) }
	if slices.ContainsFunc(v.Areas, func(a string) bool { return !within(a) }) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range v.Signs {
		if sign, ok := s.signs[id]; !ok || !slices.ContainsFunc(sign.Areas, within) {
			return false
		}
	}
	return true
}

func (s *Service) runByPolicy(ctx context.Context, p *playlists.CAPPolicy, id string) error {
	s.life.Lock()
	defer s.life.Unlock()
	e, err := s.ready(ctx, capRunner, id, playlists.AlertPending)
	if err != nil {
		return err
	}
	who := *capRunner
	who.ID = "cap-policy:" + p.ProposedBy + "+" + p.ApprovedBy
	_, err = s.begin(ctx, &who, e, s.targets(&e.Alert), nil)
	return err
}
