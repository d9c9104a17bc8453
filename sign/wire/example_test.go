package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// key is an example's key. Real ones are random.
func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

const issued = int64(1_800_000_000) // Unix s

// keys is a key set that says which key may sign programs.
func keys(root, program ed25519.PrivateKey) []byte {
	set := wire.KeySet{Header: wire.NewHeader(wire.RoleKeys, 1, issued*1000, issued, wire.LifeKeys)}
	set.Keys = []wire.Key{
		{
			Kid:  wire.KeyID(public(program)),
			Role: wire.RoleProgram,
			X:    wire.EncodeKey(public(program)),
			Nbf:  set.Nbf,
			Exp:  set.Exp,
		},
	}
	doc, err := wire.Seal(root, wire.TypKeys, set)
	if err != nil {
		panic(err)
	}
	return doc
}

// A sign opens the key set with the roots of its enrolment, and its program with a key of the set.
func ExampleOpenProgram() {
	root, program := key(1), key(3)
	now := wire.Clock{NowMS: issued * 1000, Trusted: true}
	set, _, _, err := wire.OpenKeys(keys(root, program), wire.Roots{Root: public(root)}, nil, "", now)
	if err != nil {
		panic(err)
	}

	dark := timeline.Program{Header: wire.NewHeader(wire.RoleProgram, 1, issued*1000, issued, wire.LifeProgram),
		Sign: "qn-001", Class: "128x64-rgb", Areas: []string{"quang-ngai"}, Fallback: timeline.Dark,
		CommLoss: timeline.CommLoss{Loop: timeline.Dark}}
	doc, err := wire.Seal(program, wire.TypProgram, dark)
	if err != nil {
		panic(err)
	}

	sign := wire.Receiver{Sign: "qn-001", Class: "128x64-rgb", Keys: set, Now: now,
		Floor: func(role, subject string, epoch int64) *wire.Floor { return nil }} // nothing was accepted yet
	p, repeat, err := wire.OpenProgram(doc, sign)
	fmt.Println(p.Sign, repeat, err)

	sign.Sign = "qn-002"
	_, _, err = wire.OpenProgram(doc, sign)
	fmt.Println(wire.ReasonOf(err))
	// Output:
	// qn-001 false <nil>
	// wrong-sign
}

// A sign seals what it put out with its own key. The controller opens it with the key that it pinned.
func ExampleOpenPlayed() {
	own := key(8)
	doc, err := wire.Seal(
		own,
		wire.TypPlayed,
		wire.Played{V: 1, Sign: "qn-001", Chain: "f1c3", N: 1, FromMS: 0, UntilMS: 900_000,
			Plays: []wire.Play{{Item: "wash-hands", Why: timeline.WhyProgram, Count: 60, MS: 480_000}}},
	)
	if err != nil {
		panic(err)
	}
	p, err := wire.OpenPlayed(doc, "qn-001", public(own))
	if err != nil {
		panic(err)
	}
	fmt.Println(p.Plays[0].Count, p.LinkTo(0, ""))
	_, err = wire.OpenPlayed(doc, "qn-001", public(key(9)))
	fmt.Println(wire.ReasonOf(err))
	// Output:
	// 60 next
	// unknown-key
}

func ExampleSignTopic() {
	fmt.Println(wire.SignTopic("qn-001", wire.LeafStatus))
	fmt.Println(wire.AlertFrameTopic("128x64-rgb", false, "+"))
	// Output:
	// led/v1/signs/qn-001/status
	// led/v1/alerts/128x64-rgb/frames/+
}
