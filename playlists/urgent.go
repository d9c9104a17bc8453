package playlists

import "context"

type urgentKey struct{}

// Urgent marks a write that must work on a full disk: what puts an urgent message up, and what takes it down. The store
// keeps a reserve for such writes.
func Urgent(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

// IsUrgent reports whether a write is marked so.
func IsUrgent(ctx context.Context) bool { return ctx.Value(urgentKey{}) != nil }
