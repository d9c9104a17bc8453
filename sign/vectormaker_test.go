package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// now is when the vectors play, Unix s: a multiple of 18, 60 and 8640 s, so
// that cycles begin with it.
const now = int64(1_767_200_400)

// seq0 is what a document issued at now has as its seq.
const seq0 = now * 1000

func keyOf(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func pubOf(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func kidOf(k ed25519.PrivateKey) string { return wire.KeyID(pubOf(k)) }

// The keys of every case, from fixed seeds.
var (
	rootKey     = keyOf(1)
	spareKey    = keyOf(2)
	programKey  = keyOf(3)
	alertsKey   = keyOf(4)
	requestKey  = keyOf(5)
	testsKey    = keyOf(6)
	program2Key = keyOf(7)
	strangerKey = keyOf(9)
)

// suite collects cases into a file.
type suite struct {
	t    testing.TB
	file vectorFile
}

func newSuite(t testing.TB, about string) *suite {
	return &suite{t: t, file: vectorFile{About: about, Payloads: map[string]vectorPayload{}}}
}

// maker writes one case: what happens, and what must come of it.
type maker struct {
	s     *suite
	class string
	c     vectorCase
}

type config struct {
	Sign      string   `json:"sign"`
	Class     string   `json:"class"`
	Test      bool     `json:"test"`
	Areas     []string `json:"areas"`
	Root      string   `json:"root"`
	RootSpare string   `json:"root_spare"`
}

// make begins a case for a sign of a class.
func (s *suite) make(name, class string, change ...func(*config)) *maker {
	c := config{Sign: "qn-001", Class: class, Areas: []string{"quang-ngai/son-tinh"},
		Root: wire.EncodeKey(pubOf(rootKey)), RootSpare: wire.EncodeKey(pubOf(spareKey))}
	for _, f := range change {
		f(&c)
	}
	data, err := json.Marshal(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return &maker{s: s, class: class, c: vectorCase{Name: name, Config: data}}
}

func (m *maker) end() { m.s.file.Cases = append(m.s.file.Cases, m.c) }

func (m *maker) add(e vectorEvent, a vectorAnswer) {
	m.c.Events = append(m.c.Events, e)
	m.c.Expect = append(m.c.Expect, a)
}

type ack = map[string]any

func (m *maker) start(systemMS int64, ntp bool, acks ...ack) {
	m.add(vectorEvent{Do: "start", SystemMS: systemMS, NTP: ntp}, vectorAnswer{Acks: acks})
}

func (m *maker) connect() { m.add(vectorEvent{Do: "connect", Session: "5e55104"}, vectorAnswer{}) }

// connectAsking connects, and the sign asks for the time with a challenge.
func (m *maker) connectAsking(challenge string) {
	m.add(vectorEvent{Do: "connect", Session: "5e55104", Challenge: challenge}, vectorAnswer{})
}

// asks has the sign ask for the time once more.
func (m *maker) asks(challenge string) {
	m.add(vectorEvent{Do: "ask-time", Challenge: challenge}, vectorAnswer{})
}

func (m *maker) disconnect() { m.add(vectorEvent{Do: "disconnect"}, vectorAnswer{}) }

func (m *maker) wait(ms int64, acks ...ack) {
	if ms == 0 {
		return
	}
	m.add(vectorEvent{Do: "wait", MS: ms}, vectorAnswer{Acks: acks})
}

// message delivers text (a document) on a topic.
func (m *maker) message(topic string, doc []byte, acks ...ack) {
	sum := sha256.Sum256(doc)
	name := "document-" + hex.EncodeToString(sum[:6])
	p := vectorPayload{Text: string(doc)}
	if !json.Valid(mustJSON(p)) || !bytes.Equal([]byte(string([]rune(string(doc)))), doc) {
		p = vectorPayload{Base64: base64.StdEncoding.EncodeToString(doc)}
	}
	m.payload(topic, name, p, acks...)
}

func (m *maker) fill(topic, char string, n int, acks ...ack) {
	m.payload(topic, fmt.Sprintf("fill-%d", n), vectorPayload{Fill: char, Bytes: n}, acks...)
}

func (m *maker) payload(topic, name string, p vectorPayload, acks ...ack) {
	m.s.file.Payloads[name] = p
	m.add(vectorEvent{Do: "message", Topic: topic, Payload: name}, vectorAnswer{Acks: acks})
}

func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

func (m *maker) seal(k ed25519.PrivateKey, typ string, v any) []byte {
	m.s.t.Helper()
	doc, err := wire.Seal(k, typ, v)
	if err != nil {
		m.s.t.Fatal(err)
	}
	return doc
}

// Topics of the sign and its class.
const (
	topicProgram = "led/v1/signs/qn-001/program"
	topicRequest = "led/v1/signs/qn-001/request"
)

func (m *maker) topicAlerts(test bool) string { return wire.AlertsTopic(m.class, test) }

func (m *maker) keys(k *wire.KeySet) { m.keysBy(rootKey, k) }

func (m *maker) keysBy(by ed25519.PrivateKey, k *wire.KeySet, acks ...ack) {
	m.message(wire.TopicKeys, m.seal(by, wire.TypKeys, k), acks...)
}

func (m *maker) program(p *timeline.Program, acks ...ack) {
	m.message(topicProgram, m.seal(programKey, wire.TypProgram, p), acks...)
}

func (m *maker) alerts(a *timeline.AlertSet, acks ...ack) {
	m.message(m.topicAlerts(false), m.seal(alertsKey, wire.TypAlerts, a), acks...)
}

// frame delivers a program's frame.
func (m *maker) frame(f *file, acks ...ack) {
	m.bytes(wire.FrameTopic("public", f.meta.SHA256), f.data, acks...)
}

func (m *maker) alertFrame(f *file, test bool, acks ...ack) {
	m.bytes(wire.AlertFrameTopic(m.class, test, f.meta.SHA256), f.data, acks...)
}

func (m *maker) bytes(topic string, data []byte, acks ...ack) {
	sum := sha256.Sum256(data)
	m.payload(topic, "frame-"+hex.EncodeToString(sum[:6]), vectorPayload{Base64: base64.StdEncoding.EncodeToString(data)},
		acks...)
}

// signedTime sends a time, in ms, for the session of connect.
func (m *maker) signedTime(seq, iat, atMS int64, session string) {
	m.message(topicRequest, m.seal(requestKey, wire.TypRequest,
		&wire.SignRequest{Header: wire.NewHeader(wire.RoleRequest, 1, seq, iat, 300),
			Sign: "qn-001", ID: "t", Op: wire.OpTime, Session: session, AtMS: atMS}))
}

// answers sends a time, in ms, that brings a challenge back. Its seq is 0: a time has no floor.
func (m *maker) answers(challenge string, atMS int64, more ...ack) {
	m.message(topicRequest, m.seal(requestKey, wire.TypRequest,
		&wire.SignRequest{Header: wire.NewHeader(wire.RoleRequest, 1, 1, atMS/1000, 300),
			Sign: "qn-001", ID: "t", Op: wire.OpTime, Session: "5e55104", Challenge: challenge, AtMS: atMS}), more...)
}

// shows asks for the face.
func (m *maker) shows(why, item string, f *file, offset int, more ...int) {
	m.s.t.Helper()
	percent := 100
	if len(more) > 0 {
		percent = more[0]
	}
	m.add(vectorEvent{Do: "ask", What: "face"},
		vectorAnswer{Face: map[string]any{"why": why, "item": item, "frame": f.meta.SHA256,
			"offset": offset, "percent": percent, "rgb_sha256": f.shown(m.class, offset)}})
}

func (m *maker) dark() {
	w, h := sizeOf(m.class)
	sum := sha256.Sum256(make([]byte, 3*w*h))
	m.add(vectorEvent{Do: "ask", What: "face"},
		vectorAnswer{Face: map[string]any{"why": "dark", "item": "", "frame": "", "offset": 0,
			"rgb_sha256": hex.EncodeToString(sum[:])}})
}

func (m *maker) status(want map[string]any) {
	m.add(vectorEvent{Do: "ask", What: "status"}, vectorAnswer{Status: want})
}

func at(seq int64) map[string]any { return map[string]any{"epoch": 1, "seq": seq} }

// What acks say of a document or an alert.

func received(role string, seq int64) ack {
	return ack{"role": role, "epoch": 1, "seq": seq, "state": "received", "alert": nil, "reason": nil}
}

func showing(role string, seq int64) ack {
	return ack{"role": role, "epoch": 1, "seq": seq, "state": "showing", "alert": nil, "reason": nil}
}

func rejected(role string, reason wire.Reason) ack {
	return ack{"role": role, "state": "rejected", "reason": string(reason), "alert": nil}
}

func alertAck(id, state string, seq int64, reason ...wire.Reason) ack {
	a := ack{"role": "alerts", "epoch": 1, "seq": seq, "alert": id, "state": state, "reason": nil}
	if len(reason) > 0 {
		a["reason"] = string(reason[0])
	}
	return a
}

func sizeOf(class string) (w, h int) {
	if _, err := fmt.Sscanf(class, "%dx%d-", &w, &h); err != nil {
		panic(err)
	}
	return w, h
}

// file is a frame file and the pixels that it stands for.
type file struct {
	meta timeline.Frame
	data []byte
	rgb  []byte // of the whole frame
	axis string
}

// shown is the digest of the face's pixels at an offset.
func (f *file) shown(class string, offset int) string {
	w, h := sizeOf(class)
	fw, fh := int(f.meta.W), int(f.meta.H)
	sum := sha256.New()
	for y := range h {
		for x := range w {
			sx, sy := x, y
			if f.axis == "x" {
				sx = (x + offset) % fw
			}
			if f.axis == "y" {
				sy = (y + offset) % fh
			}
			o := 3 * (sy*fw + sx)
			sum.Write(f.rgb[o : o+3])
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// picture makes an rgb frame whose pixels are all different: seed tells frames
// apart.
func picture(w, h int, seed byte) *file { return strip(w, h, seed, "") }

func strip(w, h int, seed byte, axis string) *file {
	rgb := make([]byte, 0, 3*w*h)
	var rows []byte
	for y := range h {
		rows = append(rows, 0) // filter: none
		for x := range w {
			p := []byte{byte(5 * x), byte(9 * y), seed}
			rgb, rows = append(rgb, p...), append(rows, p...)
		}
	}
	f := newFile(png(w, h, 8, 2, 0, rows), w, h)
	f.rgb, f.axis = rgb, axis
	return f
}

func newFile(data []byte, w, h int) *file {
	return &file{data: data, meta: timeline.Frame{SHA256: wire.Digest(data), Len: int64(len(data)), Type: "image/png",
		W: int64(w), H: int64(h), Owner: "public"}}
}

type chunk struct {
	name string
	body []byte
}

// png writes a PNG by hand, its pixels not compressed: the vectors must not
// change with a library. rows are what IDAT holds.
func png(w, h int, depth, kind, interlace byte, rows []byte, before ...chunk) []byte {
	ihdr := binary.BigEndian.AppendUint32(nil, uint32(w))
	ihdr = binary.BigEndian.AppendUint32(ihdr, uint32(h))
	ihdr = append(ihdr, depth, kind, 0, 0, interlace)
	z := []byte{0x78, 0x01, 0x01} // one stored block, the last
	z = binary.LittleEndian.AppendUint16(z, uint16(len(rows)))
	z = binary.LittleEndian.AppendUint16(z, ^uint16(len(rows)))
	z = append(z, rows...)
	z = binary.BigEndian.AppendUint32(z, adler32.Checksum(rows))
	out := []byte("\x89PNG\r\n\x1a\n")
	chunks := append([]chunk{{"IHDR", ihdr}}, before...)
	for _, c := range append(chunks, chunk{"IDAT", z}, chunk{"IEND", nil}) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(c.body)))
		body := append([]byte(c.name), c.body...)
		out = append(out, body...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
	}
	return out
}

const class = "16x8-rgb"

// Frames that most cases use.
var (
	frameA  = picture(16, 8, 1)
	frameB  = picture(16, 8, 2)
	frameC  = picture(16, 8, 3)
	frameD  = picture(16, 8, 4)
	frameX  = picture(16, 8, 5) // of alerts
	frameY  = picture(16, 8, 6)
	stripX  = strip(40, 8, 7, "x")
	stripY  = strip(16, 20, 8, "y")
	onlyTwo = []*file{frameA, frameB, frameC, frameD}
)

func keySet() *wire.KeySet {
	k := &wire.KeySet{Header: wire.NewHeader(wire.RoleKeys, 1, seq0, now, wire.LifeKeys), Revoked: []string{}}
	for _, e := range []struct {
		role string
		key  ed25519.PrivateKey
	}{{wire.RoleProgram, programKey}, {wire.RoleAlerts, alertsKey}, {wire.RoleAlertsTest, testsKey},
		{wire.RoleRequest, requestKey}} {
		k.Keys = append(k.Keys, wire.Key{Kid: kidOf(e.key), Role: e.role, X: wire.EncodeKey(pubOf(e.key)), Nbf: now - 600,
			Exp: now + wire.LifeKeys})
	}
	return k
}

// program shows, in its segment, one for 8 s and two for 6 s; its fallback and
// its comm-loss loop have an item of their own each.
func program() *timeline.Program {
	p := &timeline.Program{
		Header: wire.NewHeader(wire.RoleProgram, 1, seq0, now, wire.LifeProgram), Sign: "qn-001", Class: class,
		Areas: []string{"quang-ngai/son-tinh"},
		Loops: []timeline.Loop{{Anchor: now, Order: []int64{0, 1}}, {Anchor: now, Order: []int64{2}},
			{Anchor: now, Order: []int64{3}}},
		Segments: []timeline.Segment{{From: now - 3600, Until: now + 10*86400, Loop: 0, Why: "default"}},
		Fallback: 1, CommLoss: timeline.CommLoss{AfterS: 86400, Loop: 2},
	}
	for i, f := range onlyTwo {
		p.Frames = append(p.Frames, f.meta)
		id := []string{"one", "two", "fallback", "lost"}[i]
		p.Items = append(p.Items,
			timeline.Item{ID: id, Owner: "public",
				Steps: []timeline.Step{{Frame: int64(i), MS: []int64{8000, 6000, 5000, 5000}[i]}}})
	}
	return p
}

// ready brings a sign with a trusted clock to play p, whose frames are files.
func (m *maker) ready(p *timeline.Program, files ...*file) {
	m.begin()
	m.plays(p, files...)
}

func (m *maker) begin() {
	m.start(now*1000, true)
	m.connect()
	m.keys(keySet())
}

func (m *maker) plays(p *timeline.Program, files ...*file) {
	m.program(p)
	for i, f := range files {
		if i < len(files)-1 {
			m.frame(f)
			continue
		}
		m.frame(f, received("program", p.Seq), showing("program", p.Seq))
	}
}
