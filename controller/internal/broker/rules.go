package broker

import (
	"strings"

	"ledcast/playlists"
	"ledcast/sign/wire"
)

// Account is a sign as the broker knows it.
type Account struct {
	Sign           string // user name and client id
	Owner          string
	Class          string // as in topics, e.g. "128x64-rgb"
	Test           bool   // enrolled as a test sign: may read alerts-test
	PasswordSHA256 [32]byte
}

// Accounts finds accounts. It is asked at every connection, subscription, message and delivery, from many goroutines,
// and must answer from memory. A changed account counts at once, but an open connection keeps the password that it
// logged in with: call Broker.Disconnect.
type Accounts interface {
	// Account returns the account whose Sign is user.
	Account(user string) (Account, bool)
}

// Rules decide what one sign may do (docs/protocol.md, "Topics"). What is not named there is refused. Rules are pure.
// The zero Rules, and an account with a name that could be a wildcard, may do nothing.
type Rules struct{ Account Account }

// Subscribe reports whether the sign may subscribe to filter. It holds for
// topics too, so a delivery is checked by the same words.
//
// The only wildcard in it is the + below the frames of the sign's own alerts,
// which are pushed before the set that names them.
func (r Rules) Subscribe(filter string) bool {
	a := r.Account
	if !plain(a.Sign) || !plain(a.Owner) || !plain(a.Class) {
		return false
	}
	rest, ok := strings.CutPrefix(filter, wire.Prefix)
	if !ok {
		return false
	}
	kind, rest, _ := strings.Cut(rest, "/")
	switch kind {
	case "keys":
		return filter == wire.TopicKeys
	case "signs":
		leaf, own := strings.CutPrefix(rest, a.Sign+"/")
		switch wire.Leaf(leaf) {
		case wire.LeafProgram, wire.LeafFrame, wire.LeafRequest:
			return own
		}
		return false
	case "frames":
		owner, digest, _ := strings.Cut(rest, "/")
		return (owner == a.Owner || owner == playlists.Public) && wire.IsDigest(digest)
	case "alerts":
		return r.alerts(rest)
	case "alerts-test":
		return a.Test && r.alerts(rest)
	}
	return false
}

// alerts checks what follows led/v1/alerts/.
func (r Rules) alerts(rest string) bool {
	class, rest, more := strings.Cut(rest, "/")
	if class != r.Account.Class {
		return false
	}
	if !more {
		return true
	}
	frame, ok := strings.CutPrefix(rest, "frames/")
	return ok && (frame == "+" || wire.IsDigest(frame))
}

// Write bounds what a sign may send on a topic.
type Write struct {
	Limit  int  // bytes of payload
	Retain bool // whether the broker keeps the last one
}

// Publish returns what the sign may send on topic, or ok false if it may send nothing there.
func (r Rules) Publish(topic string) (w Write, ok bool) {
	if !plain(r.Account.Sign) {
		return Write{}, false
	}
	sign, leaf, ok := wire.SplitSignTopic(topic)
	if !ok || sign != r.Account.Sign {
		return Write{}, false
	}
	switch leaf {
	case wire.LeafStatus:
		return Write{Limit: wire.MaxStatus, Retain: true}, true
	case wire.LeafAck:
		return Write{Limit: wire.MaxAck}, true
	case wire.LeafPlayed:
		return Write{Limit: wire.MaxPlayed}, true
	case wire.LeafSnapshot:
		return Write{Limit: wire.MaxSnapshot}, true
	}
	return Write{}, false
}

// Will reports whether the sign may leave a will of size bytes on topic: its own
// status, within the limit of a status.
func (r Rules) Will(topic string, size int) bool {
	w, ok := r.Publish(topic)
	return ok && w.Retain && size <= w.Limit
}

// plain reports whether s is a name of lower-case letters, digits and hyphens:
// one level of a topic, and no wildcard.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}
