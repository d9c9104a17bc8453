package app

import (
	"context"
	"time"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/report"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/sign/wire"
)

// reports makes reports from the store.
type reports struct{ store store.Store }

func (r reports) Make(ctx context.Context, q api.ReportQuery) (any, api.Report, error) {
	ask := report.Query{From: q.From, Until: q.Until, Now: q.Now, Owner: q.Owner, Content: q.Content, Sign: q.Sign, Campaign: q.Campaign}
	switch q.Kind {
	case api.ReportShare:
		return made(report.MakeShares(ctx, r, ask))
	case api.ReportDisplaced:
		return made(report.MakeDisplacement(ctx, r, ask))
	case api.ReportUptime:
		return made(report.MakeUptime(ctx, r, healthLog(r), ask))
	}
	return made(report.MakeDelivery(ctx, r, ask))
}

func made[T interface{ Table() *report.Table }](x T, err error) (any, api.Report, error) {
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
func (r reports) Programs(ctx context.Context, sign string, from, until int64) ([]plan.InForce, error) {
	docs, err := r.store.Documents().History(ctx, wire.RoleProgram, sign, from, until)
	if err != nil {
		return nil, err
	}
	out := make([]plan.InForce, len(docs))
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
		out[i] = plan.InForce{From: d.Iat, Until: d.Exp, Program: p, Notes: n}
		if i > 0 {
			out[i-1].Until = min(out[i-1].Until, d.Iat)
		}
	}
	return out, nil
}

// longestRecord is how long before a time a record may begin that is of it, too.
const longestRecord = 24 * time.Hour

// Records implements report.Book.
func (r reports) Records(ctx context.Context, sign string, fromMS, untilMS int64, do func(*playlists.PlayRecord) error) error {
	return store.EachRecord(ctx, r.store.Proofs(), fromMS-longestRecord.Milliseconds(), untilMS, sign, func(x *playlists.PlayRecord) error {
		if x.UntilMS < fromMS {
			return nil
		}
		return do(x)
	})
}
