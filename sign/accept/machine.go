// Package accept decides what becomes of every signed document that a sign receives: key sets, programs, alert
// sets and requests (docs/protocol.md, "Accepting").
//
// A [Machine] is a pure state machine. [Machine.Step] takes an [Event] and the time, changes the machine's state,
// and returns the [Effect] values that follow. It reads no clock, disk or network and starts no goroutine, so that
// tests and simulators can step thousands of signs. The host owns all bytes: it keeps documents and frames where it
// likes, and answers the effects that ask about them with events.
//
//	for _, effect := range machine.Step(accept.Document{Topic: topic, Doc: doc}, now) {
//		host.carryOut(effect) // may call machine.Step again
//	}
//
// Package box gives a machine a disk and a face; package crowd runs thousands of them in one process.
package accept

import (
	"maps"
	"slices"
	"strconv"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// Config describes the sign whose documents a machine accepts.
type Config struct {
	Sign    string
	Class   string   // e.g. "128x64-rgb"
	Areas   []string // in force until the first program
	Test    bool     // it reads the alerts of tests, too
	Picture bool     // a picture sign: it reads key sets and requests only
	Roots   wire.Roots
	// QuietUntilKeys delays the verdict on documents that come before the first key set, instead of acking them
	// as refused first. It is for simulated signs: a real sign has a key set on its disk from its second start on.
	QuietUntilKeys bool
}

// Machine is the state of one sign. It is used by one goroutine.
type Machine struct {
	c          Config
	keys       *wire.KeySet
	keysDigest string
	nextKeys   *wire.KeySet          // checked, and being stored
	floors     map[string]wire.Floor // by FloorKey
	stored     map[string]string     // digest of the stored document, by role
	waiting    map[string][]byte     // documents that may become acceptable, by topic
	program    *program
	pending    *pending
	sets       [2]alertSet              // live and test
	acked      map[string]wire.AckState // last ack, by alert
	ended      map[string]int64         // until (Unix s) of alerts that are over, by id: kept over a restart
	over       map[string]bool          // alerts that are over, by id
}

// program is what the machine remembers of the program in force. The host has the program itself.
type program struct {
	epoch, seq int64
	kid        string
	areas      []string
	showing    bool // acked as showing
}

// pending is a program that passed every check but those of its frames.
type pending struct {
	doc     []byte
	digest  string
	program *timeline.Program
	failure wire.Reason // the last one that was acked
}

type alertSet struct {
	set *timeline.AlertSet
	kid string
}

// New returns the machine of a sign that has not accepted anything yet.
func New(c Config) *Machine {
	return &Machine{c: c, floors: map[string]wire.Floor{}, stored: map[string]string{}, waiting: map[string][]byte{},
		acked: map[string]wire.AckState{}, ended: map[string]int64{}, over: map[string]bool{}}
}

// FloorKey names the floor of a role, subject and epoch.
func FloorKey(role, subject string, epoch int64) string {
	return role + "|" + subject + "|" + strconv.FormatInt(epoch, 10)
}

// RestoreFloors takes over what a sign remembers beside its documents: floors by FloorKey, and the alerts that are
// over with their until (Unix s). Call it before Restore.
func (m *Machine) RestoreFloors(floors map[string]wire.Floor, ended map[string]int64) {
	maps.Copy(m.floors, floors)
	maps.Copy(m.ended, ended)
	for id := range ended {
		m.over[id] = true
	}
}

// Restore takes over a document that was accepted before a restart and whose bytes are known to be those: it is not
// judged again. The returned effects are SetProgram or SetAlerts.
func (m *Machine) Restore(role string, doc []byte) ([]Effect, error) {
	kid, digest := wire.ClaimedKey(doc), wire.Digest(doc)
	var effects []Effect
	switch role {
	case wire.RoleKeys:
		set, err := wire.StoredKeys(doc)
		if err != nil {
			return nil, err
		}
		m.keys, m.keysDigest = set, digest
	case wire.RoleProgram:
		p, err := wire.StoredProgram(doc)
		if err != nil {
			return nil, err
		}
		m.program = &program{epoch: p.Epoch, seq: p.Seq, kid: kid, areas: p.Areas}
		effects = []Effect{SetProgram{p}}
	default:
		test := role == wire.RoleAlertsTest
		set, err := wire.StoredAlerts(doc, test)
		if err != nil {
			return nil, err
		}
		m.sets[index(test)] = alertSet{set, kid}
		effects = []Effect{SetAlerts{test, set}}
	}
	m.stored[role] = digest
	return effects, nil
}

// Reads reports whether documents of this topic are the machine's. Frames are not: they are the host's.
func (m *Machine) Reads(topic string) bool { return m.role(topic) != "" }

func (m *Machine) role(topic string) string {
	switch {
	case topic == wire.TopicKeys:
		return wire.RoleKeys
	case topic == wire.SignTopic(m.c.Sign, wire.LeafRequest):
		return wire.RoleRequest
	case m.c.Picture:
		return ""
	case topic == wire.SignTopic(m.c.Sign, wire.LeafProgram):
		return wire.RoleProgram
	case topic == wire.AlertsTopic(m.c.Class, false):
		return wire.RoleAlerts
	case m.c.Test && topic == wire.AlertsTopic(m.c.Class, true):
		return wire.RoleAlertsTest
	}
	return ""
}

// Step takes one event at the time now and returns what the host must do.
func (m *Machine) Step(ev Event, now wire.Clock) []Effect {
	s := step{Machine: m, now: now}
	switch ev := ev.(type) {
	case Document:
		s.document(ev)
	case Stored:
		s.wasStored(ev)
	case ProgramFrames:
		s.storePending()
	case AlertFrames:
		s.alertFrames(ev)
	case FramesChanged:
		for i := range m.sets {
			s.checkAlerts(i == 1, false)
		}
	case FrameFailed:
		s.frameFailed(ev)
	case Shown:
		s.wasShown(ev)
	case Over:
		s.alertOver(ev.Alert)
	case Revived:
		s.alertRevived(ev.Alert)
	case Lost:
		delete(m.stored, ev.Role)
	case ClockSet:
		s.retry()
	}
	return s.effects
}

// step is one Step of a machine.
type step struct {
	*Machine
	now     wire.Clock
	effects []Effect
}

func (s *step) do(e ...Effect) { s.effects = append(s.effects, e...) }

func (s *step) ack(a wire.Ack) {
	a.V, a.AtMS = 1, s.now.NowMS
	s.do(SendAck{a})
}

func (s *step) receiver() wire.Receiver {
	return wire.Receiver{Sign: s.c.Sign, Class: s.c.Class, Keys: s.keys, Now: s.now,
		Floor: func(role, subject string, epoch int64) *wire.Floor {
			if f, ok := s.floors[FloorKey(role, subject, epoch)]; ok {
				return &f
			}
			return nil
		}}
}

// Keys returns the accepted key set, or nil.
func (m *Machine) Keys() *wire.KeySet { return m.keys }

// Program returns the place of the program in force, or nil.
func (m *Machine) Program() *wire.SeqOf {
	if m.program == nil {
		return nil
	}
	return &wire.SeqOf{Epoch: m.program.epoch, Seq: m.program.seq}
}

// Pending returns the program that waits for its frames, or nil.
func (m *Machine) Pending() *timeline.Program {
	if m.pending == nil {
		return nil
	}
	return m.pending.program
}

// Alerts returns the alert set in force, or nil.
func (m *Machine) Alerts(test bool) *timeline.AlertSet { return m.sets[index(test)].set }

// Acked returns the last state that was acked of an alert, or "".
func (m *Machine) Acked(alert string) wire.AckState { return m.acked[alert] }

// Over reports whether an alert is over.
func (m *Machine) Over(alert string) bool { return m.over[alert] }

// Closed reports whether an alert is over and the sign has said so, if it ever acked the alert.
func (m *Machine) Closed(alert string) bool {
	state := m.acked[alert]
	return m.over[alert] && (state == "" || state == wire.AckEnded)
}

// Ended returns the until (Unix s) of alerts that are over, by id. The host keeps them over a restart; it must not
// change the map.
func (m *Machine) Ended() map[string]int64 { return m.ended }

// Areas returns the areas in force: those of the program, or of the config before the first.
func (m *Machine) Areas() []string {
	if m.program != nil {
		return m.program.areas
	}
	return m.c.Areas
}

func index(test bool) int {
	if test {
		return 1
	}
	return 0
}

func (m *Machine) revoked(kid string) bool { return slices.Contains(m.keys.Revoked, kid) }
