package storetest

import (
	"bytes"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

func key(kid, role string, nbf int64) store.Key {
	return store.Key{KID: kid, Role: role, Seed: bytes.Repeat([]byte{byte(len(kid)), 0xff}, 16), Nbf: nbf,
		Exp: nbf + 86400, State: store.KeyNext}
}

func keyStates(t *testing.T, open Opener) {
	ctx, k := t.Context(), opened(t, open).Keys()
	must(t, k.Add(ctx, key("k2", "program", 20), key("k1", "program", 20)))
	must(t, k.Add(ctx, key("k3", "alerts", 30), key("k0", "program", 10)))
	must(t, k.Add(ctx)) // adding no keys is no error
	must(t, k.SetState(ctx, "k2", store.KeyActive))
	must(t, k.SetState(ctx, "k2", store.KeyRetired))
	must(t, k.SetState(ctx, "k1", store.KeyRevoked))
	must(t, k.SetState(ctx, "k1", store.KeyRevoked)) // repeating it is no error
	checkCode(t, "removing a revoked key", k.Remove(ctx, "k1"), playlists.NotFound)
	checkCode(t, "removing an unknown key", k.Remove(ctx, "k9"), playlists.NotFound)
	checkCode(t, "out of revocation", k.SetState(ctx, "k1", store.KeyActive), playlists.Conflict)
	checkCode(t, "unknown key", k.SetState(ctx, "k9", store.KeyActive), playlists.NotFound)
	checkCode(t, "unknown state", k.SetState(ctx, "k2", "lost"), playlists.Invalid)

	all, err := k.List(ctx)
	must(t, err)
	want := []store.Key{key("k3", "alerts", 30), key("k0", "program", 10), key("k1", "program", 20),
		key("k2", "program", 20)}
	want[2].State, want[3].State = store.KeyRevoked, store.KeyRetired
	if len(all) != len(want) {
		t.Fatalf("%d keys, want %d", len(all), len(want))
	}
	for i, w := range want {
		g := all[i]
		if g.KID != w.KID || g.Role != w.Role || !bytes.Equal(g.Seed, w.Seed) || g.Nbf != w.Nbf || g.Exp != w.Exp ||
			g.State != w.State {
			t.Errorf("key %d is %+v, want %+v", i, g, w)
		}
	}
}

func keyAddAllOrNone(t *testing.T, open Opener) {
	ctx, k := t.Context(), opened(t, open).Keys()
	must(t, k.Add(ctx, key("k1", "program", 0)))
	checkCode(t, "a known key among new ones", k.Add(ctx, key("k2", "program", 0), key("k1", "program", 0)),
		playlists.Conflict)
	all, err := k.List(ctx)
	must(t, err)
	if len(all) != 1 {
		t.Errorf("%d keys after a refused Add, want 1", len(all))
	}
}

func keyBad(t *testing.T, open Opener) {
	ctx, k := t.Context(), opened(t, open).Keys()
	for name, change := range map[string]func(*store.Key){
		"no kid":       func(k *store.Key) { k.KID = "" },
		"no role":      func(k *store.Key) { k.Role = "" },
		"short seed":   func(k *store.Key) { k.Seed = k.Seed[:31] },
		"no life":      func(k *store.Key) { k.Exp = k.Nbf },
		"negative nbf": func(k *store.Key) { k.Nbf = -1 },
		"no state":     func(k *store.Key) { k.State = "" },
	} {
		x := key("k1", "program", 5)
		change(&x)
		checkCode(t, name, k.Add(ctx, x), playlists.Invalid)
	}
}

func keySet(t *testing.T, open Opener) {
	ctx, k := t.Context(), opened(t, open).Keys()
	_, err := k.Set(ctx)
	checkCode(t, "before the first", err, playlists.NotFound)
	root, spare := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	put := func(epoch, seq int64, jws string, roots ...[]byte) error {
		return k.PutSet(ctx, store.KeySet{Epoch: epoch, Seq: seq, JWS: []byte(jws), Roots: roots})
	}
	must(t, put(0, 5, "a", root))
	must(t, put(0, 5, "a", root, spare)) // the same set, one more root
	must(t, put(0, 6, "b", root, spare))
	for _, s := range []struct {
		epoch, seq int64
		jws        string
	}{{0, 5, "a"}, {0, 6, "c"}, {0, 0, "b"}} {
		checkCode(t, "a set that does not rise", put(s.epoch, s.seq, s.jws, root), playlists.Conflict)
	}
	must(t, put(1, 2, "d", root, spare)) // seq may be lower in a new epoch
	checkCode(t, "an older epoch", put(0, 900, "e", root), playlists.Conflict)
	checkCode(t, "no document", put(1, 3, "", root), playlists.Invalid)
	checkCode(t, "a short root", put(1, 3, "f", root[:5]), playlists.Invalid)
	checkCode(t, "a negative seq", put(1, -3, "f", root), playlists.Invalid)
	checkCode(t, "a negative epoch", put(-1, 3, "f", root), playlists.Invalid)
	got, err := k.Set(ctx)
	must(t, err)
	if got.Epoch != 1 || got.Seq != 2 || string(got.JWS) != "d" || len(got.Roots) != 2 ||
		!bytes.Equal(got.Roots[0], root) || !bytes.Equal(got.Roots[1], spare) {
		t.Errorf("got %+v", got)
	}
}
