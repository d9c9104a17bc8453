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

// KeyState is the state of a key in its life cycle.
type KeyState string

const (
	Next    KeyState = "next"    // in the key set, but not used until signs have it
	Active  KeyState = "active"  // signs documents
	Retired KeyState = "retired" // in the key set for the documents that it signed
	Revoked KeyState = "revoked" // signs drop what it signed
)

// SignedSet is a signed key set with the public root keys that signs were
// enrolled with.
type SignedSet struct {
	Epoch, Seq  int64
	JWS         []byte
	Root, Spare ed25519.PublicKey
}

// KeyStore stores keys and the key set.
type KeyStore interface {
	Keys(ctx context.Context) ([]SigningKey, error)
	AddKeys(ctx context.Context, keys []SigningKey) error
	SetState(ctx context.Context, kid string, state KeyState) error
	// Remove deletes a retired key.
	Remove(ctx context.Context, kid string) error
	// Set returns nil before the first key set.
	Set(ctx context.Context) (*SignedSet, error)
	PutSet(ctx context.Context, set SignedSet) error
}

// WarnBefore is how long before the key set expires the controller warns.
const WarnBefore = 60 * 24 * time.Hour

// Keyring holds the controller's signing keys. It reads a root key only to sign
// a key set, because root keys belong off this machine.
type Keyring struct {
	mu   sync.Mutex
	set  SignedSet
	exp  int64
	keys []SigningKey
	dir  string
}

// onlineRoles each have their own key, so that a stolen key can sign only one
// kind of document.
var onlineRoles = []string{wire.RoleProgram, wire.RoleAlerts, wire.RoleAlertsTest, wire.RoleRequest}

// OpenKeyring loads the keys. On the first start it creates the two root keys in
// rootDir (mode 0600), the online keys and the first key set. It does not renew
// the key set; RenewDue does.
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

// RenewDue renews the key set past half its life if the root key is on this machine. It reports whether it did.
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

// sign signs a key set of the current keys and stores it.
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

// KeySet returns the signed key set in force.
func (k *Keyring) KeySet() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set.JWS
}

// Roots returns the public root keys that signs are enrolled with.
func (k *Keyring) Roots() (root, spare ed25519.PublicKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set.Root, k.set.Spare
}

// Ends returns when the key set expires. The controller cannot publish after that.
func (k *Keyring) Ends() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Unix(k.exp, 0)
}

// RootsHere reports whether the private key of a root is still on this machine.
func (k *Keyring) RootsHere() bool {
	for _, name := range []string{"root.key", "root-spare.key"} {
		if _, err := os.Stat(filepath.Join(k.dir, name)); err == nil {
			return true
		}
	}
	return false
}

// Signer returns the active key of a role and the epoch of its key set.
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

// Keys returns the online keys.
func (k *Keyring) Keys() []SigningKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.keys)
}

// Seq returns the epoch and sequence number of the key set in force.
func (k *Keyring) Seq() (epoch, seq int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set.Epoch, k.set.Seq
}

// Renew signs the key set again with a root key, for another 400 days. It drops
// retired keys once everything that they signed has expired.
func (k *Keyring) Renew(ctx context.Context, store KeyStore, root ed25519.PrivateKey, now time.Time) error {
	if err := k.checkRoot(root); err != nil {
		return err
	}
	old, err := wire.StoredKeys(k.set.JWS)
	if err != nil {
		return err
	}
	var over []string
	if now.Unix()-old.Iat > wire.LifeProgram {
		k.keys = slices.DeleteFunc(k.keys, func(s SigningKey) bool {
			if s.State == Retired {
				over = append(over, KID(s))
			}
			return s.State == Retired
		})
	}
	if err := k.sign(ctx, store, root, k.set.Root, k.set.Spare, k.set.Epoch, k.set.Seq, now); err != nil {
		return err
	}
	for _, kid := range over { // or the next start would list them again
		if err := store.Remove(ctx, kid); err != nil {
			return err
		}
	}
	return nil
}

// Rotate adds a new key for every role to the key set. Promote activates the
// new keys once signs have the set. See docs/protocol.md, Signed documents.
func (k *Keyring) Rotate(ctx context.Context, store KeyStore, root ed25519.PrivateKey, now time.Time) error {
	if err := k.checkRoot(root); err != nil {
		return err
	}
	for _, s := range k.keys {
		if s.State == Next {
			return errors.New("a rotation is in progress and its new keys are not in use yet; " +
				"start the controller and wait until the signs have the new keys")
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

// Promote activates the new keys of a rotation and retires the old ones, if
// taken reports that signs have the set. It reports whether it did.
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

// checkRoot returns an error for a root key that is not this installation's.
func (k *Keyring) checkRoot(root ed25519.PrivateKey) error {
	if pub := public(root); !pub.Equal(k.set.Root) && !pub.Equal(k.set.Spare) {
		return fmt.Errorf("the root key %s is not one of this installation's two; give the file root.key that "+
			"the first start created", wire.KeyID(pub))
	}
	return nil
}

// ReadRoot reads the file of a root key.
func ReadRoot(path string) (ed25519.PrivateKey, error) {
	return readRoot(filepath.Dir(path), filepath.Base(path))
}

// RootKey is the private key of a root.
type RootKey = ed25519.PrivateKey

// KID returns the id of a key.
func KID(s SigningKey) string { return wire.KeyID(public(s.Key)) }

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// makeRoot writes a new root key. It never replaces an existing one, because
// signs are enrolled with it.
func makeRoot(dir, name string) (ed25519.PrivateKey, error) {
	if key, err := readRoot(dir, name); err == nil {
		return key, nil // an interrupted first start created it
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
