package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
)

// Values of a header's typ.
const (
	TypKeys       = "ledcast-keys"
	TypProgram    = "ledcast-program"
	TypAlerts     = "ledcast-alerts"
	TypAlertsTest = "ledcast-alerts-test"
	TypRequest    = "ledcast-request"
	TypPlayed     = "ledcast-played"
)

// b64 is base64url without padding. Strict: unused bits must be zero, or
// sixteen different last characters of a signature would be the same to us.
// The decoder skips CR and LF even so; splitStrict checks for these.
var b64 = base64.RawURLEncoding.Strict()

// EncodeKey writes 32 bytes as config files and key sets hold them.
func EncodeKey(raw []byte) string { return b64.EncodeToString(raw) }

// DecodeKey reads what EncodeKey writes, strictly.
func DecodeKey(s string) (ed25519.PublicKey, error) {
	raw, err := decodeStrict([]byte(s))
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("a public key is 32 bytes as base64url without padding; this is not: %q", s)
	}
	return raw, nil
}

// KeyID is the kid of a public key: the first 16 hex digits of its SHA-256.
func KeyID(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return hex.EncodeToString(sum[:8])
}

// Digest is the lower-case hex SHA-256 of b.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func header(kid, typ string) []byte {
	return []byte(`{"alg":"Ed25519","kid":"` + kid + `","typ":"` + typ + `"}`)
}

// Seal signs payload, which is marshalled as JSON, and returns the compact
// JWS. It refuses a document over MaxDocument by name, because a broker that
// rejects a packet makes the client resend it for ever.
func Seal(key ed25519.PrivateKey, typ string, payload any) ([]byte, error) {
	body, err := json.Marshal(filled(payload))
	if err != nil {
		return nil, fmt.Errorf("marshal %s: %w", typ, err)
	}
	kid := KeyID(key.Public().(ed25519.PublicKey))
	h := header(kid, typ)
	doc := make([]byte, 0, b64.EncodedLen(len(h))+b64.EncodedLen(len(body))+b64.EncodedLen(ed25519.SignatureSize)+2)
	doc = b64.AppendEncode(doc, h)
	doc = append(doc, '.')
	doc = b64.AppendEncode(doc, body)
	sig := ed25519.Sign(key, doc)
	doc = append(doc, '.')
	doc = b64.AppendEncode(doc, sig)
	if len(doc) > limit(typ) {
		return nil, fmt.Errorf("%s of %d bytes is over the limit of %d; show fewer items or frames on it", typ,
			len(doc), limit(typ))
	}
	return doc, nil
}

// filled replaces nil slices by empty ones: readers expect arrays, never null.
func filled(payload any) any {
	v := reflect.ValueOf(payload)
	if v.Kind() == reflect.Struct {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		v = p
		payload = p.Interface()
	}
	fill(v)
	return payload
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fill(v.Index(i))
		}
	}
}

func limit(typ string) int {
	if typ == TypPlayed {
		return MaxPlayed
	}
	return MaxDocument
}

// Sealed is a document whose form is right and whose signature is not checked
// yet.
type Sealed struct {
	Typ     string
	Kid     string
	Payload []byte // decoded JSON text

	signed []byte
	sig    []byte
}

// Split takes a compact JWS apart: the checks too-large and bad-header. typ is
// what the topic carries.
func Split(doc []byte, typ string) (*Sealed, error) {
	if len(doc) > limit(typ) {
		return nil, reject(TooLarge, "%d bytes, over the limit of %d", len(doc), limit(typ))
	}
	parts := bytes.Split(doc, []byte("."))
	if len(parts) != 3 {
		return nil, reject(BadHeader, "%d parts instead of 3", len(parts))
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = decodeStrict(p); err != nil {
			return nil, reject(BadHeader, "part %d is not strict base64url", i+1)
		}
	}
	// The header is compared, not parsed: there is one right sequence of bytes.
	const at = len(`{"alg":"Ed25519","kid":"`)
	if len(raw[0]) < at+16 {
		return nil, reject(BadHeader, "the header is too short")
	}
	kid := string(raw[0][at : at+16])
	if !isHex(kid) || !bytes.Equal(raw[0], header(kid, typ)) {
		return nil, reject(BadHeader, "the header is not that of a %s", typ)
	}
	if len(raw[2]) != ed25519.SignatureSize {
		return nil, reject(BadHeader, "the signature has %d bytes instead of 64", len(raw[2]))
	}
	return &Sealed{Typ: typ, Kid: kid, Payload: raw[1],
		signed: doc[:len(parts[0])+1+len(parts[1])], sig: raw[2]}, nil
}

// ClaimedKey returns the kid that a document names, unchecked, without reading the rest of it: "" where there is
// none. It tells which accepted documents a revoked key signed.
func ClaimedKey(doc []byte) string {
	const before, kid = len(`{"alg":"Ed25519","kid":"`), 16
	head, _, _ := bytes.Cut(doc, []byte("."))
	raw, err := decodeStrict(head)
	if err != nil || len(raw) < before+kid {
		return ""
	}
	return string(raw[before : before+kid])
}

// Verify checks the signature: bad-signature.
func (s *Sealed) Verify(pub ed25519.PublicKey) error {
	if len(pub) != ed25519.PublicKeySize || !ed25519.Verify(pub, s.signed, s.sig) {
		return reject(BadSignature, "key %s did not sign these bytes", s.Kid)
	}
	return nil
}

func decodeStrict(p []byte) ([]byte, error) {
	if bytes.ContainsAny(p, "\r\n") {
		return nil, base64.CorruptInputError(bytes.IndexAny(p, "\r\n"))
	}
	out := make([]byte, b64.DecodedLen(len(p)))
	n, err := b64.Decode(out, p)
	return out[:n], err
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// IsDigest reports whether s has the form of a lower-case hex SHA-256.
func IsDigest(s string) bool { return len(s) == 64 && isHex(s) }
