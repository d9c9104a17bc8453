package store

import "context"

// Session is somebody's visit to the pages.
type Session struct {
	Token    string // or its hash: the store does not look at it
	Who      string // whose it is; "" while nobody has signed in
	Data     []byte // opaque
	ExpiryMS int64  // over at this time
}

// Sessions is where scs keeps its sessions. Its CtxStore is this with the
// clock's time added, and Who taken from the data or the context.
type Sessions interface {
	// Find reports false for a token that is unknown or over.
	Find(ctx context.Context, token string, nowMS int64) (data []byte, found bool, err error)
	// Commit keeps s in place of the token's last one.
	Commit(ctx context.Context, s Session) error
	// Delete ends a session; an unknown one has ended already.
	Delete(ctx context.Context, token string) error
	// DeleteOf ends all sessions of somebody: log out everywhere. It returns
	// how many there were. Invalid for "", which is nobody in particular.
	DeleteOf(ctx context.Context, who string) (ended int, err error)
	// All returns the sessions that are not over, sorted bytewise by token.
	All(ctx context.Context, nowMS int64) ([]Session, error)
	// DeleteExpired forgets the sessions that are over.
	DeleteExpired(ctx context.Context, nowMS int64) error
}
