// Package publish makes the broker hold what it should hold: the key set, each
// sign's program, the frames they name, and the picture that each picture sign
// shows now.
//
// The database is the truth and the broker a cache. A Publisher computes what
// should be retained and makes it so, again and again: after a change, after
// every reconnect (an embedded broker begins empty), and once a minute. So a
// crash or an emptied broker heals itself, and nothing here has to remember
// what it was about to do. What a broker loses while the connection stands is
// put back when signs do not answer (Repair), keys and alert sets each hour.
package publish

import (
	"context"
	"crypto/ed25519"
	"errors"

	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
)

// ErrNoBroker is a Broker's while no connection stands. Who keeps the connection says so; here it is no news.
var ErrNoBroker = errors.New("not connected to the broker")

// Broker is the link to publish over.
type Broker interface {
	// Publish returns once the broker has the message. Its error is ErrNoBroker where there is no connection.
	Publish(ctx context.Context, topic string, payload []byte, retained bool) error
}

// Catalogue is what owners have asked for.
type Catalogue interface {
	Signs(ctx context.Context) ([]playlists.Sign, error)
	Playlist(ctx context.Context, owner, id string) (*playlists.Playlist, error)
	Message(ctx context.Context, owner, id string) (*playlists.Message, error)
	// Rulebook is everything that is set about what shows.
	Rulebook(ctx context.Context) (plan.Rulebook, error)
}

// Artist draws a message for a class. It caches: asking twice costs nothing.
type Artist interface {
	Artwork(ctx context.Context, m *playlists.Message, c playlists.Class,
		motion playlists.Motion) (*playlists.Artwork, error)
}

// Ledger gives out sequence numbers and keeps what was signed with them: a seq
// and its document are durable together, or neither is.
type Ledger interface {
	Issue(ctx context.Context, drafts []playlists.Draft, seal func(i int, seq int64) ([]byte, error)) ([]playlists.Issued,
		error)
	// Latest returns nil where nothing was issued.
	Latest(ctx context.Context, role, subject string) (*playlists.Issued, error)
	// Programs are a sign's that were in force from `from` until `until`, Unix
	// seconds, oldest first.
	Programs(ctx context.Context, sign string, from, until int64) ([]*timeline.Program, error)
	NextSeqs(ctx context.Context, role string, subjects []string, epoch, iatMS int64) ([]int64, error)
}

// Keys is the controller's signing keys.
type Keys interface {
	// Signer is the key that signs for role now, and the epoch of its key set.
	Signer(role string) (key ed25519.PrivateKey, epoch int64, err error)
	// KeySet is the signed key set in force.
	KeySet() []byte
}
