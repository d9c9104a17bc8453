package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"ledcast/playlists"
)

// Bounds of a password in characters. NIST SP 800-63B asks for length, not for
// kinds of characters.
const (
	MinPassword = 12
	MaxPassword = 128
)

// Cost of a password's hash: OWASP's 19 MiB and two passes. RFC 9106's second
// choice takes 64 MiB; a burst of sign-ins would then take the memory that signs
// need. Each hash contains its cost, so the cost may rise later.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
)

// CheckPassword returns an *Error of code Invalid for a password that is too short,
// too long or easy to guess.
func CheckPassword(user, password string) error {
	e := &playlists.Error{Code: playlists.Invalid, Field: "password"}
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		e.Key = "password-not-utf8"
	case n < MinPassword || n > MaxPassword:
		e.Key, e.Args = "password-length", []any{n, MinPassword, MaxPassword}
	case strings.Contains(strings.ToLower(password), user):
		e.Key = "password-is-login-name"
	case strings.Count(password, password[:1]) == len(password):
		e.Key = "password-one-character"
	default:
		return nil
	}
	return e
}

// hashPassword returns an argon2id hash as a PHC string.
func hashPassword(password string) string {
	var salt [16]byte
	_, _ = rand.Read(salt[:]) // never fails: crypto/rand.Read panics instead
	sum := argon2.IDKey([]byte(password), salt[:], argonTime, argonMemory, argonThreads, 32)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt[:]), b64.EncodeToString(sum))
}

// verifyPassword reports whether phc is a hash of password.
func verifyPassword(phc, password string) bool {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	var version int
	var memory, time uint32
	var threads uint8
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads); err != nil || memory > 1<<20 ||
		time == 0 || time > 16 || threads == 0 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(sum) != 32 {
		return false
	}
	return subtle.ConstantTimeCompare(argon2.IDKey([]byte(password), salt, time, memory, threads, 32), sum) == 1
}
