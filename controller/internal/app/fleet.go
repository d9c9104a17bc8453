package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/sign/box"
	"ledcast/sign/wire"
)

// Kinds of notes about signs.
const (
	kindPending = playlists.Kind("sign-change") // a change that waits for the department
	kindLogin   = playlists.Kind("sign-login")  // since when a sign has its password
	kindCode    = playlists.Kind("sign-code")   // a one-time code for a config file
)

// codeLife is how long somebody has to walk to the sign and type its code.
const codeLife = 24 * time.Hour

// fleet is how signs are let in and kept out.
type fleet struct{ a *App }

func (f fleet) note(ctx context.Context, who *playlists.Principal, kind playlists.Kind, sign *playlists.Sign, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = f.a.store.Audit().Change(ctx, store.Change{Expected: store.AnyVersion, By: actor(who, f.a.now()), Of: sign.Owner,
		Object: store.Object{Kind: string(kind), ID: sign.ID, Data: data, UpdatedMS: f.a.now().UnixMilli()}})
	return err
}

func (f fleet) drop(ctx context.Context, who *playlists.Principal, kind playlists.Kind, sign *playlists.Sign) error {
	_, err := f.a.store.Audit().Change(ctx, store.Change{Expected: store.AnyVersion, Remove: true, By: actor(who, f.a.now()), Of: sign.Owner,
		Object: store.Object{Kind: string(kind), ID: sign.ID}})
	return err
}

func (f fleet) sign(ctx context.Context, id string) (*playlists.Sign, error) {
	return get[playlists.Sign](ctx, f.a.store, kindSign, "", id)
}

// NewConfig gives a sign a new password. Whoever held the old one is out.
func (f fleet) NewConfig(ctx context.Context, who *playlists.Principal, id string) ([]byte, error) {
	s, err := f.sign(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := f.mayTend(ctx, who, s); err != nil {
		return nil, err
	}
	conf, err := f.a.config(ctx, s)
	if err != nil {
		return nil, err
	}
	conf.Password = secret()
	if err := f.note(ctx, who, kindLogin, s, map[string]int64{"since_ms": f.a.now().UnixMilli()}); err != nil {
		return nil, err
	}
	// A fresh password means a fresh box: the key that it shows first is its own.
	if err := f.a.store.Proofs().Unpin(ctx, id); err != nil {
		return nil, err
	}
	if err := f.a.Enrol(ctx, s, conf.Password); err != nil {
		return nil, err
	}
	if f.a.broker != nil {
		f.a.broker.Disconnect(id)
	}
	return json.MarshalIndent(conf, "", "  ")
}

// config is a sign's config file but for its password.
func (a *App) config(ctx context.Context, s *playlists.Sign) (box.Config, error) {
	root, spare := a.keyring.Roots()
	areas, err := list[playlists.Area](ctx, a.store, kindArea)
	if err != nil {
		return box.Config{}, err
	}
	conf := box.Config{Sign: s.ID, Class: s.Class.String(), Mode: string(playlists.ModeProgram), Test: s.Test, Areas: playlists.NewSuccessions(areas).Extend(s.Areas),
		Broker: a.signsBroker(), Username: s.ID, CA: a.tls.ca, Root: wire.EncodeKey(root), RootSpare: wire.EncodeKey(spare)}
	if s.Picture() {
		conf.Mode = string(playlists.ModePicture)
	}
	return conf, nil
}

// oneTime is what is kept of a code.
type oneTime struct {
	SHA256  string `json:"sha256"`
	Expires int64  `json:"expires"` // Unix seconds
}

// Code is 80 random bits in capitals and digits: short enough to type at a
// sign, and too many to try.
func (f fleet) Code(ctx context.Context, who *playlists.Principal, id string) (string, time.Time, error) {
	s, err := f.sign(ctx, id)
	if err != nil {
		return "", time.Time{}, err
	}
	if err := f.mayTend(ctx, who, s); err != nil {
		return "", time.Time{}, err
	}
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand.Read panics instead
	text := base32.StdEncoding.EncodeToString(b[:])
	expires := f.a.now().Add(codeLife)
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

func (f fleet) Redeem(ctx context.Context, remote, code string) ([]byte, error) {
	wrong := &playlists.Error{Code: playlists.Denied, Field: "code", Problem: "is not known, was used, or has expired", Remedy: "ask the sign's owner for a new one"}
	codes, err := f.a.store.Objects().List(ctx, string(kindCode), "")
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
			if missing(err) {
				return nil, wrong
			}
			return nil, err
		}
		if f.a.now().Unix() >= c.Expires {
			return nil, wrong
		}
		return f.NewConfig(ctx, who, o.ID)
	}
	return nil, wrong
}

func (f fleet) Revoke(ctx context.Context, who *playlists.Principal, id string) (later bool, err error) {
	s, err := f.sign(ctx, id)
	if err != nil {
		return false, err
	}
	if err := f.mayTend(ctx, who, s); err != nil {
		return false, err
	}
	for _, kind := range []playlists.Kind{kindLogin, kindCode} {
		if err := f.drop(ctx, who, kind, s); err != nil && !missing(err) {
			return false, err
		}
	}
	f.a.dismiss(ctx, id)
	return f.a.broker == nil, nil
}

func (f fleet) ConfirmKey(ctx context.Context, who *playlists.Principal, id string) error {
	s, err := f.sign(ctx, id)
	if err != nil {
		return err
	}
	if err := f.mayTend(ctx, who, s); err != nil {
		return err
	}
	if err := f.note(ctx, who, kindLogin, s, map[string]int64{"key_confirmed_ms": f.a.now().UnixMilli()}); err != nil {
		return err
	}
	return f.a.store.Proofs().Unpin(ctx, id)
}

func (f fleet) Pending(ctx context.Context, id string) (*playlists.PendingChange, error) {
	x, err := get[playlists.PendingChange](ctx, f.a.store, string(kindPending), "", id)
	if missing(err) {
		return nil, nil
	}
	return x, err
}

func (f fleet) Decide(ctx context.Context, who *playlists.Principal, id string, approve bool) (*playlists.PendingChange, error) {
	x, err := get[playlists.PendingChange](ctx, f.a.store, string(kindPending), "", id)
	if err != nil {
		return nil, err
	}
	s, err := f.sign(ctx, id)
	if err != nil {
		return nil, err
	}
	if !approve {
		if err := f.mayTend(ctx, who, s); err != nil {
			return nil, err
		}
		return x, f.drop(ctx, who, kindPending, s)
	}
	s.Areas, s.Test, s.Mode = x.Areas, x.Test, x.Mode
	_, err = objects(f).put(ctx, who, playlists.KindSign, "", id, s, store.AnyVersion, nil, true)
	return x, err
}

// hold takes out of a company's change what has to wait for the department:
// where a sign counts as standing, whether it shows tests, and how far it is
// trusted. A new sign stands where its company says, and shows no tests yet.
func (a *App) hold(ctx context.Context, who *playlists.Principal, v *playlists.Sign) (*playlists.PendingChange, error) {
	if who.Department() {
		return nil, nil
	}
	now, err := get[playlists.Sign](ctx, a.store, kindSign, "", v.ID)
	if missing(err) {
		now, err = &playlists.Sign{Areas: v.Areas, Mode: v.Mode}, nil
	}
	if err != nil {
		return nil, err
	}
	if slices.Equal(now.Areas, v.Areas) && now.Test == v.Test && now.Picture() == v.Picture() {
		return nil, nil
	}
	wanted := &playlists.PendingChange{Sign: v.ID, Areas: v.Areas, Test: v.Test, Mode: v.Mode, By: who.ID, AtMS: a.now().UnixMilli()}
	if err := a.knownAreas(ctx, v.Areas, "signs/"+v.ID); err != nil {
		return nil, err
	}
	v.Areas, v.Test, v.Mode = now.Areas, now.Test, now.Mode
	return wanted, nil
}
