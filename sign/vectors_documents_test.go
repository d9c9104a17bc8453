package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// jws signs any header and payload.
func jws(k ed25519.PrivateKey, header, payload string) []byte {
	b := base64.RawURLEncoding
	doc := b.EncodeToString([]byte(header)) + "." + b.EncodeToString([]byte(payload))
	return []byte(doc + "." + b.EncodeToString(ed25519.Sign(k, []byte(doc))))
}

func headerOf(k ed25519.PrivateKey, typ string) string {
	return fmt.Sprintf(`{"alg":"Ed25519","kid":"%s","typ":"%s"}`, kidOf(k), typ)
}

func documentVectors(t testing.TB) *suite {
	s := newSuite(t, "What a document must be: each check in its order, and the reason where it fails.")
	text := string(mustJSON(program()))
	good, err := wire.Seal(programKey, wire.TypProgram, program())
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(name string, reason wire.Reason, doc []byte) {
		m := s.make("document: "+name, class)
		m.begin()
		m.message(topicProgram, doc, rejected("program", reason))
		m.dark()
		m.end()
	}
	signed := func(payload string) []byte { return jws(programKey, headerOf(programKey, wire.TypProgram), payload) }
	change := func(f func(p *timeline.Program)) []byte {
		p := program()
		f(p)
		return signed(string(mustJSON(p)))
	}
	edit := func(old, new string) []byte {
		if !strings.Contains(text, old) {
			t.Fatalf("no %s in the program", old)
		}
		return signed(strings.Replace(text, old, new, 1))
	}

	m := s.make("document: accepted", class)
	m.begin()
	m.dark()
	m.plays(program(), onlyTwo...)
	m.shows("program", "one", frameA, 0)
	m.status(map[string]any{"keys": at(seq0), "program": at(seq0), "alerts": nil, "clock": "trusted"})
	m.end()

	for _, n := range []int{256<<10 + 1, 300 << 10} {
		m = s.make(fmt.Sprintf("document: %d bytes", n), class)
		m.begin()
		m.fill(topicProgram, "a", n, rejected("program", wire.TooLarge))
		m.fill(m.topicAlerts(false), "a", n, rejected("alerts", wire.TooLarge))
		m.end()
	}
	m = s.make("document: as large as it may be", class)
	m.begin()
	m.fill(topicProgram, "a", 256<<10, rejected("program", wire.BadHeader))
	m.end()

	parts := bytes.Split(good, []byte("."))
	sig := len(good) - 1
	for name, doc := range map[string][]byte{
		"two parts":              good[:bytes.LastIndexByte(good, '.')],
		"four parts":             append(bytes.Clone(good), ".AA"...),
		"an empty header":        bytes.Join([][]byte{nil, parts[1], parts[2]}, []byte(".")),
		"padding":                append(bytes.Clone(good), '='),
		"a line feed at the end": append(bytes.Clone(good), '\n'),
		"a line feed in the payload": bytes.Join([][]byte{parts[0], append([]byte("\n"), parts[1]...), parts[2]},
			[]byte(".")),
		"base64 instead of base64url":   append(bytes.Clone(good[:sig-1]), "+/"...),
		"unused bits that are not zero": append(bytes.Clone(good[:sig]), next64(good[sig])),
		"another typ":                   jws(programKey, headerOf(programKey, wire.TypAlerts), text),
		"EdDSA, the old name": jws(programKey, strings.Replace(headerOf(programKey, wire.TypProgram),
			"Ed25519", "EdDSA", 1), text),
		"a space in the header": jws(programKey, strings.Replace(headerOf(programKey, wire.TypProgram),
			":", ": ", 1), text),
		"a header of another order": jws(programKey, fmt.Sprintf(`{"kid":"%s","alg":"Ed25519","typ":"ledcast-program"}`,
			kidOf(programKey)), text),
		"a kid in capitals": jws(programKey, strings.Replace(headerOf(programKey, wire.TypProgram),
			kidOf(programKey), strings.ToUpper(kidOf(programKey)), 1), text),
		"a signature of 63 bytes": good[:len(good)-2],
	} {
		refuse(name, wire.BadHeader, doc)
	}

	refuse("a key that the set does not name", wire.UnknownKey,
		jws(strangerKey, headerOf(strangerKey, wire.TypProgram), text))
	refuse("a key of another role", wire.UnknownKey, jws(alertsKey, headerOf(alertsKey, wire.TypProgram), text))
	refuse("signed by a root", wire.UnknownKey, jws(rootKey, headerOf(rootKey, wire.TypProgram), text))
	refuse("a stranger's signature under our kid", wire.BadSignature,
		jws(strangerKey, headerOf(programKey, wire.TypProgram), text))
	other := program()
	other.Areas = []string{"quang-ngai"}
	refuse("another payload under a good signature", wire.BadSignature,
		bytes.Join([][]byte{parts[0], []byte(base64.RawURLEncoding.EncodeToString(mustJSON(other))), parts[2]}, []byte(".")))
	refuse("a bad signature goes before a bad document", wire.BadSignature,
		jws(strangerKey, headerOf(programKey, wire.TypProgram), "[]"))
	refuse("an unknown key goes before a bad signature", wire.UnknownKey,
		jws(programKey, headerOf(strangerKey, wire.TypProgram), text))

	for name, doc := range map[string][]byte{
		"an array":                   signed("[]"),
		"no JSON":                    signed("hello"),
		"nothing":                    signed(""),
		"two values":                 signed(text + "{}"),
		"not UTF-8":                  edit(`"why":"default"`, "\"why\":\"\xff\""),
		"a name twice":               edit(`{"v":1`, `{"v":1,"v":1`),
		"a name twice, once escaped": edit(`{"v":1`, `{"v":1,"\u0076":1`),
		"a name twice, deep in an unknown member": edit(`{"v":1`, `{"v":1,"new":[{"a":1,"a":2}]`),
		"a name in capitals":                      edit(`"sign":`, `"Sign":`),
		"a member that is missing":                edit(`"fallback":1,`, ``),
		"a fraction":                              edit(`"ms":8000`, `"ms":8000.5`),
		"an exponent":                             edit(`"ms":8000`, `"ms":8e3`),
		"a number beyond 2^53":                    edit(`"ms":8000`, `"ms":9007199254740993`),
		"a number in quotes":                      edit(`"ms":8000`, `"ms":"8000"`),
		"version 2":                               change(func(p *timeline.Program) { p.V = 2 }),
		"another role":                            change(func(p *timeline.Program) { p.Role = "alerts" }),
		"8 days and a second":                     change(func(p *timeline.Program) { p.Exp++ }),
		"an item that is not there":               change(func(p *timeline.Program) { p.Loops[0].Order = []int64{4} }),
		"a frame that is not there":               change(func(p *timeline.Program) { p.Items[0].Steps[0].Frame = -1 }),
		"a loop that is not there":                change(func(p *timeline.Program) { p.Segments[0].Loop = 3 }),
		"a fallback below dark":                   change(func(p *timeline.Program) { p.Fallback = -2 }),
		"an empty loop":                           change(func(p *timeline.Program) { p.Loops[0].Order = []int64{} }),
		"an empty item":                           change(func(p *timeline.Program) { p.Items[0].Steps = []timeline.Step{} }),
		"a step of 99 ms":                         change(func(p *timeline.Program) { p.Items[0].Steps[0].MS = 99 }),
		"segments that overlap": change(
			func(p *timeline.Program) { p.Segments = append(p.Segments, p.Segments[0]) }),
		"an empty segment": change(
			func(p *timeline.Program) { p.Segments[0].Until = p.Segments[0].From }),
		"a still of another size": change(func(p *timeline.Program) { p.Frames[0].W = 8 }),
		"a strip that is too short": change(func(p *timeline.Program) {
			p.Frames[0].W = 15
			p.Items[0].Steps[0].Scroll = &timeline.Scroll{Axis: "x", PxS: 20}
		}),
		"a strip of 32,768 pixels": change(func(p *timeline.Program) {
			p.Frames[0].W = 32768
			p.Items[0].Steps[0].Scroll = &timeline.Scroll{Axis: "x", PxS: 20}
		}),
		"a scroll along z": change(
			func(p *timeline.Program) { p.Items[0].Steps[0].Scroll = &timeline.Scroll{Axis: "z", PxS: 20} }),
		"a digest in capitals": change(
			func(p *timeline.Program) { p.Frames[0].SHA256 = strings.ToUpper(p.Frames[0].SHA256) }),
		"a frame of 900 KiB and a byte": change(func(p *timeline.Program) { p.Frames[0].Len = 900<<10 + 1 }),
		"another kind of frame":         change(func(p *timeline.Program) { p.Frames[0].Type = "image/gif" }),
		"101 percent": change(func(p *timeline.Program) {
			p.Brightness = []timeline.Brightness{{From: now, Until: now + 1, Percent: 101}}
		}),
	} {
		refuse(name, wire.BadDocument, doc)
	}

	refuse("for another sign", wire.WrongSign, change(func(p *timeline.Program) { p.Sign = "qn-002" }))
	refuse("another sign goes before another class", wire.WrongSign, change(func(p *timeline.Program) {
		p.Sign, p.Class = "qn-002", "16x8-red"
	}))
	refuse("a bad document goes before another sign", wire.BadDocument,
		change(func(p *timeline.Program) { p.Sign, p.V = "qn-002", 2 }))
	refuse("for another class", wire.WrongClass, change(func(p *timeline.Program) { p.Class = "16x8-red" }))
	refuse("another class goes before another epoch", wire.WrongClass,
		change(func(p *timeline.Program) { p.Class, p.Epoch = "16x8-red", 2 }))
	refuse("of another epoch", wire.WrongEpoch, change(func(p *timeline.Program) { p.Epoch = 2 }))
	refuse("another epoch goes before its end", wire.WrongEpoch, change(func(p *timeline.Program) {
		p.Header = wire.NewHeader(wire.RoleProgram, 0, seq0, now-wire.LifeProgram, wire.LifeProgram)
	}))
	refuse("before its time", wire.NotYet, change(func(p *timeline.Program) {
		p.Header = wire.NewHeader(wire.RoleProgram, 1, seq0, now+601, wire.LifeProgram)
	}))
	refuse("at its end", wire.Expired, change(func(p *timeline.Program) {
		p.Header = wire.NewHeader(wire.RoleProgram, 1, seq0, now-wire.LifeProgram, wire.LifeProgram)
	}))

	m = s.make("document: the last moment before its end, the first of its time", class)
	m.begin()
	p := program()
	p.Header = wire.NewHeader(wire.RoleProgram, 1, seq0, now-wire.LifeProgram+1, wire.LifeProgram)
	m.plays(p, onlyTwo...)
	p = program()
	p.Header = wire.NewHeader(wire.RoleProgram, 1, seq0+1, now+600, wire.LifeProgram)
	m.program(p, received("program", seq0+1), showing("program", seq0+1))
	m.end()

	m = s.make("document: unknown members are ignored, whatever they hold", class)
	m.begin()
	m.message(topicProgram, signed(
		strings.Replace(text, `{"v":1`, `{"new":{"a":[1.5,1e99,null,true,{"b":"\u00e9"}]},"v":1`, 1)))
	for i, f := range onlyTwo {
		if i < len(onlyTwo)-1 {
			m.frame(f)
		} else {
			m.frame(f, received("program", seq0), showing("program", seq0))
		}
	}
	m.shows("program", "one", frameA, 0)
	m.end()

	floors(s)
	sortCases(s)
	return s
}

// floors is the cases of seq, of repeats and of what is kept to be tried again.
func floors(s *suite) {
	m := s.make("floor: below it, and at it with other bytes", class)
	m.ready(program(), onlyTwo...)
	p := program()
	p.Seq = seq0 - 1
	m.program(p, ack{"role": "program", "epoch": 1, "seq": seq0 - 1, "state": "rejected", "reason": "stale-seq"})
	p = program()
	p.Items[0].ID = "other"
	m.program(p, ack{"role": "program", "epoch": 1, "seq": seq0, "state": "rejected", "reason": "stale-seq"})
	m.shows("program", "one", frameA, 0)
	m.end()

	m = s.make("floor: the same document again is acked with its present state", class)
	m.ready(program(), onlyTwo...)
	m.program(program(), showing("program", seq0))
	m.shows("program", "one", frameA, 0)
	m.end()

	m = s.make("floor: the same document again is not judged by the clock", class)
	m.ready(program(), onlyTwo...)
	m.wait(wire.LifeProgram * 1000)
	m.program(program(), showing("program", seq0))
	m.end()

	m = s.make("floor: it lasts over a restart", class)
	m.ready(program(), onlyTwo...)
	p = program()
	p.Seq = seq0 + 5
	m.program(p, received("program", seq0+5), showing("program", seq0+5))
	m.start(now*1000, true)
	m.shows("program", "one", frameA, 0) // before there is a network
	m.connect()
	m.program(program(), rejected("program", wire.StaleSeq))
	m.end()

	m = s.make("floor: a stale seq goes before its end", class)
	m.ready(program(), onlyTwo...)
	p = program()
	p.Header = wire.NewHeader(wire.RoleProgram, 1, seq0-1, now-wire.LifeProgram, wire.LifeProgram)
	m.program(p, rejected("program", wire.StaleSeq))
	m.end()

	m = s.make("floor: what waits for frames has none yet; a newer one takes its place", class)
	m.begin()
	m.program(program())
	p = program()
	p.Seq = seq0 + 1
	p.Items[0].ID = "newer"
	m.program(p)
	m.program(program(), rejected("program", wire.StaleSeq))
	for i, f := range onlyTwo {
		if i < len(onlyTwo)-1 {
			m.frame(f)
		} else {
			m.frame(f, received("program", seq0+1), showing("program", seq0+1))
		}
	}
	m.shows("program", "newer", frameA, 0)
	m.end()

	m = s.make("kept: a program before its keys", class)
	m.start(now*1000, true)
	m.connect()
	m.program(program(), rejected("program", wire.UnknownKey))
	m.keys(keySet())
	for i, f := range onlyTwo {
		if i < len(onlyTwo)-1 {
			m.frame(f)
		} else {
			m.frame(f, received("program", seq0), showing("program", seq0))
		}
	}
	m.end()

	m = s.make("kept: a program of the next epoch", class)
	m.ready(program(), onlyTwo...)
	p = program()
	p.Epoch, p.Seq = 2, 7
	p.Items[0].ID = "next"
	m.program(p, ack{"role": "program", "epoch": 2, "seq": 7, "state": "rejected", "reason": "wrong-epoch"})
	m.shows("program", "one", frameA, 0)
	k := keySet()
	k.Epoch, k.Seq = 2, 1
	m.keysBy(rootKey, k, ack{"role": "program", "epoch": 2, "seq": 7, "state": "received"},
		ack{"role": "program", "epoch": 2, "seq": 7, "state": "showing"})
	m.shows("program", "next", frameA, 0)
	m.end()

	m = s.make("kept: a program before its time, until the clock is put right", class)
	m.ready(program(), onlyTwo...)
	m.asks("AAAAAAAAAAAAAAAAAAAAAA")
	m.answers("AAAAAAAAAAAAAAAAAAAAAA", (now+3600)*1000)
	m.wait(30_000)
	p = program()
	p.Header = wire.NewHeader(wire.RoleProgram, 1, seq0+3600_000, now+3600, wire.LifeProgram)
	p.Items[0].ID = "later"
	m.program(p, rejected("program", wire.NotYet))
	m.asks("BBBBBBBBBBBBBBBBBBBBBB")
	m.answers("BBBBBBBBBBBBBBBBBBBBBB", (now+3630)*1000)
	m.c.Expect[len(m.c.Expect)-1].Acks = []map[string]any{received("program", seq0+3600_000),
		showing("program", seq0+3600_000)}
	// 3,600,000 ms after the anchor is 257 loops of 14 s and 2 s.
	m.shows("program", "later", frameA, 0)
	m.end()

	m = s.make("kept: rubbish does not push it out", class)
	m.start(now*1000, true)
	m.connect()
	m.program(program(), rejected("program", wire.UnknownKey))
	m.message(topicProgram, []byte("rubbish"), rejected("program", wire.BadHeader))
	m.keys(keySet())
	m.frame(frameA)
	m.frame(frameB)
	m.frame(frameC)
	m.frame(frameD, received("program", seq0), showing("program", seq0))
	m.end()
}

// next64 is a character of base64url that differs from c in its lowest bit.
func next64(c byte) byte {
	const a = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return a[strings.IndexByte(a, c)^1]
}
