package publish

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"ledcast/sign/wire"
)

// SigningKey is one of the controller's online keys.
type SigningKey struct {
	Role     string
	Key      ed25519.PrivateKey
	Nbf, Exp int64 // Unix seconds
	State    KeyState
}

// KeyState is where a key is in its life.
type KeyState string

const (
	Next    KeyState = "next"    // listed, and not yet used: signs have to know it first
	Active  KeyState = "active"  // signs
	Retired KeyState = "retired" // listed for what it signed
	Revoked KeyState = "revoked" // what it signed is dropped
)

// SignedSet is a key set as it was signed, with the public roots that signs
// were enrolled with.
type SignedSet struct {
	Epoch, Seq  int64
	JWS         []byte
	Root, Spare ed25519.PublicKey
}

// KeyStore keeps keys and the key set.
type KeyStore interface {
	Keys(ctx context.Context) ([]SigningKey, error)
	AddKeys(ctx context.Context, keys []SigningKey) error
	SetState(ctx context.Context, kid string, state KeyState) error
	// Set returns nil before the first.
	Set(ctx context.Context) (*SignedSet, error)
	PutSet(ctx context.Context, set SignedSet) error
}

// WarnBefore is how long before the key set's end the controller warns.
const WarnBefore = 60 * 24 * time.Hour

// Keyring holds what the controller signs with. The roots are in it only while
// a set is being made: their place is off this machine.
type Keyring struct {
	mu   sync.Mutex
	set  SignedSet
	exp  int64
	keys []SigningKey
	dir  string
}

// onlineRoles each have a key of their own, so that one stolen key opens one
// door.
var onlineRoles = []string{wire.RoleProgram, wire.RoleAlerts, wire.RoleAlertsTest, wire.RoleRequest}

// OpenKeyring reads the keys. On the first start it makes the two roots in
// rootDir (mode 0600), the online keys and the first key set. It renews nothing:
// see RenewDue.
func OpenKeyring(ctx context.Context, store KeyStore, rootDir string, now time.Time) (*Keyring, error) {
	k := &Keyring{dir: rootDir}
	set, err := store.Set(ctx)
	if err != nil {
		return nil, err
	}
	if set == nil {
		if err := k.begin(ctx, store, now); err != nil {
			return nil, err
		}
		return k, nil
	}
	if k.keys, err = store.Keys(ctx); err != nil {
		return nil, err
	}
	if err := k.use(*set); err != nil {
		return nil, err
	}
	return k, nil
}

// RenewDue renews a set that is past half its life, if the root is here. It reports whether it did.
func (k *Keyring) RenewDue(ctx context.Context, store KeyStore, now time.Time) (bool, error) {
	k.mu.Lock()
	set, due := k.set, now.Unix() > k.exp-wire.LifeKeys/2
	k.mu.Unlock()
	if !due {
		return false, nil
	}
	root, err := readRoot(k.dir, "root.key")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, k.sign(ctx, store, root, set.Root, set.Spare, set.Epoch, set.Seq, now)
}

func (k *Keyring) begin(ctx context.Context, store KeyStore, now time.Time) error {
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return fmt.Errorf("the roots' folder: %w", err)
	}
	root, err := makeRoot(k.dir, "root.key")
	if err != nil {
		return err
	}
	spare, err := makeRoot(k.dir, "root-spare.key")
	if err != nil {
		return err
	}
	for _, role := range onlineRoles {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		k.keys = append(k.keys, newKey(role, key, Active, now))
	}
	if err := store.AddKeys(ctx, k.keys); err != nil {
		return err
	}
	return k.sign(ctx, store, root, public(root), public(spare), 1, 0, now)
}

// sign makes a key set of the present keys and keeps it.
func (k *Keyring) sign(ctx context.Context, store KeyStore, root ed25519.PrivateKey, pub, spare ed25519.PublicKey,
	epoch, lastSeq int64, now time.Time) error {
	set := wire.KeySet{Header: wire.NewHeader(wire.RoleKeys, epoch, max(lastSeq+1, now.UnixMilli()), now.Unix(),
		wire.LifeKeys), Revoked: []string{}}
	k.mu.Lock()
	for i := range k.keys {
		s := &k.keys[i]
		kid := wire.KeyID(public(s.Key))
		if s.State == Revoked {
			set.Revoked = append(set.Revoked, kid)
			continue
		}
		s.Exp = now.Unix() + wire.LifeKeys
		set.Keys = append(set.Keys, wire.Key{Kid: kid, Role: s.Role, X: wire.EncodeKey(public(s.Key)),
			Nbf: s.Nbf, Exp: s.Exp})
	}
	k.mu.Unlock()
	jws, err := wire.Seal(root, wire.TypKeys, set)
	if err != nil {
		return err
	}
	signed := SignedSet{Epoch: epoch, Seq: set.Seq, JWS: jws, Root: pub, Spare: spare}
	if err := store.PutSet(ctx, signed); err != nil {
		return err
	}
	return k.use(signed)
}

func (k *Keyring) use(set SignedSet) error {
	read, err := wire.StoredKeys(set.JWS)
	if err != nil {
		return fmt.Errorf("the stored key set cannot be read: %w; restore the database from a backup", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.set, k.exp = set, read.Exp
	return nil
}

// KeySet is the signed key set in force.
func (k *Keyring) KeySet() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set.JWS
}

// Roots are the public keys that a sign is enrolled with.
func (k *Keyring) Roots() (root, spare ed25519.PublicKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set.Root, k.set.Spare
}

// Ends is when the key set ends: the controller cannot publish past it.
func (k *Keyring) Ends() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Unix(k.exp, 0)
}

// RootsHere reports whether a root's private key still lies on this machine.
func (k *Keyring) RootsHere() bool {
	for _, name := range []string{"root.key", "root-spare.key"} {
		if _, err := os.Stat(filepath.Join(k.dir, name)); err == nil {
			return true
		}
	}
	return false
}

// Signer is the key that signs for role, and the epoch of its key set.
func (k *Keyring) Signer(role string) (ed25519.PrivateKey, int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.keys {
		if s := &k.keys[i]; s.Role == role && s.State == Active {
			return s.Key, k.set.Epoch, nil
		}
	}
	return nil, 0, fmt.Errorf("no active key signs for %s; run `controller keys rotate`", role)
}

func newKey(role string, key ed25519.PrivateKey, state KeyState, now time.Time) SigningKey {
	return SigningKey{Role: role, Key: key, Nbf: now.Unix() - wire.Early, Exp: now.Unix() + wire.LifeKeys, State: state}
}

// Keys lists the online keys.
func (k *Keyring) Keys() []SigningKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.keys)
}

// Seq is the epoch and sequence number of the key set in force.
func (k *Keyring) Seq() (epoch, seq int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set.Epoch, k.set.Seq
}

// Renew signs the key set anew with a root's private key, for another 400
// days. Retired keys leave it once nothing that they signed can still be in
// force.
func (k *Keyring) Renew(ctx context.Context, store KeyStore, root ed25519.PrivateKey, now time.Time) error {
	if err := k.checkRoot(root); err != nil {
		return err
	}
	old, err := wire.StoredKeys(k.set.JWS)
	if err != nil {
		return err
	}
	if now.Unix()-old.Iat > wire.LifeProgram {
		k.keys = slices.DeleteFunc(k.keys, func(s SigningKey) bool { return s.State == Retired })
	}
	return k.sign(ctx, store, root, k.set.Root, k.set.Spare, k.set.Epoch, k.set.Seq, now)
}

// Rotate lists a new key for every role beside the present ones (PROTOCOL:
// publish old and new; wait for status.keys; sign with the new). Promote makes
// the second step once signs have the set.
func (k *Keyring) Rotate(ctx context.Context, store KeyStore, root ed25519.PrivateKey, now time.Time) error {
	if err := k.checkRoot(root); err != nil {
		return err
	}
	for _, s := range k.keys {
		if s.State == Next {
			return errors.New("a rotation is under way: its new keys are not used yet; start the controller and let the signs take them")
		}
	}
	var fresh []SigningKey
	for _, role := range onlineRoles {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		fresh = append(fresh, newKey(role, key, Next, now))
	}
	if err := store.AddKeys(ctx, fresh); err != nil {
		return err
	}
	k.keys = append(k.keys, fresh...)
	return k.sign(ctx, store, root, k.set.Root, k.set.Spare, k.set.Epoch, k.set.Seq, now)
}

// Promote lets the new keys of a rotation sign, and retires the old ones, if
// taken says that signs have the set. It reports whether it did.
func (k *Keyring) Promote(ctx context.Context, store KeyStore, taken func(epoch, seq int64) bool) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next := map[string]bool{}
	for _, s := range k.keys {
		if s.State == Next {
			next[s.Role] = true
		}
	}
	if len(next) == 0 || !taken(k.set.Epoch, k.set.Seq) {
		return false, nil
	}
	for i := range k.keys {
		s := &k.keys[i]
		to := s.State
		switch {
		case s.State == Active && next[s.Role]:
			to = Retired
		case s.State == Next:
			to = Active
		}
		if to == s.State {
			continue
		}
		if err := store.SetState(ctx, wire.KeyID(public(s.Key)), to); err != nil {
			return false, err
		}
		s.State = to
	}
	return true, nil
}

// checkRoot refuses a key that no sign was enrolled with.
func (k *Keyring) checkRoot(root ed25519.PrivateKey) error {
	if pub := public(root); !pub.Equal(k.set.Root) && !pub.Equal(k.set.Spare) {
		return fmt.Errorf("the root key %s is none of this installation's two; give the file root.key that its first start made", wire.KeyID(pub))
	}
	return nil
}

// ReadRoot reads a root key's file.
func ReadRoot(path string) (ed25519.PrivateKey, error) {
	return readRoot(filepath.Dir(path), filepath.Base(path))
}

// RootKey is a root's private key.
type RootKey = ed25519.PrivateKey

// KID is a key's name.
func KID(s SigningKey) string { return wire.KeyID(public(s.Key)) }

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// makeRoot writes a new root key. It never replaces one: signs are enrolled
// with it.
func makeRoot(dir, name string) (ed25519.PrivateKey, error) {
	if key, err := readRoot(dir, name); err == nil {
		return key, nil // an earlier first start was cut short here
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	_, err = f.WriteString(wire.EncodeKey(key.Seed()) + "\n")
	return key, errors.Join(err, f.Sync(), f.Close())
}

func readRoot(dir, name string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	seed, err := wire.DecodeKey(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s holds no root key: one line of 43 base64url characters", filepath.Join(dir, name))
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
