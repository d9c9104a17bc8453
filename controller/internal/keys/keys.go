// Package keys keeps an installation's signing keys in its store, and shows,
// rotates and renews them while its controller is stopped.
package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/publish"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/sign/wire"
)

// Info is an online key, for people.
type Info struct {
	KID, Role, State string
	Until            time.Time
}

// Report is what an installation signs with.
type Report struct {
	Epoch, Seq int64
	Ends       time.Time
	Root       string // kid
	Spare      string
	Keys       []Info
}

// Show opens the keys in a data folder whose controller is stopped, and reports.
func Show(ctx context.Context, dir, database string, now time.Time) (r *Report, err error) {
	return open(ctx, dir, database, now, "", nil)
}

// kindKeys is a note of what was done with the keys.
const kindKeys = "keys"

// open lets change do something with the keys, which the log calls action.
func open(ctx context.Context, dir, database string, now time.Time, action string,
	change func(*publish.Keyring, publish.KeyStore) error) (r *Report, err error) {
	lock, err := datadir.Lock(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	s, err := datadir.OpenStore(ctx, dir, database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	k, err := publish.OpenKeyring(ctx, Store{s.Keys()}, filepath.Join(dir, "root"), now)
	if err != nil {
		return nil, err
	}
	if change != nil {
		if err := change(k, Store{s.Keys()}); err != nil {
			return nil, err
		}
	}
	r = &Report{Ends: k.Ends()}
	r.Epoch, r.Seq = k.Seq()
	root, spare := k.Roots()
	r.Root, r.Spare = wire.KeyID(root), wire.KeyID(spare)
	for _, x := range k.Keys() {
		r.Keys = append(r.Keys, Info{KID: publish.KID(x), Role: x.Role, State: string(x.State), Until: time.Unix(x.Exp, 0)})
	}
	if change == nil {
		return r, nil
	}
	note, err := json.Marshal(struct {
		Action string `json:"action"`
		*Report
	}{action, r})
	if err != nil {
		return nil, err
	}
	_, err = s.Audit().Change(ctx, store.Change{Expected: store.AnyVersion, Of: playlists.Public,
		By:     playlists.Actor{Who: "console", AtMS: now.UnixMilli()},
		Object: store.Object{Kind: kindKeys, ID: "key-set", Data: note, UpdatedMS: now.UnixMilli()}})
	return r, err
}

// Renew signs the key set anew with the root in a file.
func Renew(ctx context.Context, dir, database, root string, now time.Time) (*Report, error) {
	return withRoot(ctx, dir, database, root, now, "renew", (*publish.Keyring).Renew)
}

// Rotate lists new online keys beside the present ones.
func Rotate(ctx context.Context, dir, database, root string, now time.Time) (*Report, error) {
	return withRoot(ctx, dir, database, root, now, "rotate", (*publish.Keyring).Rotate)
}

func withRoot(ctx context.Context, dir, database, file string, now time.Time, action string,
	do func(*publish.Keyring, context.Context, publish.KeyStore, publish.RootKey, time.Time) error) (*Report, error) {
	root, err := publish.ReadRoot(file)
	if err != nil {
		return nil, fmt.Errorf("--root: %w", err)
	}
	return open(ctx, dir, database, now, action,
		func(k *publish.Keyring, s publish.KeyStore) error { return do(k, ctx, s, root, now) })
}
