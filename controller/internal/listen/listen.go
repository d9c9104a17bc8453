// Package listen keeps what signs report about themselves: status, acks and snapshots. It believes a sign only about
// itself, and only within the limits of docs/protocol.md.
package listen

import (
	"bytes"
	"context"
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

// badAgain is how often it is logged that a sign's messages cannot be read.
const badAgain = 10 * time.Minute

// State is what is known of a sign. The zero State is a sign that never sent anything.
type State struct {
	Sign     string
	Status   *wire.Status // the last online one; nil before
	Online   bool
	Unknown  bool                 // nobody hears it, or it has not spoken since somebody does again
	HeardAt  time.Time            // of its last message
	Snapshot []byte               // PNG, its last
	ShotAt   time.Time            // when the snapshot came
	Acks     map[string]*wire.Ack // last by role, and role/alert
	Dropped  int                  // messages over the limit that were not held, since start
	FloodAt  time.Time            // when it last sent more than it may
	TwinAt   time.Time            // when two boxes last spoke in turns under its identity
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
	deaf    bool      // there is no connection over which signs are heard
	lost    time.Time // when the last one ended; zero where none did
	back    time.Time // when this one began; zero where there was one from the start
	missed  time.Time // until when signs may have said something that nobody heard
	signs   map[string]*signState
	holding map[string]bool // signs of which something is held
	held    chan struct{}   // wakes Run

	proofs chan<- proof // to the Auditor; nil without one
}

// signState is a sign as the listener keeps it.
type signState struct {
	State
	session string // of the last online status
	told    string // the session of the last one that was not held back
	flood   *flood
	keys    [2]string // the sign's own key by its status: the last one, and the one before
	badAt   time.Time // when it was logged that a message cannot be read
	known   time.Time // of the last message, or of what the broker had retained
	// When it last went offline and came online. An absence between two updates of the health log is one, too.
	left, back time.Time
}

// New returns a listener that has received nothing yet.
func New(now func() time.Time, log *slog.Logger, ev Events) *Listener {
	return &Listener{now: now, log: log, ev: ev, signs: map[string]*signState{}, holding: map[string]bool{},
		held: make(chan struct{}, 1)}
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
	_ = l.flush() // what is held came before
	l.mu.Lock()
	h := l.sign(sign)
	if ok := retained || l.limit(h, leaf, payload, now); !ok {
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.deliver(sign, leaf, payload, retained, now)
}

// Linked says that the controller is connected from now on, or no longer. deaf says that what signs send comes over
// that connection, and is missed without it; an embedded broker hands it over by itself.
func (l *Listener) Linked(up, deaf bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	switch {
	case up == !l.deaf:
	case up:
		if l.deaf, l.back = false, now; deaf {
			l.missed = now
		}
	default:
		l.deaf, l.lost = true, now
	}
}

// state says whether a sign is online, and whether that is unknown. What was heard before an outage says nothing of
// now.
func (l *Listener) state(h *signState, now time.Time) (online, unknown bool) {
	switch {
	case l.deaf:
		return false, true
	case h == nil || h.known.IsZero():
		return false, false
	case h.known.Before(l.missed):
		return false, now.Sub(l.missed) <= Silence
	case h.HeardAt.IsZero(): // the broker had its status: it does not prove that the sign is alive
		return false, false
	}
	return h.Online && now.Sub(latest(h.HeardAt, l.missed)) <= Silence, false
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
		select {
		case l.held <- struct{}{}:
		default:
		}
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
		online, err = h.status(payload, now)
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
		level := slog.LevelDebug // a sign may send many of them
		if gone := now.Sub(h.badAt); gone >= badAgain || gone < 0 {
			h.badAt, level = now, slog.LevelWarn
		}
		l.log.Log(context.Background(), level, "message from a sign cannot be read", "sign", sign, "topic", leaf, "err", err)
	} else {
		h.known = now
		if !retained {
			h.HeardAt = now
		}
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
	if !s.TwinAt.IsZero() && now.Sub(s.TwinAt) < floodFault {
		out = append(out, FaultTwin)
	}
	if s.Status != nil {
		out = append(out, s.Status.Faults...)
	}
	return out
}

// noteKey notices two boxes that run under one identity: they push each other off the broker, and their statuses
// bring two keys in turns. A box that lost its key changes it once.
func (h *signState) noteKey(s *wire.Status, now time.Time) {
	if s.Key == nil || s.Key.Kid == "" || s.Key.Kid == h.keys[0] {
		return
	}
	if s.Key.Kid == h.keys[1] {
		h.TwinAt = now
	}
	h.keys[0], h.keys[1] = s.Key.Kid, h.keys[0]
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
func (h *signState) status(payload []byte, now time.Time) (online *wire.Status, err error) {
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
	if s.Session != h.told {
		h.forget(s)
	}
	h.noteKey(s, now)
	h.session, h.told, h.Status, h.Online = s.Session, s.Session, s, true
	return s, nil
}

// forget drops acks that the first status of a connection contradicts: a sign on a new disk has nothing of what it
// acked.
func (h *signState) forget(s *wire.Status) {
	if s.Keys == nil {
		clear(h.Acks)
		return
	}
	drop := func(role string, has int64) {
		if a := h.Acks[role]; a != nil && a.State != wire.AckRejected && has < a.Seq {
			delete(h.Acks, role)
		}
	}
	if s.Program != nil {
		drop(wire.RoleProgram, s.Program.Seq)
	} else {
		drop(wire.RoleProgram, 0)
	}
	if s.Alerts != nil { // none is also said of a set without alerts
		drop(wire.RoleAlerts, s.Alerts.Seq)
	}
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
	online, _ := l.state(l.signs[sign], l.now())
	return online
}

// Seq returns the highest seq that a sign acked last for a role, or reported in its status. A document that it refused
// for want of keys or frames is not acked: it waits for them.
func (l *Listener) Seq(sign, role string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.signs[sign]
	if h == nil {
		return 0
	}
	var seq int64
	if a := h.Acks[role]; a != nil && !waits(a) {
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

// waits reports whether an ack says that the sign lacks something that the broker should hold.
func waits(a *wire.Ack) bool {
	return a.State == wire.AckRejected &&
		(a.Reason == wire.UnknownKey || a.Reason == wire.WrongEpoch || a.Reason == wire.MissingFrame)
}

// Lacks says what a sign lacks of a document by its own word: the keys, or frames. alert is "" for the document itself.
func (l *Listener) Lacks(sign, role, alert string) (keys, frames bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.signs[sign]
	if h == nil {
		return false, false
	}
	keys = h.Status != nil && h.Status.Keys == nil
	key := role
	if alert != "" {
		key += "/" + alert
	}
	if a := h.Acks[key]; a != nil && waits(a) {
		frames = a.Reason == wire.MissingFrame
		keys = keys || !frames
	}
	return keys, frames
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
		return State{Sign: sign, Unknown: l.deaf}
	}
	s := h.State
	s.Acks = make(map[string]*wire.Ack, len(h.Acks))
	for k, a := range h.Acks {
		s.Acks[k] = a
	}
	s.Online, s.Unknown = l.state(h, l.now())
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
