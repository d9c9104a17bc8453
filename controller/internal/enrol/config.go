package enrol

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"ledcast/controller/internal/broker"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/sign/box"
	"ledcast/sign/wire"
)

// Config returns a sign's configuration without its password.
func (f *Fleet) Config(ctx context.Context, s *playlists.Sign) (box.Config, error) {
	all, err := f.o.Catalogue.Snapshot(ctx)
	if err != nil {
		return box.Config{}, err
	}
	root, spare := f.o.Roots()
	conf := box.Config{Sign: s.ID, Class: s.Class.String(), Mode: string(playlists.ModeProgram), Test: s.Test,
		Areas:  all.Successions().Extend(s.Areas),
		Broker: f.o.Broker, Username: s.ID, CA: f.o.CA, Root: wire.EncodeKey(root), RootSpare: wire.EncodeKey(spare)}
	if s.Picture() {
		conf.Mode = string(playlists.ModePicture)
	}
	return conf, nil
}

// Password returns a new password of 256 random bits, in hex.
func Password() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand.Read panics instead
	return hex.EncodeToString(b[:])
}

// SetPassword sets a sign's password. It stores only hashes of it.
func (f *Fleet) SetPassword(ctx context.Context, s *playlists.Sign, password string) error {
	hash := sha256.Sum256([]byte(password))
	verifiers, err := broker.Verifiers(password)
	if err != nil {
		return err
	}
	err = f.o.Store.Credentials().Set(ctx, store.Credential{Sign: s.ID, SHA256: hash,
		CreatedMS: f.o.Now().UnixMilli(), Verifiers: verifiers})
	if err != nil {
		return err
	}
	f.o.Accounts.Put(s, hash)
	return nil
}

// CheckPassword reports whether password is the sign's password.
func (f *Fleet) CheckPassword(sign, password string) bool {
	acc, ok := f.o.Accounts.Account(sign)
	return ok && acc.PasswordSHA256 == sha256.Sum256([]byte(password))
}

// Dismiss deletes a removed sign's password and closes its connection. The account in memory is removed even after
// an error.
func (f *Fleet) Dismiss(ctx context.Context, sign string) error {
	err := f.o.Store.Credentials().Remove(ctx, sign)
	f.o.Accounts.Remove(sign)
	f.disconnect(sign)
	if err != nil && !playlists.IsNotFound(err) {
		return fmt.Errorf("cannot remove the credential of sign %s: %w", sign, err)
	}
	return nil
}

// Changed updates the account of a sign after a change of its owner, class or test mode.
func (f *Fleet) Changed(ctx context.Context, s *playlists.Sign) error {
	c, err := f.o.Store.Credentials().Get(ctx, s.ID)
	if playlists.IsNotFound(err) {
		return nil // the sign has no password yet
	}
	if err == nil {
		f.o.Accounts.Put(s, c.SHA256)
	}
	return errors.Join(err)
}

func (f *Fleet) disconnect(sign string) {
	if f.o.Disconnect != nil {
		f.o.Disconnect(sign)
	}
}
