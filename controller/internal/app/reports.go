package app

import (
	"context"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/report"
	"ledcast/controller/internal/store"
	"ledcast/sign/wire"
)

// reports makes reports from the store.
type reports struct{ store store.Store }

func (r reports) Make(ctx context.Context, q api.ReportQuery) (any, api.Report, error) {
	ask := report.Query{From: q.From, Until: q.Until, Owner: q.Owner, Content: q.Content, Sign: q.Sign, Campaign: q.Campaign}
	switch q.Kind {
	case "share":
		x, err := report.MakeShares(ctx, r, ask)
		if err != nil {
			return nil, nil, err
		}
		return x, x.Table(), nil
	case "displaced":
		x, err := report.MakeDisplacement(ctx, r, ask)
		if err != nil {
			return nil, nil, err
		}
		return x, x.Table(), nil
	}
	x, err := report.MakeDelivery(ctx, r, ask)
	if err != nil {
		return nil, nil, err
	}
	return x, x.Table(), nil
}

// Signs implements report.Book: signs that are gone had programs, too.
func (r reports) Signs(ctx context.Context) ([]string, error) {
	heads, err := r.store.Documents().Heads(ctx, wire.RoleProgram)
	out := make([]string, len(heads))
	for i, h := range heads {
		out[i] = h.Subject
	}
	return out, err
}

// Programs implements report.Book.
func (r reports) Programs(ctx context.Context, sign string, from, until int64) ([]report.InForce, error) {
	docs, err := r.store.Documents().History(ctx, wire.RoleProgram, sign, from, until)
	if err != nil {
		return nil, err
	}
	out := make([]report.InForce, len(docs))
	for i, d := range docs {
		p, err := wire.StoredProgram(d.JWS)
		if err != nil {
			return nil, err
		}
		n, err := notesOf(d.Notes)
		if err != nil {
			return nil, err
		}
		p.Prepare()
		out[i] = report.InForce{From: d.Iat, Until: d.Exp, Program: p, Notes: n}
		if i > 0 {
			out[i-1].Until = min(out[i-1].Until, d.Iat)
		}
	}
	return out, nil
}

// Records implements report.Book.
func (r reports) Records(ctx context.Context, sign string, fromMS, untilMS int64, do func(*report.Record) error) error {
	return store.EachRecord(ctx, r.store.Proofs(), fromMS, untilMS, sign, func(x *store.PlayRecord) error {
		rec := report.Record{FromMS: x.FromMS, UntilMS: x.UntilMS, Plays: make([]report.Play, len(x.Plays))}
		for i, p := range x.Plays {
			rec.Plays[i] = report.Play{Item: p.Item, Campaign: p.Campaign, Frame: p.Frame, Why: p.Why, Count: p.Count, MS: p.MS}
		}
		return do(&rec)
	})
}
