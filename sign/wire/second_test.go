package wire

import (
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// A second opinion: another implementation of JWS verifies what Seal makes.
func TestAnotherImplementationAgrees(t *testing.T) {
	doc := seal(t, programKey, TypProgram, program())
	alg, ok := jwa.LookupSignatureAlgorithm("Ed25519")
	if !ok {
		t.Fatal("the library does not know Ed25519")
	}
	if _, err := jws.Verify(doc, jws.WithKey(alg, pub(programKey))); err != nil {
		t.Fatal(err)
	}
	if _, err := jws.Verify(doc, jws.WithKey(alg, pub(alertsKey))); err == nil {
		t.Fatal("verified with another key")
	}
	msg, err := jws.Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	h := msg.Signatures()[0].ProtectedHeaders()
	if typ, _ := h.Type(); typ != TypProgram {
		t.Errorf("typ %q", typ)
	}
	if kid, _ := h.KeyID(); kid != KeyID(pub(programKey)) {
		t.Errorf("kid %q", kid)
	}
}
