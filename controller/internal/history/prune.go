package history

import (
	"context"

	"ledcast/controller/internal/store"
)

// pruneStep is how many records go in one write: a cancel may wait for it.
const pruneStep = 500

// PruneProofs deletes proof of play that ended before beforeMS, in small steps, and returns how many records.
func PruneProofs(ctx context.Context, p store.Proofs, beforeMS int64) (deleted int, err error) {
	for {
		n, err := p.Prune(ctx, beforeMS, pruneStep)
		if deleted += n; err != nil || n < pruneStep {
			return deleted, err
		}
	}
}
