// Package enrol lets signs in and keeps them out: their passwords and one-time
// codes, their accounts at the broker, and the same rules as files for an
// outside broker.
package enrol

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"ledcast/controller/internal/admission"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Kinds of records about signs.
const (
	kindLogin = "sign-login" // since when a sign has its password
	kindCode  = "sign-code"  // a one-time code for a config file
)

// codeLife is how long somebody has to walk to the sign and type its code.
const codeLife = 24 * time.Hour

// Catalogue is everything that people have put.
type Catalogue interface {
	Snapshot(ctx context.Context) (*playlists.Snapshot, error)
}

// Changes decides about changes of signs that wait for the department.
type Changes interface {
	// Settle writes a sign with its waiting change applied.
	Settle(ctx context.Context, who *playlists.Principal, sign *playlists.Sign) error
	// DropPending removes the waiting change.
	DropPending(ctx context.Context, who *playlists.Principal, sign *playlists.Sign) error
}

// Options are a Fleet's surroundings.
type Options struct {
	Store      store.Store
	Catalogue  Catalogue
	Changes    Changes
	Accounts   *Accounts
	Roots      func() (root, spare ed25519.PublicKey)
	Broker     string            // its address as signs reach it
	CA         string            // PEM of the authority that signs have to know; "" where the system's do
	Disconnect func(sign string) // closes a sign's connection; nil with an outside broker
	Now        func() time.Time
}

// Fleet is every sign's way in.
type Fleet struct{ o Options }

// New makes one.
func New(o Options) *Fleet { return &Fleet{o} }

func (f *Fleet) note(ctx context.Context, who *playlists.Principal, kind string, sign *playlists.Sign, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = f.o.Store.Audit().Change(ctx, store.Change{Expected: store.AnyVersion, By: who.Actor(f.o.Now().UnixMilli()),
		Of:     sign.Owner,
		Object: store.Object{Kind: kind, ID: sign.ID, Data: data, UpdatedMS: f.o.Now().UnixMilli()}})
	return err
}

func (f *Fleet) drop(ctx context.Context, who *playlists.Principal, kind string, sign *playlists.Sign) error {
	_, err := f.o.Store.Audit().Change(ctx, store.Change{Expected: store.AnyVersion,
		Remove: true, By: who.Actor(f.o.Now().UnixMilli()), Of: sign.Owner,
		Object: store.Object{Kind: kind, ID: sign.ID}})
	return err
}

func (f *Fleet) sign(ctx context.Context, id string) (*playlists.Sign, error) {
	s, err := f.o.Catalogue.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	key := playlists.Key{Kind: playlists.KindSign, ID: id}
	sign, ok := playlists.Find[*playlists.Sign](s, key)
	if !ok {
		return nil, &playlists.Error{Code: playlists.NotFound, Field: "sign/" + id, Key: "not-found"}
	}
	return sign, nil
}

// mine is a sign that the principal may let in, keep out or change: an officer
// acts in some areas only. who is nil where nobody is asked.
func (f *Fleet) mine(ctx context.Context, who *playlists.Principal, id string) (*playlists.Sign, error) {
	sign, err := f.sign(ctx, id)
	if err != nil {
		return nil, err
	}
	s, err := f.o.Catalogue.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return sign, admission.Officer(s, who, sign)
}

// NewConfig gives a sign a new password. Whoever held the old one is out.
func (f *Fleet) NewConfig(ctx context.Context, who *playlists.Principal, id string) ([]byte, error) {
	s, err := f.mine(ctx, who, id)
	if err != nil {
		return nil, err
	}
	conf, err := f.Config(ctx, s)
	if err != nil {
		return nil, err
	}
	conf.Password = Password()
	if err := f.note(ctx, who, kindLogin, s, map[string]int64{"since_ms": f.o.Now().UnixMilli()}); err != nil {
		return nil, err
	}
	// A fresh password means a fresh box: the key that it shows first is its own.
	if err := f.o.Store.Proofs().Unpin(ctx, id); err != nil {
		return nil, err
	}
	if err := f.SetPassword(ctx, s, conf.Password); err != nil {
		return nil, err
	}
	f.disconnect(id)
	return json.MarshalIndent(conf, "", "  ")
}

// oneTime is what is kept of a code.
type oneTime struct {
	SHA256  string `json:"sha256"`
	Expires int64  `json:"expires"` // Unix seconds
}

// Code is 80 random bits in capitals and digits: short enough to type at a
// sign, and too many to try.
func (f *Fleet) Code(ctx context.Context, who *playlists.Principal, id string) (string, time.Time, error) {
	s, err := f.mine(ctx, who, id)
	if err != nil {
		return "", time.Time{}, err
	}
	text := rand.Text()[:16]
	expires := f.o.Now().Add(codeLife)
	if err := f.note(ctx, who, kindCode, s, oneTime{codeHash(text), expires.Unix()}); err != nil {
		return "", time.Time{}, err
	}
	return strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-"), expires, nil
}

// codeHash forgives what people type: small letters, spaces, hyphens, and the
// digits that base32 leaves out because they look like letters.
func codeHash(code string) string {
	code = strings.NewReplacer("-", "", " ", "", "0", "O", "1", "I", "8", "B").Replace(strings.ToUpper(code))
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

func (f *Fleet) Redeem(ctx context.Context, remote, code string) ([]byte, error) {
	wrong := &playlists.Error{Code: playlists.Denied, Field: "code", Key: "code-unknown"}
	codes, err := f.o.Store.Objects().List(ctx, string(kindCode), "")
	if err != nil {
		return nil, err
	}
	h := codeHash(code)
	for _, o := range codes {
		var c oneTime
		if err := json.Unmarshal(o.Data, &c); err != nil {
			return nil, err
		}
		if c.SHA256 != h {
			continue
		}
		who := &playlists.Principal{ID: "sign:" + o.ID, From: remote}
		s, err := f.sign(ctx, o.ID)
		if err != nil {
			return nil, err
		}
		// Taken first: of two who hold the code one gets in, and the other
		// finds out.
		if err := f.drop(ctx, who, kindCode, s); err != nil {
			if playlists.IsNotFound(err) {
				return nil, wrong
			}
			return nil, err
		}
		if f.o.Now().Unix() >= c.Expires {
			return nil, wrong
		}
		return f.NewConfig(ctx, who, o.ID)
	}
	return nil, wrong
}

func (f *Fleet) Revoke(ctx context.Context, who *playlists.Principal, id string) (later bool, err error) {
	s, err := f.mine(ctx, who, id)
	if err != nil {
		return false, err
	}
	for _, kind := range []string{kindLogin, kindCode} {
		if err := f.drop(ctx, who, kind, s); err != nil && !playlists.IsNotFound(err) {
			return false, err
		}
	}
	return f.o.Disconnect == nil, f.Dismiss(ctx, id)
}

func (f *Fleet) ConfirmKey(ctx context.Context, who *playlists.Principal, id string) error {
	s, err := f.mine(ctx, who, id)
	if err != nil {
		return err
	}
	if err := f.note(ctx, who, kindLogin, s, map[string]int64{"key_confirmed_ms": f.o.Now().UnixMilli()}); err != nil {
		return err
	}
	return f.o.Store.Proofs().Unpin(ctx, id)
}

// Pending is the change of a sign that waits for the department; nil if none
// does.
func (f *Fleet) Pending(ctx context.Context, id string) (*playlists.PendingChange, error) {
	s, err := f.o.Catalogue.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return s.Pending(id), nil
}

// Decide applies the change that waits, or drops it; NotFound if none waits.
func (f *Fleet) Decide(ctx context.Context, who *playlists.Principal, id string,
	approve bool) (*playlists.PendingChange, error) {
	s, err := f.o.Catalogue.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	x := s.Pending(id)
	if x == nil {
		return nil, &playlists.Error{Code: playlists.NotFound, Field: "sign-change/" + id, Key: "not-found"}
	}
	if !approve {
		sign, err := f.mine(ctx, who, id)
		if err != nil {
			return nil, err
		}
		return x, f.o.Changes.DropPending(ctx, who, sign)
	}
	sign, err := f.sign(ctx, id)
	if err != nil {
		return nil, err
	}
	next := *sign
	next.Areas, next.Test, next.Mode = x.Areas, x.Test, x.Mode
	return x, f.o.Changes.Settle(ctx, who, &next)
}
