package accept

import (
	"maps"
	"slices"

	"ledcast/sign/wire"
)

// document makes every check of a document and takes it over as far as that goes without frames and disk.
func (s *step) document(d Document) {
	var err error
	role := s.role(d.Topic)
	switch role {
	case wire.RoleKeys:
		err = s.keySet(d)
	case wire.RoleRequest:
		err = s.request(d)
	case wire.RoleProgram:
		err = s.newProgram(d)
	case wire.RoleAlerts:
		err = s.newAlerts(d, false)
	case wire.RoleAlertsTest:
		err = s.newAlerts(d, true)
	}
	if err != nil {
		s.refuse(role, d, err)
	}
}

var types = map[string]string{
	wire.RoleProgram: wire.TypProgram, wire.RoleAlerts: wire.TypAlerts, wire.RoleAlertsTest: wire.TypAlertsTest,
}

// refuse keeps a document that may become acceptable, and acks the refusal with the place that the document claims,
// where it can be read. Nothing else of a refused document is used.
//
// A later document that fails for another reason does not push a waiting one out: anybody can send rubbish.
func (s *step) refuse(role string, d Document, err error) {
	reason := wire.ReasonOf(err)
	if role != wire.RoleRequest {
		switch reason {
		case wire.UnknownKey, wire.WrongEpoch, wire.NotYet, wire.Expired:
			s.waiting[d.Topic] = d.Doc
			if s.c.QuietUntilKeys && s.keys == nil {
				return
			}
		}
	}
	s.do(Refused{role, err})
	if typ := types[role]; typ != "" {
		h := wire.Claimed(d.Doc, typ)
		s.ack(wire.Ack{Role: role, Epoch: h.Epoch, Seq: h.Seq, State: wire.AckRejected, Reason: reason})
	}
}

// retry tries the documents that wait again, after keys or the clock changed.
func (s *step) retry() {
	for _, topic := range slices.Sorted(maps.Keys(s.waiting)) {
		s.do(Again{Document{topic, s.waiting[topic]}})
	}
	clear(s.waiting)
}

func (s *step) keySet(d Document) error {
	set, spare, repeat, err := wire.OpenKeys(d.Doc, s.c.Roots, s.keys, s.keysDigest, s.now)
	if err != nil || repeat {
		return err
	}
	s.nextKeys = set
	s.do(Store{Role: wire.RoleKeys, Epoch: set.Epoch, Seq: set.Seq, Digest: wire.Digest(d.Doc), Doc: d.Doc,
		FirstRetired: s.c.Roots.FirstRetired || spare})
	return nil
}

func (s *step) request(d Document) error {
	q, repeat, err := wire.OpenRequest(d.Doc, s.receiver())
	if err != nil || repeat {
		return err
	}
	if q.Op == wire.OpTime { // it has no floor: its challenge is taken once
		s.do(Perform{q})
		return nil
	}
	// The floor of requests is kept in memory: they live 300 s and show nothing.
	s.floors[FloorKey(wire.RoleRequest, q.Sign, q.Epoch)] = wire.Floor{Seq: q.Seq, Digest: wire.Digest(d.Doc)}
	s.do(Perform{q})
	return nil
}

func (s *step) newProgram(d Document) error {
	p, repeat, err := wire.OpenProgram(d.Doc, s.receiver())
	if err != nil {
		return err
	}
	delete(s.waiting, d.Topic)
	digest := wire.Digest(d.Doc)
	if now := s.program; repeat && now != nil && now.seq == p.Seq && now.epoch == p.Epoch {
		if s.stored[wire.RoleProgram] != digest {
			s.do(Store{Role: wire.RoleProgram, Subject: p.Sign, Epoch: p.Epoch, Seq: p.Seq, Digest: digest, Doc: d.Doc})
		}
		state := wire.AckReceived
		if now.showing {
			state = wire.AckShowing
		}
		s.ack(wire.Ack{Role: wire.RoleProgram, Epoch: p.Epoch, Seq: p.Seq, State: state})
		return nil
	}
	if c := s.pending; c != nil && c.program.Seq > p.Seq && c.program.Epoch == p.Epoch {
		s.ack(wire.Ack{
			Role:   wire.RoleProgram,
			Epoch:  p.Epoch,
			Seq:    p.Seq,
			State:  wire.AckRejected,
			Reason: wire.StaleSeq,
		})
		return nil
	}
	s.pending = &pending{doc: d.Doc, digest: digest, program: p}
	s.do(FetchProgram{p})
	return nil
}

// storePending stores the pending program, whose frames are all there: a program takes effect whole.
func (s *step) storePending() {
	if c := s.pending; c != nil {
		p := c.program
		s.do(Store{Role: wire.RoleProgram, Subject: p.Sign, Epoch: p.Epoch, Seq: p.Seq, Digest: c.digest, Doc: c.doc})
	}
}

// wasStored puts in force what had to be on disk first. A key set that could not be stored is as if it had never
// come, and a program stays pending.
func (s *step) wasStored(ev Stored) {
	d := &ev.Store
	if ev.Floor {
		s.floors[FloorKey(d.Role, d.Subject, d.Epoch)] = wire.Floor{Seq: d.Seq, Digest: d.Digest}
	}
	if !ev.OK {
		return
	}
	s.stored[d.Role] = d.Digest
	s.floors[FloorKey(d.Role, d.Subject, d.Epoch)] = wire.Floor{Seq: d.Seq, Digest: d.Digest}
	switch {
	case d.Role == wire.RoleKeys && s.nextKeys != nil:
		s.keys, s.keysDigest, s.nextKeys = s.nextKeys, d.Digest, nil
		s.c.Roots.FirstRetired = d.FirstRetired
		delete(s.waiting, wire.TopicKeys)
		s.revoke()
		s.retry()
		s.do(SendStatus{})
	case d.Role == wire.RoleProgram && s.pending != nil && s.pending.digest == d.Digest:
		p := s.pending.program
		s.pending = nil
		s.program = &program{epoch: p.Epoch, seq: p.Seq, kid: wire.ClaimedKey(d.Doc), areas: p.Areas}
		s.do(SetProgram{p})
		s.ack(wire.Ack{Role: wire.RoleProgram, Epoch: p.Epoch, Seq: p.Seq, State: wire.AckReceived})
		s.do(SendStatus{})
	}
}

// revoke drops at once what a revoked key signed; the floors stay.
func (s *step) revoke() {
	drop := func(role string) {
		delete(s.stored, role)
		s.do(Drop{role})
	}
	if s.program != nil && s.revoked(s.program.kid) {
		drop(wire.RoleProgram)
		s.program = nil
		s.do(SetProgram{})
	}
	for i, role := range []string{wire.RoleAlerts, wire.RoleAlertsTest} {
		if s.sets[i].set != nil && s.revoked(s.sets[i].kid) {
			drop(role)
			s.sets[i] = alertSet{}
			s.do(SetAlerts{Test: i == 1})
		}
	}
	if s.pending != nil && s.revoked(wire.ClaimedKey(s.pending.doc)) {
		s.pending = nil
	}
}

// frameFailed acks once for each reason that a frame of the pending program could not be fetched.
func (s *step) frameFailed(ev FrameFailed) {
	c := s.pending
	if c == nil || c.failure == ev.Reason {
		return
	}
	for i := range c.program.Frames {
		if c.program.Frames[i].SHA256 == ev.SHA256 {
			c.failure = ev.Reason
			s.ack(wire.Ack{Role: wire.RoleProgram, Epoch: c.program.Epoch, Seq: c.program.Seq,
				State: wire.AckRejected, Reason: ev.Reason, Frame: ev.SHA256})
			return
		}
	}
}

// wasShown acks what is on the output for the first time.
func (s *step) wasShown(ev Shown) {
	if ev.Alert != "" {
		s.alertShown(ev.Alert)
		return
	}
	if p := s.program; p != nil && ev.Frame != "" && !p.showing {
		p.showing = true
		s.ack(wire.Ack{Role: wire.RoleProgram, Epoch: p.epoch, Seq: p.seq, State: wire.AckShowing, Frame: ev.Frame})
	}
}
