package records

import (
	"context"
	"time"

	"ledcast/controller/internal/store"
)

// Sessions implements scs.CtxStore.
type Sessions struct {
	Store store.Sessions
	Now   func() time.Time
}

func (v Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return v.Store.Find(ctx, token, v.Now().UnixMilli())
}

func (v Sessions) CommitCtx(ctx context.Context, token string, data []byte, end time.Time) error {
	return v.Store.Commit(ctx, store.Session{Token: token, Data: data, ExpiryMS: end.UnixMilli()})
}

func (v Sessions) DeleteCtx(ctx context.Context, token string) error {
	return v.Store.Delete(ctx, token)
}

// The interface scs.CtxStore requires the methods without a context, but scs never calls them.
func (v Sessions) Find(token string) ([]byte, bool, error) {
	return v.FindCtx(context.Background(), token)
}
func (v Sessions) Commit(token string, data []byte, end time.Time) error {
	return v.CommitCtx(context.Background(), token, data, end)
}
func (v Sessions) Delete(token string) error { return v.DeleteCtx(context.Background(), token) }
