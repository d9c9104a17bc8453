package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ledcast/playlists/timeline"
)

const now = int64(1_767_200_400) // Unix s

func seed(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func pub(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

var (
	rootKey    = seed(1)
	spareKey   = seed(2)
	programKey = seed(3)
	alertsKey  = seed(4)
	requestKey = seed(5)
)

func keySet() *KeySet {
	k := &KeySet{Header: NewHeader(RoleKeys, 1, 10, now, LifeKeys), Revoked: []string{}}
	for role, key := range map[string]ed25519.PrivateKey{RoleProgram: programKey, RoleAlerts: alertsKey,
		RoleRequest: requestKey} {
		k.Keys = append(k.Keys, Key{Kid: KeyID(pub(key)), Role: role, X: EncodeKey(pub(key)), Nbf: now - 600,
			Exp: now + LifeKeys})
	}
	return k
}

func program() *timeline.Program {
	return &timeline.Program{
		Header: NewHeader(RoleProgram, 1, 100, now, LifeProgram), Sign: "qn-001", Class: "128x64-rgb",
		Areas: []string{"quang-ngai/son-tinh"},
		Frames: []timeline.Frame{{SHA256: strings.Repeat("a", 64), Len: 100, Type: "image/png",
			W: 128, H: 64, Owner: "public"}},
		Items:    []timeline.Item{{ID: "bluezone-1", Owner: "public", Steps: []timeline.Step{{Frame: 0, MS: 8000}}}},
		Loops:    []timeline.Loop{{Anchor: now, Order: []int64{0}}},
		Segments: []timeline.Segment{{From: now, Until: now + 8*86400, Loop: 0, Why: "default"}},
		CommLoss: timeline.CommLoss{AfterS: 86400, Loop: 0},
	}
}

func alertSet() *timeline.AlertSet {
	return &timeline.AlertSet{Header: NewHeader(RoleAlerts, 1, 200, now, LifeAlerts), Class: "128x64-rgb",
		Alerts: []timeline.Alert{{ID: "storm", Priority: 200, From: now, Until: now + 3600,
			Areas: []string{"quang-ngai"}, Signs: []string{},
			ExclusiveS: 600, ShareMS: 30000, CycleMS: 60000,
			Frames: []timeline.Frame{{SHA256: strings.Repeat("b", 64), Len: 100, Type: "image/png", W: 128, H: 64}},
			Steps:  []timeline.Step{{Frame: 0, MS: 6000}}}}, Ended: []timeline.Ended{}}
}

func seal(t testing.TB, k ed25519.PrivateKey, typ string, v any) []byte {
	t.Helper()
	doc, err := Seal(k, typ, v)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func receiver() Receiver {
	return Receiver{Sign: "qn-001", Class: "128x64-rgb", Keys: keySet(), Now: Clock{NowMS: now * 1000, Trusted: true},
		Floor: func(string, string, int64) *Floor { return nil }}
}

func TestProgramIsAccepted(t *testing.T) {
	doc := seal(t, programKey, TypProgram, program())
	p, repeat, err := OpenProgram(doc, receiver())
	if err != nil || repeat {
		t.Fatalf("OpenProgram: repeat %v, err %v", repeat, err)
	}
	if p.Sign != "qn-001" || p.LoopLength(0) != 8000 {
		t.Fatalf("read %+v", p)
	}
}

// Every change of a bit, and of a character to any other, in any part of a
// signed program must be noticed.
func TestEveryChangeIsNoticed(t *testing.T) {
	doc := seal(t, programKey, TypProgram, program())
	r := receiver()
	try := func(what string, changed []byte) {
		if _, _, err := OpenProgram(changed, r); err == nil {
			t.Fatalf("%s: accepted", what)
		}
	}
	for i := range doc {
		for bit := range 8 {
			c := bytes.Clone(doc)
			c[i] ^= 1 << bit
			try(fmt.Sprintf("bit %d of byte %d", bit, i), c)
		}
		try(fmt.Sprintf("byte %d removed", i), append(bytes.Clone(doc[:i]), doc[i+1:]...))
		try(fmt.Sprintf("byte %d doubled", i), append(append(bytes.Clone(doc[:i+1]), doc[i]), doc[i+1:]...))
	}
	sig := bytes.LastIndexByte(doc, '.')
	for i := sig; i < len(doc); i++ {
		for c := range 256 {
			if byte(c) == doc[i] {
				continue
			}
			x := bytes.Clone(doc)
			x[i] = byte(c)
			try(fmt.Sprintf("byte %d as %#x", i, c), x)
		}
	}
	for _, tail := range []string{"=", "\n", "\r\n", " ", ".", "A", "\x00"} {
		try("tail "+tail, append(bytes.Clone(doc), tail...))
	}
}

func TestReasonsInOrder(t *testing.T) {
	change := func(f func(p *timeline.Program)) []byte {
		p := program()
		f(p)
		return seal(t, programKey, TypProgram, p)
	}
	raw := func(payload string) []byte { // sealed as it stands
		return seal(t, programKey, TypProgram, json.RawMessage(payload))
	}
	good := seal(t, programKey, TypProgram, program())
	text, _ := json.Marshal(program())
	late := receiver()
	late.Now.NowMS = (now + LifeProgram) * 1000
	early := receiver()
	early.Now.NowMS = (now - 601) * 1000
	early.Keys.Keys[0].Nbf, early.Keys.Keys[1].Nbf, early.Keys.Keys[2].Nbf = 0, 0, 0
	revoked := receiver()
	revoked.Keys.Revoked = []string{KeyID(pub(programKey))}
	floor := func(seq int64, digest string) Receiver {
		r := receiver()
		r.Floor = func(role, subject string, epoch int64) *Floor {
			if role != RoleProgram || subject != "qn-001" || epoch != 1 {
				t.Errorf("asked for the floor of %s %s %d", role, subject, epoch)
			}
			return &Floor{Seq: seq, Digest: digest}
		}
		return r
	}
	for _, c := range []struct {
		name string
		doc  []byte
		r    Receiver
		want Reason
	}{
		{"too large", bytes.Repeat([]byte("a"), MaxDocument+1), receiver(), TooLarge},
		{"two parts", good[:bytes.LastIndexByte(good, '.')], receiver(), BadHeader},
		{"another typ", seal(t, programKey, TypAlerts, program()), receiver(), BadHeader},
		{"padding", append(bytes.Clone(good), '='), receiver(), BadHeader},
		{"key of another role", seal(t, alertsKey, TypProgram, program()), receiver(), UnknownKey},
		{"unknown key", seal(t, seed(9), TypProgram, program()), receiver(), UnknownKey},
		{"revoked key", good, revoked, UnknownKey},
		{"key before its time", good, func() Receiver { r := early; r.Keys = keySet(); return r }(), UnknownKey},
		{"unknown key before bad signature", append(bytes.Clone(good[:len(good)-4]), "AAAA"...), revoked, UnknownKey},
		{"bad signature", append(bytes.Clone(good[:len(good)-4]), "AAAA"...), receiver(), BadSignature},
		{"not JSON", raw(`{"v":1`[:0] + `[]`), receiver(), BadDocument},
		{"v 2", change(func(p *timeline.Program) { p.V = 2 }), receiver(), BadDocument},
		{"role", change(func(p *timeline.Program) { p.Role = "alerts" }), receiver(), BadDocument},
		{"too long a life", change(func(p *timeline.Program) { p.Exp++ }), receiver(), BadDocument},
		{"duplicate name", raw(strings.Replace(string(text), `{"v":1`, `{"v":1,"v":1`, 1)), receiver(), BadDocument},
		{"duplicate name by escape", raw(strings.Replace(string(text), `{"v":1`, `{"v":1,"\u0076":1`, 1)), receiver(),
			BadDocument},
		{"name in capitals", raw(strings.Replace(string(text), `"sign"`, `"Sign"`, 1)), receiver(), BadDocument},
		{"a fraction", raw(strings.Replace(string(text), `"ms":8000`, `"ms":8000.5`, 1)), receiver(), BadDocument},
		{"a number over 2^53", raw(strings.Replace(string(text), `"len":100`, `"len":9007199254740993`, 1)), receiver(),
			BadDocument},
		{"item out of range", change(func(p *timeline.Program) { p.Loops[0].Order = []int64{1} }), receiver(), BadDocument},
		{"frame out of range", change(func(p *timeline.Program) { p.Items[0].Steps[0].Frame = -1 }), receiver(), BadDocument},
		{"loop out of range", change(func(p *timeline.Program) { p.Segments[0].Loop = 1 }), receiver(), BadDocument},
		{"fallback below dark", change(func(p *timeline.Program) { p.Fallback = -2 }), receiver(), BadDocument},
		{"empty loop", change(func(p *timeline.Program) { p.Loops[0].Order = nil }), receiver(), BadDocument},
		{"empty item", change(func(p *timeline.Program) { p.Items[0].Steps = nil }), receiver(), BadDocument},
		{"step under 100 ms", change(func(p *timeline.Program) { p.Items[0].Steps[0].MS = 99 }), receiver(), BadDocument},
		{"overlapping segments", change(func(p *timeline.Program) { p.Segments = append(p.Segments, p.Segments[0]) }),
			receiver(), BadDocument},
		{"still of another size", change(func(p *timeline.Program) { p.Frames[0].W = 64 }), receiver(), BadDocument},
		{"other sign before other class", change(func(p *timeline.Program) { p.Sign, p.Class = "qn-002", "128x64-red" }),
			receiver(), WrongSign},
		{"other class", change(func(p *timeline.Program) { p.Class = "128x64-red" }), receiver(), WrongClass},
		{"other epoch before stale", change(func(p *timeline.Program) { p.Epoch, p.Seq = 2, 1 }), receiver(), WrongEpoch},
		{"under the floor", good, floor(101, ""), StaleSeq},
		{"at the floor with other bytes", good, floor(100, strings.Repeat("0", 64)), StaleSeq},
		{"stale before not yet", good, func() Receiver {
			r := floor(101, "")
			r.Now, r.Keys = early.Now,
				early.Keys
			return r
		}(), StaleSeq},
		{"not yet", good, early, NotYet},
		{"expired", good, late, Expired},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := OpenProgram(c.doc, c.r)
			if got := ReasonOf(err); got != c.want {
				t.Fatalf("reason %q (%v), want %q", got, err, c.want)
			}
		})
	}
	if _, repeat, err := OpenProgram(good, floor(100, Digest(good))); err != nil || !repeat {
		t.Fatalf("the accepted document again: repeat %v, err %v", repeat, err)
	}
	repeatLate := floor(100, Digest(good))
	repeatLate.Now = late.Now
	if _, repeat, err := OpenProgram(good, repeatLate); err != nil || !repeat {
		t.Fatalf("the accepted document again after its end: repeat %v, err %v", repeat, err)
	}
	untrusted := early
	untrusted.Now.Trusted = false
	if _, _, err := OpenProgram(good, untrusted); err != nil {
		t.Fatalf("an untrusted clock applied nbf: %v", err)
	}
}

func TestUnknownMembersAreIgnored(t *testing.T) {
	text, _ := json.Marshal(program())
	doc := seal(t, programKey, TypProgram,
		json.RawMessage(strings.Replace(string(text), `{"v":1`, `{"new":{"a":[1.5,null,{"b":1}]},"v":1`, 1)))
	if _, _, err := OpenProgram(doc, receiver()); err != nil {
		t.Fatal(err)
	}
}

func TestAlertSets(t *testing.T) {
	if a, _, err := OpenAlerts(seal(t, alertsKey, TypAlerts, alertSet()), false, receiver()); err != nil ||
		a.Alerts[0].ID != "storm" {
		t.Fatalf("a good set: %v", err)
	}
	for name, f := range map[string]func(a *timeline.AlertSet){
		"share is no multiple":  func(a *timeline.AlertSet) { a.Alerts[0].ShareMS = 6001 },
		"cycle of 0":            func(a *timeline.AlertSet) { a.Alerts[0].CycleMS = 0 },
		"longer than a day":     func(a *timeline.AlertSet) { a.Alerts[0].Until = now + 86401 },
		"ends before it begins": func(a *timeline.AlertSet) { a.Alerts[0].Until = now },
		"twice":                 func(a *timeline.AlertSet) { a.Alerts = append(a.Alerts, a.Alerts[0]) },
		"17 alerts": func(a *timeline.AlertSet) {
			for i := range 16 {
				x := a.Alerts[0]
				x.ID = fmt.Sprint(i)
				a.Alerts = append(a.Alerts, x)
			}
		},
		"501 signs": func(a *timeline.AlertSet) { a.Alerts[0].Signs = make([]string, 501) },
		"over 2 MiB": func(a *timeline.AlertSet) {
			a.Alerts[0].Frames[0].Len = MaxFrame
			a.Alerts[0].Frames = append(a.Alerts[0].Frames, a.Alerts[0].Frames[0], a.Alerts[0].Frames[0])
		},
		"a life of 26h": func(a *timeline.AlertSet) { a.Exp = now + 26*3600 },
	} {
		a := alertSet()
		f(a)
		if _, _, err := OpenAlerts(seal(t, alertsKey, TypAlerts, a), false, receiver()); ReasonOf(err) != BadDocument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := OpenAlerts(seal(t, alertsKey, TypAlerts, alertSet()), true, receiver()); ReasonOf(err) != BadHeader {
		t.Errorf("a live set on the test topic: %v", err)
	}
}

func TestKeySets(t *testing.T) {
	roots := Roots{Root: pub(rootKey), Spare: pub(spareKey)}
	clock := Clock{NowMS: now * 1000, Trusted: true}
	doc := seal(t, rootKey, TypKeys, keySet())
	set, spare, repeat, err := OpenKeys(doc, roots, nil, "", clock)
	if err != nil || spare || repeat {
		t.Fatalf("first set: spare %v, repeat %v, err %v", spare, repeat, err)
	}
	if _, _, repeat, err = OpenKeys(doc, roots, set, Digest(doc), clock); err != nil || !repeat {
		t.Errorf("again: repeat %v, err %v", repeat, err)
	}
	next := keySet()
	next.Seq = 9
	if _, _, _, err := OpenKeys(seal(t, rootKey, TypKeys, next), roots, set, Digest(doc),
		clock); ReasonOf(err) != StaleSeq {
		t.Errorf("a lower seq: %v", err)
	}
	next.Epoch = 2 // a new epoch begins anew
	if _, _, _, err := OpenKeys(seal(t, rootKey, TypKeys, next), roots, set, Digest(doc), clock); err != nil {
		t.Errorf("a higher epoch: %v", err)
	}
	next.Epoch, next.Seq = 0, 99
	if _, _, _, err := OpenKeys(seal(t, rootKey, TypKeys, next), roots, set, Digest(doc),
		clock); ReasonOf(err) != StaleSeq {
		t.Errorf("a lower epoch: %v", err)
	}
	if _, spare, _, err := OpenKeys(seal(t, spareKey, TypKeys, keySet()), roots, nil, "", clock); err != nil || !spare {
		t.Errorf("signed by the spare: spare %v, err %v", spare, err)
	}
	retired := roots
	retired.FirstRetired = true
	if _, _, _, err := OpenKeys(doc, retired, nil, "", clock); ReasonOf(err) != UnknownKey {
		t.Errorf("signed by the retired root: %v", err)
	}
	if _, _, _, err := OpenKeys(seal(t, programKey, TypKeys, keySet()), roots, nil, "",
		clock); ReasonOf(err) != UnknownKey {
		t.Errorf("signed by an online key: %v", err)
	}
	wrong := keySet()
	wrong.Keys[0].Kid = strings.Repeat("0", 16)
	if _, _, _, err := OpenKeys(seal(t, rootKey, TypKeys, wrong), roots, nil, "", clock); ReasonOf(err) != BadDocument {
		t.Errorf("a kid that is not its key's: %v", err)
	}
}

func TestSealRefusesWhatNoBrokerTakes(t *testing.T) {
	p := program()
	for range 800 {
		p.Items = append(p.Items, timeline.Item{ID: strings.Repeat("x", 400), Steps: p.Items[0].Steps})
	}
	if _, err := Seal(programKey, TypProgram, p); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Fatalf("err %v", err)
	}
}
