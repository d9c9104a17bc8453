// Package publish keeps the broker's retained messages up to date: the key
// set, each sign's program, the frames that programs name, and the current
// picture of each picture sign.
//
// The database is the source of truth and the broker is a cache. A Publisher
// computes what the broker should retain and publishes what differs: after a
// change, after every reconnect (an embedded broker starts empty) and once a
// minute. It therefore recovers from a crash or an emptied broker without any
// state of its own. If a broker loses messages while the connection is up,
// Repair republishes them when signs do not ack. Keys and alert sets are also
// republished every hour.
package publish

import (
	"context"
	"crypto/ed25519"
	"errors"

	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
)

// ErrNoBroker is returned by a Broker that is not connected. The connection logs that itself, so this package does not.
var ErrNoBroker = errors.New("not connected to the broker")

// Broker publishes messages.
type Broker interface {
	// Publish returns once the broker has the message, or ErrNoBroker if there is no connection.
	Publish(ctx context.Context, topic string, payload []byte, retained bool) error
}

// Catalogue provides the signs and their content.
type Catalogue interface {
	Signs(ctx context.Context) ([]playlists.Sign, error)
	Playlist(ctx context.Context, owner, id string) (*playlists.Playlist, error)
	Message(ctx context.Context, owner, id string) (*playlists.Message, error)
	// Rulebook returns all schedules, campaigns and agreements.
	Rulebook(ctx context.Context) (plan.Rulebook, error)
}

// Artist draws messages for a class. It caches its results.
type Artist interface {
	Artwork(ctx context.Context, m *playlists.Message, c playlists.Class,
		motion playlists.Motion) (*playlists.Artwork, error)
}

// Ledger assigns sequence numbers and stores the documents signed with them. It
// stores a seq and its document atomically.
type Ledger interface {
	Issue(ctx context.Context, drafts []playlists.Draft, seal func(i int, seq int64) ([]byte, error)) ([]playlists.Issued,
		error)
	// Latest returns nil if nothing was issued.
	Latest(ctx context.Context, role, subject string) (*playlists.Issued, error)
	// Programs returns the programs of a sign that were in force between from
	// and until (Unix seconds), oldest first.
	Programs(ctx context.Context, sign string, from, until int64) ([]*timeline.Program, error)
	NextSeqs(ctx context.Context, role string, subjects []string, epoch, iatMS int64) ([]int64, error)
}

// Keys provides the controller's signing keys.
type Keys interface {
	// Signer returns the active key of a role and the epoch of its key set.
	Signer(role string) (key ed25519.PrivateKey, epoch int64, err error)
	// KeySet returns the signed key set in force.
	KeySet() []byte
}
