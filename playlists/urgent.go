package playlists

import (
	"context"
	"sync/atomic"
)

type urgentKey struct{}

// Urgent marks a write that must work on a full disk: what puts an urgent message up, and what takes it down. The store
// keeps a reserve for such writes.
func Urgent(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

// IsUrgent reports whether a write is marked so.
func IsUrgent(ctx context.Context) bool { return ctx.Value(urgentKey{}) != nil }

type deferKey struct{}

// Deferral knows whether a write was deferred.
type Deferral struct{ used atomic.Bool }

// Used reports whether a write was deferred.
func (d *Deferral) Used() bool { return d.used.Load() }

// Deferrable marks writes that end an urgent message. While the database cannot be reached, the store keeps them on the
// disk of this machine, lets them succeed, and writes them when it is back.
func Deferrable(ctx context.Context) (context.Context, *Deferral) {
	d := &Deferral{}
	return context.WithValue(ctx, deferKey{}, d), d
}

// DeferralOf returns the mark of Deferrable, or nil.
func DeferralOf(ctx context.Context) *Deferral {
	d, _ := ctx.Value(deferKey{}).(*Deferral)
	return d
}

// Use notes that a write was deferred.
func (d *Deferral) Use() { d.used.Store(true) }
