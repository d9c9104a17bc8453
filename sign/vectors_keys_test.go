package main

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"ledcast/sign/wire"
)

// without removes a key from a set.
func without(k *wire.KeySet, key ed25519.PrivateKey) *wire.KeySet {
	var left []wire.Key
	for _, e := range k.Keys {
		if e.Kid != kidOf(key) {
			left = append(left, e)
		}
	}
	k.Keys = left
	return k
}

func with(k *wire.KeySet, role string, key ed25519.PrivateKey) *wire.KeySet {
	k.Keys = append(k.Keys, wire.Key{Kid: kidOf(key), Role: role, X: wire.EncodeKey(pubOf(key)), Nbf: now - 600,
		Exp: now + wire.LifeKeys})
	return k
}

func next(k *wire.KeySet, n int64) *wire.KeySet { k.Seq = seq0 + n; return k }

func keyVectors(t testing.TB) *suite {
	s := newSuite(t, "Key sets: which are accepted, what follows from them, and what a revoked or retired key signed.")
	has := func(m *maker, epoch, seq int64) {
		m.status(map[string]any{"keys": map[string]any{"epoch": epoch, "seq": seq}})
	}
	none := func(m *maker) { m.status(map[string]any{"keys": nil}) }

	refused := func(name string, by ed25519.PrivateKey, change func(k *wire.KeySet)) {
		m := s.make("keys: "+name, class)
		m.start(now*1000, true)
		m.connect()
		k := keySet()
		change(k)
		m.keysBy(by, k)
		none(m)
		m.end()
	}
	refused("signed by a key of the set itself", programKey, func(*wire.KeySet) {})
	refused("signed by a stranger", strangerKey, func(*wire.KeySet) {})
	refused("a kid that is not its key's", rootKey, func(k *wire.KeySet) { k.Keys[0].Kid = strings.Repeat("0", 16) })
	refused("a key with unused bits that are not zero", rootKey, func(k *wire.KeySet) {
		x := k.Keys[0].X
		k.Keys[0].X = x[:len(x)-1] + string(next64(x[len(x)-1]))
	})
	refused("401 days", rootKey, func(k *wire.KeySet) { k.Exp += 86400 })
	refused("before its time", rootKey, func(k *wire.KeySet) {
		k.Header = wire.NewHeader(wire.RoleKeys, 1, seq0, now+601, wire.LifeKeys)
	})
	refused("at its end", rootKey, func(k *wire.KeySet) {
		k.Header = wire.NewHeader(wire.RoleKeys, 1, seq0, now-wire.LifeKeys, wire.LifeKeys)
	})
	refused("another role", rootKey, func(k *wire.KeySet) { k.Role = "program" })

	m := s.make("keys: they rise by epoch and seq", class)
	m.begin()
	has(m, 1, seq0)
	m.keys(next(keySet(), -1))
	has(m, 1, seq0)
	m.keys(with(keySet(), wire.RoleProgram, program2Key)) // the same seq, other bytes
	has(m, 1, seq0)
	m.keys(next(keySet(), 1))
	has(m, 1, seq0+1)
	k := keySet()
	k.Epoch, k.Seq = 2, 5
	m.keys(k)
	has(m, 2, 5)
	m.keys(next(keySet(), 2))
	has(m, 2, 5)
	m.start(now*1000, true)
	has(m, 2, 5)
	m.end()

	m = s.make("keys: the spare root retires the first, for good", class)
	m.begin()
	m.keysBy(spareKey, next(keySet(), 1))
	has(m, 1, seq0+1)
	m.keys(next(keySet(), 2))
	has(m, 1, seq0+1)
	m.start(now*1000, true)
	m.connect()
	m.keys(next(keySet(), 3))
	has(m, 1, seq0+1)
	m.keysBy(spareKey, next(keySet(), 4))
	has(m, 1, seq0+4)
	m.end()

	m = s.make("keys: rotation: old and new, then new alone; what the old one signed plays on", class)
	m.ready(program(), onlyTwo...)
	m.keys(with(next(keySet(), 1), wire.RoleProgram, program2Key))
	p := program()
	p.Seq, p.Items[0].ID = seq0+1, "new"
	m.message(topicProgram, m.seal(program2Key, wire.TypProgram, p), received("program", seq0+1),
		showing("program", seq0+1))
	m.keys(with(without(next(keySet(), 2), programKey), wire.RoleProgram, program2Key))
	m.shows("program", "new", frameA, 0)
	p.Seq++
	m.program(p, rejected("program", wire.UnknownKey))
	m.shows("program", "new", frameA, 0)
	m.end()

	m = s.make("keys: a key leaves the set; its program plays on, over a restart too", class)
	m.ready(program(), onlyTwo...)
	m.keys(without(next(keySet(), 1), programKey))
	m.shows("program", "one", frameA, 0)
	m.start(now*1000, true)
	m.shows("program", "one", frameA, 0)
	m.end()

	m = s.make("keys: a revoked key's program is dropped at once, and its floor stays", class)
	m.ready(program(), onlyTwo...)
	k = with(next(keySet(), 1), wire.RoleProgram, program2Key)
	k.Revoked = []string{kidOf(programKey)}
	m.keys(k)
	m.dark()
	m.program(program(), rejected("program", wire.UnknownKey))
	m.start(now*1000, true)
	m.dark()
	m.connect()
	p = program()
	p.Seq--
	m.message(topicProgram, m.seal(program2Key, wire.TypProgram, p), rejected("program", wire.StaleSeq))
	p.Seq += 2
	m.message(topicProgram, m.seal(program2Key, wire.TypProgram, p), received("program", p.Seq), showing("program", p.Seq))
	m.shows("program", "one", frameA, 0)
	m.end()

	m = s.make("keys: a revoked key's alerts are dropped at once", class)
	m.ready(program(), onlyTwo...)
	m.alertFrame(frameX, false)
	m.alerts(alertSet(0, storm()), received("alerts", seq0), alertAck("storm", "received", seq0),
		alertAck("storm", "showing", seq0))
	m.shows("alert", "storm", frameX, 0)
	k = next(keySet(), 1)
	k.Revoked = []string{kidOf(alertsKey)}
	m.add(vectorEvent{Do: "message", Topic: wire.TopicKeys, Payload: m.stored(m.seal(rootKey, wire.TypKeys, k))},
		vectorAnswer{})
	m.shows("program", "one", frameA, 0)
	m.alerts(alertSet(1, storm()), rejected("alerts", wire.UnknownKey))
	m.end()

	m = s.make("keys: revoked while its program waits for frames", class)
	m.begin()
	m.program(program())
	k = next(keySet(), 1)
	k.Revoked = []string{kidOf(programKey)}
	m.keys(k)
	for _, f := range onlyTwo {
		m.frame(f)
	}
	m.dark()
	m.end()

	m = s.make("keys: a key before its time, and at its end", class)
	m.start(now*1000, true)
	m.connect()
	k = keySet()
	k.Keys[0].Nbf = now + 1
	k.Keys[1].Exp = now
	m.keys(k)
	m.program(program(), rejected("program", wire.UnknownKey))
	m.alerts(alertSet(0), rejected("alerts", wire.UnknownKey))
	m.end()

	m = s.make("keys: a key's time is not asked for while the clock is not trusted", class)
	m.start(now*1000, false)
	m.connect()
	k = keySet()
	k.Keys[0].Nbf = now + 1000
	m.keys(k)
	m.plays(program(), onlyTwo...)
	m.shows("fallback", "fallback", frameC, 0)
	m.end()
	return s
}

// stored puts a document among the payloads and returns its name.
func (m *maker) stored(doc []byte) string {
	name := "document-" + wire.Digest(doc)[:12]
	m.s.file.Payloads[name] = vectorPayload{Text: string(doc)}
	return name
}
