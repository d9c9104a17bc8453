package store

import "context"

// Topics remembers what a broker may retain of ours: an outside one keeps it
// longer than a controller lives, and nothing else says what has to go.
type Topics interface {
	// All is every topic, with since when nothing wants it, Unix ms; 0 is wanted.
	All(ctx context.Context) (map[string]int64, error)
	// Put keeps topics, all or none, in place of what was kept of them.
	Put(ctx context.Context, topics map[string]int64) error
	// Remove forgets topics, all or none; what is not there is passed over.
	Remove(ctx context.Context, topics ...string) error
}
