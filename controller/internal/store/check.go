package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"ledcast/playlists"
)

// MaxInteger is the largest number allowed on the wire (docs/protocol.md, Names), 2^53-1. A reader that parses numbers
// as doubles still gets the exact value.
const MaxInteger = 1<<53 - 1

// SeedSize and RootSize are the sizes in bytes of an Ed25519 seed and of an Ed25519 public key.
const (
	SeedSize = 32
	RootSize = 32
)

// Path returns the name of an object for use in errors, e.g. "message/viet-ads/bluezone-1".
func (o *Object) Path() string {
	if o.Owner == "" {
		return o.Kind + "/" + o.ID
	}
	return o.Kind + "/" + o.Owner + "/" + o.ID
}

// Validate returns a *playlists.Error with code Invalid if the object's names or data cannot be stored.
func (o *Object) Validate() error {
	if err := o.checkName(); err != nil {
		return err
	}
	if !json.Valid(o.Data) {
		return invalid(o.Path(), string(o.Data), "value-not-json")
	}
	return nil
}

func (o *Object) checkName() error {
	if err := checkText("kind", o.Kind, false); err != nil {
		return err
	}
	if err := checkText(o.Kind+".owner", o.Owner, true); err != nil {
		return err
	}
	if o.Owner == AllOwners {
		return invalid(o.Kind+".owner", o.Owner, "owner-all-not-allowed")
	}
	return checkText(o.Kind+".id", o.ID, false)
}

// Validate returns a *playlists.Error with code Invalid if the key cannot be stored.
func (k *Key) Validate() error {
	if err := checkText("keys.kid", k.KID, false); err != nil {
		return err
	}
	where := "keys/" + k.KID
	if err := checkText(where+".role", k.Role, false); err != nil {
		return err
	}
	if len(k.Seed) != SeedSize {
		return invalid(where+".seed", "", "seed-length", len(k.Seed))
	}
	if err := checkSpan(where, k.Nbf, k.Exp); err != nil {
		return err
	}
	return k.State.Validate()
}

// Validate returns a *playlists.Error with code Invalid if the state is unknown.
func (s KeyState) Validate() error {
	switch s {
	case KeyNext, KeyActive, KeyRetired, KeyRevoked:
		return nil
	}
	return invalid("keys.state", string(s), "key-state-unknown")
}

// Validate returns a *playlists.Error with code Invalid if the key set cannot be stored.
func (s *KeySet) Validate() error {
	if err := checkInteger("key-set.epoch", s.Epoch); err != nil {
		return err
	}
	if err := checkInteger("key-set.seq", s.Seq); err != nil {
		return err
	}
	if len(s.JWS) == 0 {
		return invalid("key-set.jws", "", "key-set-empty")
	}
	for i, r := range s.Roots {
		if len(r) != RootSize {
			return invalid(fmt.Sprintf("key-set.roots[%d]", i), "", "public-key-length", len(r))
		}
	}
	return nil
}

// CheckDraft returns a *playlists.Error with code Invalid if the draft cannot be issued.
func CheckDraft(d *playlists.Draft) error {
	if err := CheckSubject(d.Role, d.Subject, d.Epoch, d.IatMS); err != nil {
		return err
	}
	if err := checkText(d.Role+"/"+d.Subject+".digest", d.Digest, true); err != nil {
		return err
	}
	if d.Notes != nil && !json.Valid(d.Notes) {
		return invalid(d.Role+"/"+d.Subject+".notes", string(d.Notes), "options-not-json")
	}
	return checkSpan(d.Role+"/"+d.Subject, d.IatMS/1000, d.Exp)
}

// CheckRecord returns a *playlists.Error with code Invalid if the play record cannot be stored.
func CheckRecord(r *playlists.PlayRecord) error {
	if err := checkText("play_records.sign", r.Sign, false); err != nil {
		return err
	}
	where := "play_records/" + r.Sign
	for _, s := range []string{r.Chain, r.Digest} {
		if err := checkText(where, s, true); err != nil {
			return err
		}
	}
	for _, n := range []int64{r.N, r.FromMS, r.UntilMS} {
		if err := checkInteger(where, n); err != nil {
			return err
		}
	}
	for _, p := range r.Plays {
		for _, s := range []string{p.Item, p.Campaign, p.Frame, p.Why} {
			if err := checkText(where+".plays", s, true); err != nil {
				return err
			}
		}
		for _, n := range []int64{p.Count, p.MS} {
			if err := checkInteger(where+".plays", n); err != nil {
				return err
			}
		}
	}
	return nil
}

// CheckSubject returns a *playlists.Error with code Invalid if an argument of NextSeqs cannot be stored or is not
// in the range 0 to MaxInteger.
func CheckSubject(role, subject string, epoch, iatMS int64) error {
	if err := checkText("role", role, false); err != nil {
		return err
	}
	where := role + "/" + subject
	if err := checkText(role+".subject", subject, false); err != nil {
		return err
	}
	if err := checkInteger(where+".epoch", epoch); err != nil {
		return err
	}
	return checkInteger(where+".iat_ms", iatMS)
}

// CheckTopic returns a *playlists.Error with code Invalid if the topic cannot be stored.
func CheckTopic(topic string, unwantedMS int64) error {
	if err := checkText("topics.topic", topic, false); err != nil {
		return err
	}
	return checkInteger("topics/"+topic, unwantedMS)
}

// CheckName returns a *playlists.Error with code Invalid if s cannot be stored as a name, such as that of a sign or
// of a setting.
func CheckName(field, s string) error { return checkText(field, s, false) }

// CheckValue is like CheckName, for a text that may be empty and may be longer than a name.
func CheckValue(field, s string) error { return checkText(field, s, true) }

// maxName is the length limit of a name, in bytes. Three names must fit into one entry of a PostgreSQL index.
const maxName = 512

// checkText rejects what PostgreSQL would reject: NUL, invalid UTF-8, and names too long for an index. SQLite
// accepts all of these, but its database could then not be moved to PostgreSQL.
func checkText(field, s string, mayBeEmpty bool) error {
	switch {
	case s == "" && !mayBeEmpty:
		return invalid(field, s, "name-missing")
	case !mayBeEmpty && len(s) > maxName:
		return invalid(field, s, "name-too-long", maxName)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return invalid(field, fmt.Sprintf("%x", s), "name-not-utf8")
	}
	return nil
}

func checkSpan(where string, from, until int64) error {
	if err := checkInteger(where, from); err != nil {
		return err
	}
	if err := checkInteger(where+".exp", until); err != nil {
		return err
	}
	if until <= from {
		return invalid(where+".exp", fmt.Sprint(until), "play-not-after-start", from)
	}
	return nil
}

func checkInteger(field string, n int64) error {
	if n < 0 || n > MaxInteger {
		return invalid(field, fmt.Sprint(n), "time-out-of-range")
	}
	return nil
}

func invalid(field, value string, key playlists.TextKey, args ...any) error {
	return &playlists.Error{Code: playlists.Invalid, Field: field, Value: value, Key: key, Args: args}
}
