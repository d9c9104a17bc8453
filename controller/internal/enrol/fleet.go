// Package enrol manages the credentials of signs and of the first users: passwords, one-time codes, and accounts at
// the broker. It also writes the configuration files of an external broker with the same rules.
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
	kindLogin = "sign-login" // the time of the sign's last password change
	kindCode  = "sign-code"  // a one-time code for a config file
)

// codeLife is the time that a technician has to go to the sign and type the code.
const codeLife = 24 * time.Hour

// Catalogue reads the configured objects.
type Catalogue interface {
	Snapshot(ctx context.Context) (*playlists.Snapshot, error)
}

// Changes applies or discards changes of signs that wait for approval by the department.
type Changes interface {
	// Settle writes a sign to which its pending change has been applied.
	Settle(ctx context.Context, who *playlists.Principal, sign *playlists.Sign) error
	// Update writes a sign, whatever its version is.
	Update(ctx context.Context, who *playlists.Principal, sign *playlists.Sign) error
	// DropPending discards the pending change.
	DropPending(ctx context.Context, who *playlists.Principal, sign *playlists.Sign) error
}

// Options are the dependencies and options of a Fleet.
type Options struct {
	Store      store.Store
	Catalogue  Catalogue
	Changes    Changes
	Accounts   *Accounts
	Roots      func() (root, spare ed25519.PublicKey)
	Broker     string            // URL of the broker for signs
	CA         string            // PEM of the CA that signs must trust; "" for the system's CAs
	Disconnect func(sign string) // closes a sign's connection; nil with an external broker
	Now        func() time.Time
}

// Fleet manages the credentials of signs.
type Fleet struct{ o Options }

// New returns a Fleet.
func New(o Options) *Fleet { return &Fleet{o} }

func (f *Fleet) putRecord(ctx context.Context, who *playlists.Principal, kind string,
	sign *playlists.Sign, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = f.o.Store.Audit().Change(ctx, store.Change{Expected: store.AnyVersion, By: who.Actor(f.o.Now().UnixMilli()),
		Of:     sign.Owner,
		Object: store.Object{Kind: kind, ID: sign.ID, Data: data, UpdatedMS: f.o.Now().UnixMilli()}})
	return err
}

func (f *Fleet) deleteRecord(ctx context.Context, who *playlists.Principal, kind string, sign *playlists.Sign) error {
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

// permittedSign returns a sign, and an error if who may not manage it. An officer may manage only signs in certain
// areas. If who is nil, the permission is not checked.
func (f *Fleet) permittedSign(ctx context.Context, who *playlists.Principal, id string) (*playlists.Sign, error) {
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

// NewConfig sets a new password for a sign and returns the sign's configuration file with it. The old password
// becomes invalid, and its connection is closed.
func (f *Fleet) NewConfig(ctx context.Context, who *playlists.Principal, id string) ([]byte, error) {
	s, err := f.permittedSign(ctx, who, id)
	if err != nil {
		return nil, err
	}
	conf, err := f.Config(ctx, s)
	if err != nil {
		return nil, err
	}
	conf.Password = Password()
	if err := f.putRecord(ctx, who, kindLogin, s, map[string]int64{"since_ms": f.o.Now().UnixMilli()}); err != nil {
		return nil, err
	}
	// A new password means that the sign is set up again. Its first key will then be pinned.
	if err := f.o.Store.Proofs().Unpin(ctx, id); err != nil {
		return nil, err
	}
	if err := f.SetPassword(ctx, s, conf.Password); err != nil {
		return nil, err
	}
	f.disconnect(id)
	return json.MarshalIndent(conf, "", "  ")
}

// codeRecord is the stored form of a one-time code.
type codeRecord struct {
	SHA256  string `json:"sha256"`
	Expires int64  `json:"expires"` // Unix seconds
}

// Code returns a one-time code for a sign and the time of its expiry. The code has 80 random bits as capital
// letters and digits. That is short enough to type at a sign, and too long to guess.
func (f *Fleet) Code(ctx context.Context, who *playlists.Principal, id string) (string, time.Time, error) {
	s, err := f.permittedSign(ctx, who, id)
	if err != nil {
		return "", time.Time{}, err
	}
	text := rand.Text()[:16]
	expires := f.o.Now().Add(codeLife)
	if err := f.putRecord(ctx, who, kindCode, s, codeRecord{codeHash(text), expires.Unix()}); err != nil {
		return "", time.Time{}, err
	}
	return strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-"), expires, nil
}

// codeHash returns the SHA-256 of a normalized code, in hex. It ignores case, spaces and hyphens. It maps the
// digits 0, 1 and 8, which base32 does not use, to the letters that they look like.
func codeHash(code string) string {
	code = strings.NewReplacer("-", "", " ", "", "0", "O", "1", "I", "8", "B").Replace(strings.ToUpper(code))
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// Redeem exchanges a one-time code for the sign's configuration file with a new password, as NewConfig returns it.
// The error is Denied if the code is unknown or has expired. remote is the client's address, for the audit log.
func (f *Fleet) Redeem(ctx context.Context, remote, code string) ([]byte, error) {
	wrong := &playlists.Error{Code: playlists.Denied, Field: "code", Key: "code-unknown"}
	codes, err := f.o.Store.Objects().List(ctx, string(kindCode), "")
	if err != nil {
		return nil, err
	}
	h := codeHash(code)
	for _, o := range codes {
		var c codeRecord
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
		// Delete the code before using it, so that only one of two concurrent requests succeeds.
		if err := f.deleteRecord(ctx, who, kindCode, s); err != nil {
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

// Revoke deletes a sign's password and one-time code and closes its connection. later is true with an external
// broker, which accepts the password until its files are written again.
func (f *Fleet) Revoke(ctx context.Context, who *playlists.Principal, id string) (later bool, err error) {
	s, err := f.permittedSign(ctx, who, id)
	if err != nil {
		return false, err
	}
	for _, kind := range []string{kindLogin, kindCode} {
		if err := f.deleteRecord(ctx, who, kind, s); err != nil && !playlists.IsNotFound(err) {
			return false, err
		}
	}
	return f.o.Disconnect == nil, f.Dismiss(ctx, id)
}

// ConfirmKey confirms a new public key of a sign: the next key that the sign presents is pinned.
func (f *Fleet) ConfirmKey(ctx context.Context, who *playlists.Principal, id string) error {
	s, err := f.permittedSign(ctx, who, id)
	if err != nil {
		return err
	}
	if err := f.putRecord(ctx, who, kindLogin, s,
		map[string]int64{"key_confirmed_ms": f.o.Now().UnixMilli()}); err != nil {
		return err
	}
	return f.o.Store.Proofs().Unpin(ctx, id)
}

// Review sets how signs count for urgent messages. Nothing is written if one of them does not exist or is not who's to
// decide about.
func (f *Fleet) Review(ctx context.Context, who *playlists.Principal, ids []string, as playlists.SignAlerts) error {
	signs := make([]playlists.Sign, len(ids))
	for i, id := range ids {
		s, err := f.permittedSign(ctx, who, id)
		if err != nil {
			return err
		}
		signs[i] = *s
	}
	for i := range signs {
		if signs[i].Alerts == as {
			continue
		}
		signs[i].Alerts = as
		if err := f.o.Changes.Update(ctx, who, &signs[i]); err != nil {
			return err
		}
	}
	return nil
}

// Pending returns the change of a sign that waits for approval, or nil if there is none.
func (f *Fleet) Pending(ctx context.Context, id string) (*playlists.PendingChange, error) {
	s, err := f.o.Catalogue.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return s.Pending(id), nil
}

// Decide applies or discards the pending change of a sign and returns it. The error is NotFound if there is none.
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
		sign, err := f.permittedSign(ctx, who, id)
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
