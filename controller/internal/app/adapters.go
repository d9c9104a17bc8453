package app

import (
	"cmp"
	"context"
	"slices"

	"ledcast/controller/internal/admission"
	"ledcast/controller/internal/catalogue"
	"ledcast/controller/internal/clock/keeper"
	"ledcast/controller/internal/history"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// ledger is the store's documents as the publisher uses them.
type ledger struct {
	store   store.Store
	history history.History
	clock   *keeper.Keeper
}

func (l ledger) Issue(ctx context.Context, drafts []playlists.Draft,
	seal func(i int, seq int64) ([]byte, error)) ([]playlists.Issued, error) {
	issued, err := l.store.Documents().Issue(ctx, drafts, seal)
	if err == nil && len(drafts) > 0 {
		l.clock.Wrote(drafts[0].IatMS)
	}
	return issued, err
}

func (l ledger) Latest(ctx context.Context, role, subject string) (*playlists.Issued, error) {
	d, err := l.store.Documents().Latest(ctx, role, subject)
	if playlists.IsNotFound(err) {
		return nil, nil
	}
	return &d, err
}

func (l ledger) Programs(ctx context.Context, sign string, from, until int64) ([]*timeline.Program, error) {
	return history.Played{History: l.history}.Programs(ctx, sign, from*1000, until*1000)
}

func (l ledger) NextSeqs(ctx context.Context, role string, subjects []string, epoch, iatMS int64) ([]int64, error) {
	return l.store.Documents().NextSeqs(ctx, role, subjects, epoch, iatMS)
}

// proofs is the store's proof of play as the auditor uses it.
type proofs struct{ store store.Store }

func (p proofs) Pin(ctx context.Context, sign string, x [32]byte, nowMS int64) ([32]byte, error) {
	return p.store.Proofs().Pin(ctx, sign, x, nowMS)
}

func (p proofs) End(ctx context.Context, sign, chain string) (int64, string, error) {
	return p.store.Proofs().End(ctx, sign, chain)
}

func (p proofs) Digest(ctx context.Context, sign, chain string, n int64) (string, error) {
	return p.store.Proofs().Digest(ctx, sign, chain, n)
}

func (p proofs) Add(ctx context.Context, doc []byte, digest string, r *wire.Played) error {
	rec := playlists.PlayRecord{Sign: r.Sign, Chain: r.Chain, N: r.N, Digest: digest, FromMS: r.FromMS,
		UntilMS: r.UntilMS, JWS: doc}
	for _, x := range r.Plays {
		rec.Plays = append(rec.Plays, playlists.Play{Item: x.Item, Campaign: x.Campaign,
			Frame: x.Frame, Why: x.Why, Count: x.Count, MS: x.MS})
	}
	return p.store.Proofs().Add(ctx, rec)
}

// alertCatalogue is the catalogue as alerts read it.
type alertCatalogue struct{ *catalogue.Reader }

// Message is one of the department's.
func (c alertCatalogue) Message(ctx context.Context, id string) (*playlists.Message, error) {
	return c.Reader.Message(ctx, playlists.Public, id)
}

func (c alertCatalogue) KnownAreas(ctx context.Context, areas []string, who *playlists.Principal, where string) error {
	s, err := c.Snapshot(ctx)
	if err != nil {
		return err
	}
	return admission.Areas(s, who, areas, where)
}

// others implements admission.Others.
type others struct{ a *App }

func (o others) NamesArea(code string) string {
	for _, t := range o.a.auth.Tokens() {
		if slices.Contains(t.Areas, code) {
			return "token " + t.ID
		}
	}
	return cmp.Or(o.a.alerts.ReferenceTo(code), o.a.inbox.ReferenceTo(code))
}

func (o others) NamesOwner(owner string) string {
	for _, t := range o.a.auth.Tokens() {
		if t.Owner == owner {
			return "token " + t.ID
		}
	}
	return ""
}
