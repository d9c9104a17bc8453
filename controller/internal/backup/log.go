package backup

import (
	"context"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Log is the audit log of a store as people read it.
type Log struct{ Store store.Store }

// List returns at most limit entries after the given number that a person of owner may read, oldest first.
func (l Log) List(ctx context.Context, owner string, after int64, limit int) ([]playlists.AuditEntry, error) {
	return l.Store.Audit().List(ctx, readable(owner), after, limit)
}

// Newest returns at most limit entries before the given number that a person of owner may read, newest first.
func (l Log) Newest(ctx context.Context, owner string, before int64, limit int) ([]playlists.AuditEntry, error) {
	return l.Store.Audit().Newest(ctx, readable(owner), before, limit)
}

// readable returns the owner whose entries a person of owner may read. The department reads all.
func readable(owner string) string {
	if owner == playlists.Public {
		return store.AllOwners
	}
	return owner
}

// Verify checks the chain of all entries.
func (l Log) Verify(ctx context.Context, expect *playlists.AuditHead) (playlists.AuditHead, error) {
	return Verify(ctx, l.Store, expect)
}
