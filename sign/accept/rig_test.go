package accept

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

const (
	t0    = int64(1_800_000_000) // Unix s
	sign  = "qn-001"
	class = "16x8-rgb"
)

func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func kid(k ed25519.PrivateKey) string { return wire.KeyID(public(k)) }

var root, spare, programKey, alertsKey, testKey, requestKey = key(1), key(2), key(3), key(4), key(5), key(6)

// rig is a machine with a host that has no disk and no network. It writes down every effect as a line of words.
type rig struct {
	t      *testing.T
	m      *Machine
	now    wire.Clock
	full   bool            // the disk takes nothing
	frames map[string]bool // frames that are there, by digest
	log    []string
}

func config() Config {
	return Config{Sign: sign, Class: class, Areas: []string{"quang-ngai/son-tinh"},
		Roots: wire.Roots{Root: public(root), Spare: public(spare)}}
}

func newRig(t *testing.T, change ...func(*Config)) *rig {
	c := config()
	for _, f := range change {
		f(&c)
	}
	return &rig{t: t, m: New(c), now: wire.Clock{NowMS: t0 * 1000, Trusted: true}, frames: map[string]bool{}}
}

func (r *rig) step(ev Event) {
	for _, e := range r.m.Step(ev, r.now) {
		r.carryOut(e)
	}
}

func (r *rig) say(format string, args ...any) { r.log = append(r.log, fmt.Sprintf(format, args...)) }

func (r *rig) carryOut(effect Effect) {
	switch e := effect.(type) {
	case Refused:
		r.say("refused %s %s", e.Role, wire.ReasonOf(e.Err))
	case SendAck:
		a := e.Ack
		if a.V != 1 || a.AtMS != r.now.NowMS {
			r.t.Errorf("ack of version %d at %d", a.V, a.AtMS)
		}
		words := []string{"ack", a.Role, fmt.Sprint(a.Seq), a.Alert, string(a.State), string(a.Reason),
			a.Frame[:min(2, len(a.Frame))]}
		r.say("%s", strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " "))
	case SendStatus:
		r.say("status")
	case Store:
		if r.full {
			r.say("disk full")
		} else {
			r.say("store %s %d", e.Role, e.Seq)
		}
		r.step(Stored{Store: e, OK: !r.full})
	case Drop:
		r.say("drop %s", e.Role)
	case FetchProgram:
		if r.whole(e.Program.Frames) {
			r.step(ProgramFrames{})
		} else {
			r.say("fetch")
		}
	case SetProgram:
		if e.Program == nil {
			r.say("program none")
		} else {
			r.say("program %d", e.Program.Seq)
		}
	case SetAlerts:
		if e.Set == nil {
			r.say("%s none", alertRole(e.Test))
		} else {
			r.say("%s %d", alertRole(e.Test), e.Set.Seq)
		}
	case CheckAlert:
		r.step(AlertFrames{Check: e, Whole: r.whole(e.Alert.Frames)})
	case Perform:
		r.say("perform %s", e.Request.Op)
	case Again:
		r.step(e.Document)
	case Save:
		r.say("save")
	}
}

func (r *rig) whole(frames []timeline.Frame) bool {
	for _, f := range frames {
		if !r.frames[f.SHA256] {
			return false
		}
	}
	return true
}

// want compares what happened since the last call.
func (r *rig) want(lines ...string) {
	r.t.Helper()
	if !slices.Equal(r.log, lines) {
		r.t.Errorf("happened:\n\t%s\nwant:\n\t%s", strings.Join(r.log, "\n\t"), strings.Join(lines, "\n\t"))
	}
	r.log = nil
}

func (r *rig) seal(k ed25519.PrivateKey, typ string, v any) []byte {
	r.t.Helper()
	doc, err := wire.Seal(k, typ, v)
	if err != nil {
		r.t.Fatal(err)
	}
	return doc
}

func digest(n byte) string { return strings.Repeat(fmt.Sprintf("%x", n), 64) }

func frames(ns ...byte) (out []timeline.Frame) {
	for _, n := range ns {
		out = append(out, timeline.Frame{SHA256: digest(n), Len: 100, Type: "image/png", W: 16, H: 8, Owner: "public"})
	}
	return out
}

func (r *rig) keySet(seq int64, change ...func(*wire.KeySet)) []byte {
	return r.keysBy(root, seq, change...)
}

func (r *rig) keysBy(k ed25519.PrivateKey, seq int64, change ...func(*wire.KeySet)) []byte {
	s := &wire.KeySet{Header: wire.NewHeader(wire.RoleKeys, 1, seq, t0, wire.LifeKeys)}
	for role, k := range map[string]ed25519.PrivateKey{wire.RoleProgram: programKey, wire.RoleAlerts: alertsKey,
		wire.RoleAlertsTest: testKey, wire.RoleRequest: requestKey} {
		s.Keys = append(s.Keys, wire.Key{Kid: kid(k), Role: role, X: wire.EncodeKey(public(k)), Nbf: s.Nbf, Exp: s.Exp})
	}
	slices.SortFunc(s.Keys, func(a, b wire.Key) int { return strings.Compare(a.Role, b.Role) })
	for _, f := range change {
		f(s)
	}
	return r.seal(k, wire.TypKeys, s)
}

func (r *rig) program(seq int64, change ...func(*timeline.Program)) []byte {
	p := &timeline.Program{
		Header:   wire.NewHeader(wire.RoleProgram, 1, seq, t0, wire.LifeProgram),
		Sign:     sign,
		Class:    class,
		Areas:    []string{"quang-nam"},
		Frames:   frames(1),
		Items:    []timeline.Item{{ID: "a", Owner: "public", Steps: []timeline.Step{{MS: 5000}}}},
		Loops:    []timeline.Loop{{Anchor: t0, Order: []int64{0}}},
		CommLoss: timeline.CommLoss{AfterS: 86400},
	}
	for _, f := range change {
		f(p)
	}
	return r.seal(programKey, wire.TypProgram, p)
}

func alert(id string, ns ...byte) timeline.Alert {
	a := timeline.Alert{
		ID:      id,
		From:    t0,
		Until:   t0 + 3600,
		Areas:   []string{"quang-ngai"},
		CycleMS: 60000,
		Frames:  frames(ns...),
	}
	for i := range ns {
		a.Frames[i].Owner = ""
		a.Steps = append(a.Steps, timeline.Step{Frame: int64(i), MS: 5000})
	}
	return a
}

func (r *rig) alerts(seq int64, alerts []timeline.Alert, ended ...timeline.Ended) []byte {
	return r.seal(alertsKey, wire.TypAlerts, &timeline.AlertSet{
		Header: wire.NewHeader(wire.RoleAlerts, 1, seq, r.now.NowMS/1000, wire.LifeAlerts),
		Class:  class, Alerts: alerts, Ended: ended})
}

func (r *rig) request(seq int64, op string) []byte {
	return r.seal(requestKey, wire.TypRequest, &wire.SignRequest{
		Header: wire.NewHeader(wire.RoleRequest, 1, seq, t0, wire.LifeRequest), Sign: sign, ID: "r", Op: op})
}

func (r *rig) sendKeys(doc []byte)    { r.step(Document{wire.TopicKeys, doc}) }
func (r *rig) sendProgram(doc []byte) { r.step(Document{wire.SignTopic(sign, wire.LeafProgram), doc}) }
func (r *rig) sendAlerts(doc []byte)  { r.step(Document{wire.AlertsTopic(class, false), doc}) }
func (r *rig) sendRequest(doc []byte) { r.step(Document{wire.SignTopic(sign, wire.LeafRequest), doc}) }

// withKeys is a rig that has accepted a key set.
func withKeys(t *testing.T, change ...func(*Config)) *rig {
	r := newRig(t, change...)
	r.sendKeys(r.keySet(1))
	r.want("store keys 1", "status")
	return r
}
