package store

import "context"

// Topics stores the topics on which a broker may retain documents of this controller. An external broker keeps them
// across restarts of the controller, and no other record tells which of them must be cleared.
type Topics interface {
	// All returns every topic with the time in Unix ms since which it is unwanted, or 0 for a topic in use.
	All(ctx context.Context) (map[string]int64, error)
	// Put stores topics, all or none. It replaces their earlier times.
	Put(ctx context.Context, topics map[string]int64) error
	// Remove removes topics, all or none. It ignores unknown topics.
	Remove(ctx context.Context, topics ...string) error
}
