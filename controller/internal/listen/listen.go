// Package listen keeps what signs report about themselves: status, acks and snapshots. It believes a sign only about
// itself, and only within the limits of docs/protocol.md.
package listen

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"log/slog"
	"sort"
	"sync"
	"time"

	"ledcast/playlists"
	"ledcast/sign/wire"
)

// Silence is how long a sign may send nothing before it counts as offline, although its will never came: two statuses
// and a minute.
const Silence = 11 * time.Minute

// State is what is known of a sign. The zero State is a sign that never sent anything.
type State struct {
	Sign     string
	Status   *wire.Status // the last online one; nil before
	Online   bool
	HeardAt  time.Time            // of its last message
	Snapshot []byte               // PNG, its last
	ShotAt   time.Time            // when the snapshot came
	Acks     map[string]*wire.Ack // last by role, and role/alert
	Dropped  int                  // messages over the limit that were not held, since start
	FloodAt  time.Time            // when it last sent more than it may
	Proof    string               // a fault of its proof of play; "" for none
	Bad      string               // the error of its last message that could not be read
}

// Events are called when something changes, from the goroutine that received the message.
type Events struct {
	// Online is called with every online status.
	Online func(sign string, s *wire.Status)
	// Clock, if given, is called with what a sign's clock says in an online status, at the moment that it arrives.
	Clock func(sign string, atMS int64, trusted bool)
	// Ack is called with every ack that could be read.
	Ack func(sign string, a *wire.Ack)
	// Class is the class of a sign that the controller knows. A snapshot must have its size. It is required, and must
	// not call the listener.
	Class func(sign string) (c playlists.Class, ok bool)
}

// Listener receives. Its methods are safe for concurrent use.
type Listener struct {
	now func() time.Time
	log *slog.Logger
	ev  Events

	mu      sync.Mutex
	signs   map[string]*signState
	holding map[string]bool // signs of which something is held

	proofs chan<- proof // to the Auditor; nil without one
}

// signState is a sign as the listener keeps it.
type signState struct {
	State
	session string // of the last online status
	flood   *flood
	// When it last went offline and came online. An absence between two updates of the health log is one, too.
	left, back time.Time
}

// New returns a listener that has received nothing yet.
func New(now func() time.Time, log *slog.Logger, ev Events) *Listener {
	return &Listener{now: now, log: log, ev: ev, signs: map[string]*signState{}, holding: map[string]bool{}}
}

// Topics returns the filters to subscribe to.
func Topics() []string {
	out := []string{}
	for _, leaf := range []wire.Leaf{wire.LeafStatus, wire.LeafAck, wire.LeafSnapshot, wire.LeafPlayed} {
		out = append(out, wire.SignTopic("+", leaf))
	}
	return out
}

// Message takes one message. retained says that the broker had it already: it does not prove that the sign is alive.
func (l *Listener) Message(topic string, payload []byte, retained bool) {
	sign, leaf, ok := wire.SplitSignTopic(topic)
	if !ok || len(payload) == 0 {
		return
	}
	now := l.now()
	l.flush() // what is held came before
	l.mu.Lock()
	h := l.sign(sign)
	if ok := retained || l.limit(h, leaf, payload, now); !ok {
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.deliver(sign, leaf, payload, retained, now)
}

// sign returns a sign's state, made if it is new.
func (l *Listener) sign(sign string) *signState {
	h := l.signs[sign]
	if h == nil {
		h = &signState{State: State{Sign: sign, Acks: map[string]*wire.Ack{}}, flood: newFlood()}
		l.signs[sign] = h
	}
	return h
}

// limit reports whether a message is within the sign's limit. Sessions are followed in any case: if the begin of the
// last one were not seen, its end would be taken for a will that lost its race.
func (l *Listener) limit(h *signState, leaf wire.Leaf, payload []byte, now time.Time) bool {
	var s *wire.Status
	if leaf == wire.LeafStatus {
		s, _ = wire.ParseStatus(payload) // what cannot be read counts like any other message
	}
	first := s != nil && s.State == wire.Online && s.Session != h.session
	ok, dropped := h.flood.take(now, leaf, payload, first)
	if ok {
		return true
	}
	h.FloodAt = now
	if dropped {
		h.Dropped++
	} else {
		l.holding[h.Sign] = true
	}
	was := h.Online
	switch {
	case s == nil:
	case s.State == wire.Online:
		h.session, h.Online = s.Session, true
	case s.Session == h.session:
		h.Online = false
	}
	h.noteChange(was, now)
	return false
}

// deliver takes a message that is within the limits.
func (l *Listener) deliver(sign string, leaf wire.Leaf, payload []byte, retained bool, now time.Time) {
	l.mu.Lock()
	h := l.signs[sign]
	was := h.Online
	var online *wire.Status
	var ack *wire.Ack
	var err error
	switch leaf {
	case wire.LeafStatus:
		online, err = h.status(payload)
	case wire.LeafAck:
		ack, err = h.ack(payload)
	case wire.LeafSnapshot:
		if err = l.snapshot(sign, payload); err == nil {
			h.Snapshot, h.ShotAt = payload, now
		}
	case wire.LeafPlayed:
		err = l.played(sign, payload)
	}
	if err != nil {
		h.Bad = err.Error()
		l.log.Warn("message from a sign cannot be read", "sign", sign, "topic", leaf, "err", err)
	} else if !retained {
		h.HeardAt = now
	}
	h.noteChange(was, now)
	l.mu.Unlock()
	if online != nil && !retained && l.ev.Clock != nil {
		l.ev.Clock(sign, online.AtMS, online.Clock == "trusted")
	}
	if online != nil && l.ev.Online != nil {
		l.ev.Online(sign, online)
	}
	if ack != nil && !retained && l.ev.Ack != nil {
		l.ev.Ack(sign, ack)
	}
}

// Faults are what is wrong with a sign: what the listener finds and what the sign reports.
func (s *State) Faults(now time.Time) []string {
	var out []string
	if s.Proof != "" {
		out = append(out, s.Proof)
	}
	if !s.FloodAt.IsZero() && now.Sub(s.FloodAt) < floodFault {
		out = append(out, FaultFlood)
	}
	if s.Status != nil {
		out = append(out, s.Status.Faults...)
	}
	return out
}

// noteChange keeps when the sign went offline or came online.
func (h *signState) noteChange(was bool, now time.Time) {
	switch {
	case was && !h.Online:
		h.left = now
	case !was && h.Online:
		h.back = now
	}
}

// played hands a record to the auditor. A full queue drops it: the sign sends it again.
func (l *Listener) played(sign string, payload []byte) error {
	if len(payload) > wire.MaxPlayed {
		return &wire.Rejection{Reason: wire.TooLarge, Detail: "a proof of play over 64 KiB"}
	}
	select {
	case l.proofs <- proof{sign, bytes.Clone(payload)}:
	default:
	}
	return nil
}

// status takes a status or a will. An "offline" of another session than that of the last "online" is a will that lost
// its race, and is ignored.
func (h *signState) status(payload []byte) (online *wire.Status, err error) {
	s, err := wire.ParseStatus(payload)
	if err != nil {
		return nil, err
	}
	if s.State == wire.Offline {
		if s.Session == h.session || h.session == "" {
			h.Online = false
		}
		return nil, nil
	}
	h.session, h.Status, h.Online = s.Session, s, true
	return s, nil
}

func (h *signState) ack(payload []byte) (*wire.Ack, error) {
	a, err := wire.ParseAck(payload)
	if err != nil {
		return nil, err
	}
	key := a.Role
	if a.Alert != "" {
		key += "/" + a.Alert
	}
	if len(h.Acks) < 200 || h.Acks[key] != nil {
		h.Acks[key] = a
	}
	return a, nil
}

// Online reports whether a sign is connected and not silent.
func (l *Listener) Online(sign string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.signs[sign]
	return h != nil && h.Online && l.now().Sub(h.HeardAt) <= Silence
}

// Seq returns the highest seq that a sign acked last for a role, or reported in its status.
func (l *Listener) Seq(sign, role string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.signs[sign]
	if h == nil {
		return 0
	}
	var seq int64
	if a := h.Acks[role]; a != nil {
		seq = a.Seq
	}
	if s := h.Status; s != nil && role == wire.RoleProgram && s.Program != nil {
		seq = max(seq, s.Program.Seq)
	}
	if s := h.Status; s != nil && role == wire.RoleAlerts && s.Alerts != nil {
		seq = max(seq, s.Alerts.Seq)
	}
	return seq
}

// snapshot checks a PNG by its header before anything decodes it: it must have the size of the sign's class, and 8 bits
// a channel at most. A few kilobytes can claim gigabytes otherwise.
func (l *Listener) snapshot(sign string, payload []byte) error {
	if len(payload) > wire.MaxSnapshot {
		return &wire.Rejection{Reason: wire.TooLarge, Detail: "a snapshot over 900 KiB"}
	}
	c, err := png.DecodeConfig(bytes.NewReader(payload))
	if err != nil {
		return err
	}
	class, ok := l.ev.Class(sign)
	switch {
	case !ok:
		return &wire.Rejection{Reason: wire.BadDocument, Detail: "a snapshot of an unknown sign"}
	case c.Width != class.W || c.Height != class.H:
		return &wire.Rejection{Reason: wire.BadDocument,
			Detail: fmt.Sprintf("a snapshot of %dx%d from a sign of %dx%d", c.Width, c.Height, class.W, class.H)}
	case c.ColorModel == color.Gray16Model || c.ColorModel == color.RGBA64Model || c.ColorModel == color.NRGBA64Model:
		return &wire.Rejection{Reason: wire.BadDocument, Detail: "a snapshot of 16 bits a channel"}
	}
	return nil
}

// State returns what is known of a sign now.
func (l *Listener) State(sign string) State {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.signs[sign]
	if h == nil {
		return State{Sign: sign}
	}
	s := h.State
	s.Acks = make(map[string]*wire.Ack, len(h.Acks))
	for k, a := range h.Acks {
		s.Acks[k] = a
	}
	if s.Online && l.now().Sub(s.HeardAt) > Silence {
		s.Online = false
	}
	return s
}

// Signs lists every sign that ever sent something, sorted.
func (l *Listener) Signs() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]string, 0, len(l.signs))
	for id := range l.signs {
		out = append(out, id)
	}
	sort.Strings(out)
	return out
}
