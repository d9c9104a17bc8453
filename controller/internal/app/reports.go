package app

import (
	"context"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/history"
	"ledcast/controller/internal/report"
)

// reports makes reports from what was issued and proved.
type reports struct{ history.History }

func (r reports) Make(ctx context.Context, q api.ReportQuery) (any, api.Report, error) {
	ask := report.Query{From: q.From, Until: q.Until, Now: q.Now, Owner: q.Owner, Content: q.Content, Sign: q.Sign,
		Campaign: q.Campaign}
	switch q.Kind {
	case api.ReportShare:
		return made(report.MakeShares(ctx, r.History, ask))
	case api.ReportDisplaced:
		return made(report.MakeDisplacement(ctx, r.History, ask))
	case api.ReportUptime:
		return made(report.MakeUptime(ctx, r.History, r.History, ask))
	}
	return made(report.MakeDelivery(ctx, r.History, ask))
}

func made[T interface{ Table() *report.Table }](x T, err error) (any, api.Report, error) {
	if err != nil {
		return nil, nil, err
	}
	return x, x.Table(), nil
}
