package keys

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"ledcast/controller/internal/publish"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/sign/wire"
)

// Store is a store's keys as the key ring uses them.
type Store struct{ Keeper store.Keys }

func (k Store) Keys(ctx context.Context) ([]publish.SigningKey, error) {
	keys, err := k.Keeper.List(ctx)
	out := make([]publish.SigningKey, len(keys))
	for i, x := range keys {
		out[i] = publish.SigningKey{Role: x.Role, Key: ed25519.NewKeyFromSeed(x.Seed), Nbf: x.Nbf, Exp: x.Exp,
			State: publish.KeyState(x.State)}
	}
	return out, err
}

func (k Store) AddKeys(ctx context.Context, keys []publish.SigningKey) error {
	in := make([]store.Key, len(keys))
	for i, x := range keys {
		in[i] = store.Key{KID: wire.KeyID(x.Key.Public().(ed25519.PublicKey)), Role: x.Role, Seed: x.Key.Seed(), Nbf: x.Nbf,
			Exp: x.Exp, State: store.KeyState(x.State)}
	}
	return k.Keeper.Add(ctx, in...)
}

func (k Store) SetState(ctx context.Context, kid string, state publish.KeyState) error {
	return k.Keeper.SetState(ctx, kid, store.KeyState(state))
}

func (k Store) Remove(ctx context.Context, kid string) error { return k.Keeper.Remove(ctx, kid) }

func (k Store) Set(ctx context.Context) (*publish.SignedSet, error) {
	s, err := k.Keeper.Set(ctx)
	if playlists.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(s.Roots) != 2 {
		return nil, fmt.Errorf("the stored key set names %d roots instead of 2; restore the database from a backup",
			len(s.Roots))
	}
	return &publish.SignedSet{Epoch: s.Epoch, Seq: s.Seq, JWS: s.JWS, Root: s.Roots[0], Spare: s.Roots[1]}, nil
}

func (k Store) PutSet(ctx context.Context, s publish.SignedSet) error {
	return k.Keeper.PutSet(ctx, store.KeySet{Epoch: s.Epoch, Seq: s.Seq, JWS: s.JWS, Roots: [][]byte{s.Root, s.Spare}})
}
