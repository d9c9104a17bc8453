package listen

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ledcast/sign/wire"
)

type memoryBook struct {
	pinned  map[string][32]byte
	records map[string]string // sign/chain/n → digest
	last    map[string]int64
	ms      int64
}

func (b *memoryBook) Pin(_ context.Context, sign string, x [32]byte, _ int64) ([32]byte, error) {
	if _, ok := b.pinned[sign]; !ok {
		b.pinned[sign] = x
	}
	return b.pinned[sign], nil
}

func (b *memoryBook) End(_ context.Context, sign, chain string) (int64, string, error) {
	n := b.last[sign+chain]
	return n, b.records[fmt.Sprint(sign, chain, n)], nil
}

func (b *memoryBook) Digest(_ context.Context, sign, chain string, n int64) (string, error) {
	if d, ok := b.records[fmt.Sprint(sign, chain, n)]; ok {
		return d, nil
	}
	return "", errors.New("not there")
}

func (b *memoryBook) Add(_ context.Context, _ []byte, digest string, p *wire.Played) error {
	b.records[fmt.Sprint(p.Sign, p.Chain, p.N)] = digest
	b.last[p.Sign+p.Chain] = p.N
	for _, x := range p.Plays {
		b.ms += x.MS
	}
	return nil
}

// What is altered, dropped, replayed or forged is named, and nothing is
// counted twice.
func TestProofs(t *testing.T) {
	l, _ := listener()
	book := &memoryBook{pinned: map[string][32]byte{}, records: map[string]string{}, last: map[string]int64{}}
	var receipts []int64
	a := NewAuditor(l, book, func(_, _ string, n int64) { receipts = append(receipts, n) })
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	thief := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32))
	show := func(k ed25519.PrivateKey) {
		pub := k.Public().(ed25519.PublicKey)
		l.Message(topic, fmt.Appendf(nil, `{"v":1,"state":"online","session":"a","at_ms":1,"key":{"kid":%q,"x":%q}}`,
			wire.KeyID(pub), wire.EncodeKey(pub)), false)
	}
	record := func(k ed25519.PrivateKey, n int64, prev string, ms int64) []byte {
		doc, err := wire.Seal(k, wire.TypPlayed, wire.Played{V: 1, Sign: "qn-001", Chain: "c",
			N: n, Prev: prev, FromMS: 0, UntilMS: 10_000,
			Plays: []wire.Play{{Item: "a", Why: "program", Count: 1, MS: ms}}})
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	one := record(key, 1, "", 1000)
	two := record(key, 2, wire.Digest(one), 1000)
	five := record(key, 5, wire.Digest(two), 1000)
	flipped := bytes.Clone(two)
	flipped[len(flipped)/2] ^= 1
	show(key)
	for i, c := range []struct {
		doc      []byte
		fault    string
		ms       int64
		receipts int
	}{
		{one, "", 1000, 1},
		{one, "", 1000, 2}, // sent again: a receipt, and not counted again
		{record(key, 1, "", 2000), FaultAltered, 1000, 2},
		{flipped, FaultForged, 1000, 2},
		{record(thief, 2, wire.Digest(one), 1000), FaultForged, 1000, 2},
		{record(key, 2, wire.Digest(two), 1000), FaultChain, 1000, 2},
		{two, "", 2000, 3},
		{record(key, 3, wire.Digest(two), 20_000), FaultForged, 2000, 3}, // more time than there was
		{five, FaultGap, 3000, 4},
	} {
		fault, err := a.take(t.Context(), proof{"qn-001", c.doc})
		if err != nil {
			t.Fatal(err)
		}
		if (fault == "") != (c.fault == "") || !strings.HasPrefix(fault, c.fault) || book.ms != c.ms ||
			len(receipts) != c.receipts {
			t.Errorf("record %d: fault %q, %d ms, %d receipts; want %q, %d, %d", i, fault, book.ms, len(receipts), c.fault,
				c.ms, c.receipts)
		}
	}
	show(thief)
	if fault, _ := a.take(t.Context(), proof{"qn-001", record(thief, 6, wire.Digest(five), 1000)}); fault != FaultKey {
		t.Errorf("a sign with another key: %q", fault)
	}
}
