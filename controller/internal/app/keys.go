package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"ledcast/controller/internal/publish"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/sign/wire"
)

// KeyInfo is an online key, for people.
type KeyInfo struct {
	KID, Role, State string
	Until            time.Time
}

// KeyReport is what an installation signs with.
type KeyReport struct {
	Epoch, Seq int64
	Ends       time.Time
	Root       string // kid
	Spare      string
	Keys       []KeyInfo
}

// Keys opens the keys in a data folder whose controller is stopped, and reports.
func Keys(ctx context.Context, dir, database string, now time.Time) (r *KeyReport, err error) {
	return keys(ctx, dir, database, now, "", nil)
}

// kindKeys is a note of what was done with the keys.
const kindKeys = "keys"

// keys lets change do something with the keys, which the log calls action.
func keys(ctx context.Context, dir, database string, now time.Time, action string, change func(*publish.Keyring, publish.KeyStore) error) (r *KeyReport, err error) {
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	s, err := openStore(ctx, dir, database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	k, err := publish.OpenKeyring(ctx, keyStore{s}, filepath.Join(dir, "root"), now)
	if err != nil {
		return nil, err
	}
	if change != nil {
		if err := change(k, keyStore{s}); err != nil {
			return nil, err
		}
	}
	r = &KeyReport{Ends: k.Ends()}
	r.Epoch, r.Seq = k.Seq()
	root, spare := k.Roots()
	r.Root, r.Spare = wire.KeyID(root), wire.KeyID(spare)
	for _, x := range k.Keys() {
		r.Keys = append(r.Keys, KeyInfo{KID: publish.KID(x), Role: x.Role, State: string(x.State), Until: time.Unix(x.Exp, 0)})
	}
	if change == nil {
		return r, nil
	}
	note, err := json.Marshal(struct {
		Action string `json:"action"`
		*KeyReport
	}{action, r})
	if err != nil {
		return nil, err
	}
	_, err = s.Audit().Change(ctx, store.Change{Expected: store.AnyVersion, Of: playlists.Public, By: actor(console, now),
		Object: store.Object{Kind: kindKeys, ID: "key-set", Data: note, UpdatedMS: now.UnixMilli()}})
	return r, err
}

// RenewKeys signs the key set anew with the root in a file.
func RenewKeys(ctx context.Context, dir, database, root string, now time.Time) (*KeyReport, error) {
	return withRoot(ctx, dir, database, root, now, "renew", (*publish.Keyring).Renew)
}

// RotateKeys lists new online keys beside the present ones.
func RotateKeys(ctx context.Context, dir, database, root string, now time.Time) (*KeyReport, error) {
	return withRoot(ctx, dir, database, root, now, "rotate", (*publish.Keyring).Rotate)
}

func withRoot(ctx context.Context, dir, database, file string, now time.Time, action string, do func(*publish.Keyring, context.Context, publish.KeyStore, publish.RootKey, time.Time) error) (*KeyReport, error) {
	root, err := publish.ReadRoot(file)
	if err != nil {
		return nil, fmt.Errorf("--root: %w", err)
	}
	return keys(ctx, dir, database, now, action, func(k *publish.Keyring, s publish.KeyStore) error { return do(k, ctx, s, root, now) })
}

// promoteEvery is how often a rotation is looked at.
const promoteEvery = time.Minute

// promoteKeys goes on with a rotation: the new keys sign once every sign that
// is online has said that it has the set. A sign that is away gets the set
// before anything that the new keys signed, for both are retained and it keeps
// a document until its key comes.
func (a *App) promoteKeys(ctx context.Context) {
	t := time.NewTicker(promoteEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		did, err := a.keyring.Promote(ctx, keyStore{a.store}, func(epoch, seq int64) bool {
			for _, sign := range a.listener.Signs() {
				s := a.listener.State(sign)
				if s.Online && (s.Status == nil || s.Status.Keys == nil || s.Status.Keys.Epoch < epoch || s.Status.Keys.Epoch == epoch && s.Status.Keys.Seq < seq) {
					return false
				}
			}
			return true
		})
		if err != nil {
			a.log.Error("the new keys could not be taken into use", "err", err)
		}
		if did {
			a.log.Info("the new keys sign")
			a.Kick()
		}
	}
}
