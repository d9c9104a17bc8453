package store

import "context"

// Session is a user's session in the web interface.
type Session struct {
	Token    string // the token or its hash; opaque to the store
	Who      string // the user; "" before login
	Data     []byte // opaque
	ExpiryMS int64  // the session has expired at this time
}

// Sessions stores the sessions of package scs. records.Sessions adapts it to the interface scs.CtxStore.
type Sessions interface {
	// Find returns found = false if the token is unknown or has expired.
	Find(ctx context.Context, token string, nowMS int64) (data []byte, found bool, err error)
	// Commit stores s. It replaces an earlier session with the same token.
	Commit(ctx context.Context, s Session) error
	// Delete removes a session. It is no error if the token is unknown.
	Delete(ctx context.Context, token string) error
	// DeleteOf removes all sessions of a user (log out everywhere) and returns their number. The error is Invalid
	// if who is "".
	DeleteOf(ctx context.Context, who string) (ended int, err error)
	// All returns the sessions that have not expired, sorted bytewise by token.
	All(ctx context.Context, nowMS int64) ([]Session, error)
	// DeleteExpired removes the expired sessions.
	DeleteExpired(ctx context.Context, nowMS int64) error
}
