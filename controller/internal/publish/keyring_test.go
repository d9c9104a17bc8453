package publish

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ledcast/sign/wire"
)

type memoryKeys struct {
	keys []SigningKey
	set  *SignedSet
}

func (m *memoryKeys) Keys(context.Context) ([]SigningKey, error) { return slices.Clone(m.keys), nil }
func (m *memoryKeys) AddKeys(_ context.Context, k []SigningKey) error {
	m.keys = append(m.keys, k...)
	return nil
}
func (m *memoryKeys) Remove(_ context.Context, kid string) error {
	m.keys = slices.DeleteFunc(m.keys, func(k SigningKey) bool { return KID(k) == kid && k.State == Retired })
	return nil
}

func (m *memoryKeys) SetState(_ context.Context, kid string, state KeyState) error {
	for i := range m.keys {
		if wire.KeyID(public(m.keys[i].Key)) == kid {
			m.keys[i].State = state
		}
	}
	return nil
}
func (m *memoryKeys) Set(context.Context) (*SignedSet, error) { return m.set, nil }
func (m *memoryKeys) PutSet(_ context.Context, s SignedSet) error {
	m.set = &s
	return nil
}

func TestKeyring(t *testing.T) {
	store, dir := &memoryKeys{}, filepath.Join(t.TempDir(), "root")
	begin := time.Unix(1_767_200_400, 0)
	k, err := OpenKeyring(t.Context(), store, dir, begin)
	if err != nil {
		t.Fatal(err)
	}
	root, spare := k.Roots()
	roots := wire.Roots{Root: root, Spare: spare}
	set, _, _, err := wire.OpenKeys(k.KeySet(), roots, nil, "", wire.Clock{NowMS: begin.UnixMilli(), Trusted: true})
	if err != nil {
		t.Fatalf("a sign refuses the first key set: %v", err)
	}
	for _, role := range onlineRoles {
		key, epoch, err := k.Signer(role)
		if err != nil || epoch != set.Epoch {
			t.Fatalf("%s: epoch %d of %d, %v", role, epoch, set.Epoch, err)
		}
		if _, err := set.Find(wire.KeyID(public(key)), role, wire.Clock{NowMS: begin.UnixMilli(),
			Trusted: true}); err != nil {
			t.Errorf("the key for %s is not in the set: %v", role, err)
		}
	}
	for _, name := range []string{"root.key", "root-spare.key"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}

	// A restart changes nothing. Past half its life the set is renewed, and signs
	// accept it.
	again, err := OpenKeyring(t.Context(), store, dir, begin.Add(201*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	did, err := again.RenewDue(t.Context(), store, begin.Add(199*24*time.Hour))
	if err != nil || did || string(again.KeySet()) != string(k.KeySet()) {
		t.Fatalf("the key set changed at a restart: %v", err)
	}
	later := begin.Add(201 * 24 * time.Hour)
	renewed, err := OpenKeyring(t.Context(), store, dir, later)
	if err != nil {
		t.Fatal(err)
	}
	if did, err := renewed.RenewDue(t.Context(), store, later); err != nil || !did {
		t.Fatalf("past half its life the set is renewed: %v, %v", did, err)
	}
	if _, _, repeat, err := wire.OpenKeys(renewed.KeySet(), roots, set, wire.Digest(k.KeySet()),
		wire.Clock{NowMS: later.UnixMilli(), Trusted: true}); err != nil || repeat {
		t.Errorf("the renewed set: repeat %v, %v", repeat, err)
	}

	// Without the root key the set is not renewed.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	away, err := OpenKeyring(t.Context(), store, dir, later.Add(201*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if did, err := away.RenewDue(t.Context(), store, later.Add(201*24*time.Hour)); err != nil || did {
		t.Errorf("without the root: renewed %v, %v", did, err)
	}
	if away.RootsHere() || string(away.KeySet()) != string(renewed.KeySet()) {
		t.Error("without the root the key set changed, or RootsHere reports true")
	}
	if left := away.Ends().Sub(later.Add(201 * 24 * time.Hour)); left > 200*24*time.Hour || left < 198*24*time.Hour {
		t.Errorf("the set ends in %v", left)
	}
}

func TestRotation(t *testing.T) {
	store, dir := &memoryKeys{}, t.TempDir()
	now := time.Unix(1_767_200_400, 0)
	k, err := OpenKeyring(t.Context(), store, dir, now)
	if err != nil {
		t.Fatal(err)
	}
	old, _, _ := k.Signer(wire.RoleProgram)
	root, err := ReadRoot(filepath.Join(dir, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Rotate(t.Context(), store, old, now); err == nil {
		t.Error("an online key rotated the keys")
	}
	if err := k.Rotate(t.Context(), store, root, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := k.Rotate(t.Context(), store, root, now.Add(time.Hour)); err == nil {
		t.Error("a second rotation began before the first was over")
	}
	// A restart continues the rotation.
	if k, err = OpenKeyring(t.Context(), store, dir, now.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if key, _, _ := k.Signer(wire.RoleProgram); !key.Equal(old) {
		t.Error("the new key signs before signs have the set")
	}
	if did, err := k.Promote(t.Context(), store, func(int64, int64) bool { return false }); did || err != nil {
		t.Errorf("promoted without the signs: %v", err)
	}
	if did, err := k.Promote(t.Context(), store, func(int64, int64) bool { return true }); !did || err != nil {
		t.Fatalf("not promoted: %v", err)
	}
	key, _, err := k.Signer(wire.RoleProgram)
	if err != nil || key.Equal(old) {
		t.Errorf("the old key still signs, %v", err)
	}
	set, err := wire.StoredKeys(k.KeySet())
	if err != nil || len(set.Keys) != 2*len(onlineRoles) {
		t.Errorf("%d keys in the set, %v", len(set.Keys), err)
	}
	// What the old keys signed expires after 8 days: the next renewal drops them.
	if err := k.Renew(t.Context(), store, root, now.Add(10*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if set, err = wire.StoredKeys(k.KeySet()); err != nil || len(set.Keys) != len(onlineRoles) {
		t.Errorf("%d keys after the renewal, %v", len(set.Keys), err)
	}
	// They do not come back after a restart.
	if k, err = OpenKeyring(t.Context(), store, dir, now.Add(11*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := k.Rotate(t.Context(), store, root, now.Add(12*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if set, err = wire.StoredKeys(k.KeySet()); err != nil || len(set.Keys) != 2*len(onlineRoles) {
		t.Errorf("%d keys after the next rotation, %v", len(set.Keys), err)
	}
}
