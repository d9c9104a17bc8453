package box

import (
	"context"
	"strings"

	"ledcast/playlists/timeline"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// candidate is a program that passed every check but those of its frames.
type candidate struct {
	doc     []byte
	program *timeline.Program
	acked   wire.Reason // the last rejection that was acked for it
}

// message sorts what arrives by its topic. Topics that no subscription of ours
// covers are ignored: the broker is not trusted.
func (b *Box) message(ctx context.Context, m link.Message, mono int64) {
	c, class := b.cfg, b.cfg.Class
	switch {
	case len(m.Payload) == 0:
	case m.Topic == wire.TopicKeys:
		b.onKeys(ctx, m.Payload, mono)
	case m.Topic == wire.SignTopic(c.Sign, wire.LeafRequest):
		b.onRequest(ctx, m.Payload, mono)
	case c.picture():
		if m.Topic == wire.SignTopic(c.Sign, wire.LeafFrame) {
			b.onPicture(m.Payload, mono)
		}
	case m.Topic == wire.SignTopic(c.Sign, wire.LeafProgram):
		b.onProgram(ctx, m.Payload, mono)
	case m.Topic == wire.AlertsTopic(class, false):
		b.onAlerts(ctx, m.Payload, false, mono)
	case c.Test && m.Topic == wire.AlertsTopic(class, true):
		b.onAlerts(ctx, m.Payload, true, mono)
	case strings.HasPrefix(m.Topic, wire.AlertFrameTopic(class, false, "")),
		c.Test && strings.HasPrefix(m.Topic, wire.AlertFrameTopic(class, true, "")):
		b.onAlertFrame(ctx, m.Topic, m.Payload, mono)
	default:
		b.fetches.arrived(ctx, m.Topic, m.Payload, mono)
	}
}

func (b *Box) receiver(mono int64) wire.Receiver {
	return wire.Receiver{Sign: b.cfg.Sign, Class: b.cfg.Class, Keys: b.keys, Now: b.player.Clock.Wire(mono),
		Floor: func(role, subject string, epoch int64) *wire.Floor {
			if role == wire.RoleRequest {
				return b.requests[epoch]
			}
			return b.disk.floor(role, subject, epoch)
		}}
}

// keep holds a document that may become acceptable. A later one that fails for
// another reason does not push it out: anybody can send rubbish.
func (b *Box) keep(topic string, doc []byte, reason wire.Reason) {
	switch reason {
	case wire.UnknownKey, wire.WrongEpoch, wire.NotYet:
		b.waiting[topic] = doc
	}
}

// retry tries documents again after keys or the clock changed.
func (b *Box) retry(ctx context.Context, mono int64) {
	for topic, doc := range b.waiting {
		delete(b.waiting, topic)
		b.message(ctx, link.Message{Topic: topic, Payload: doc}, mono)
	}
}

func (b *Box) onKeys(ctx context.Context, doc []byte, mono int64) {
	set, spare, repeat, err := wire.OpenKeys(doc, b.roots, b.keys, b.keysDigest, b.player.Clock.Wire(mono))
	if err != nil {
		b.log.Warn("key set refused", "err", err)
		b.keep(wire.TopicKeys, doc, wire.ReasonOf(err))
		return
	}
	if repeat {
		return
	}
	before := b.roots.FirstRetired
	b.disk.state.FirstRetired = before || spare
	if err := b.disk.accept(docKeys, wire.RoleKeys, "", set.Epoch, set.Seq, doc); err != nil {
		b.disk.state.FirstRetired = before
		b.fault("disk", err)
		return
	}
	b.roots.FirstRetired = b.disk.state.FirstRetired
	delete(b.waiting, wire.TopicKeys)
	b.keys, b.keysDigest = set, wire.Digest(doc)
	b.revoke()
	b.retry(ctx, mono)
	b.say(mono)
}

// revoke drops at once what a revoked key signed; the floors stay.
func (b *Box) revoke() {
	revoked := func(name, typ string) bool {
		doc, err := b.disk.doc(name)
		if err != nil || doc == nil {
			return false
		}
		s, err := wire.Split(doc, typ)
		if err != nil {
			return true
		}
		for _, kid := range b.keys.Revoked {
			if kid == s.Kid {
				return true
			}
		}
		return false
	}
	drop := func(name string) {
		if err := b.disk.drop(name); err != nil {
			b.fault("disk", err)
		}
	}
	if revoked(docProgram, wire.TypProgram) {
		drop(docProgram)
		b.player.SetProgram(nil)
	}
	if revoked(docAlerts, wire.TypAlerts) {
		drop(docAlerts)
		b.player.SetAlerts(false, nil, 0)
	}
	if revoked(docAlertsTest, wire.TypAlertsTest) {
		drop(docAlertsTest)
		b.player.SetAlerts(true, nil, 0)
	}
	if b.pending != nil {
		if s, err := wire.Split(b.pending.doc, wire.TypProgram); err == nil {
			for _, kid := range b.keys.Revoked {
				if kid == s.Kid {
					b.pending = nil
					break
				}
			}
		}
	}
}

func (b *Box) onProgram(ctx context.Context, doc []byte, mono int64) {
	topic := wire.SignTopic(b.cfg.Sign, wire.LeafProgram)
	p, repeat, err := wire.OpenProgram(doc, b.receiver(mono))
	if err != nil {
		b.log.Warn("program refused", "err", err)
		b.keep(topic, doc, wire.ReasonOf(err))
		b.reject(wire.RoleProgram, doc, wire.TypProgram, wire.ReasonOf(err), mono)
		return
	}
	delete(b.waiting, topic)
	if q := b.player.Program(); repeat && q != nil && q.Seq == p.Seq && q.Epoch == p.Epoch {
		if b.reload {
			if err := b.disk.accept(docProgram, wire.RoleProgram, p.Sign, p.Epoch, p.Seq, doc); err != nil {
				b.fault("disk", err)
			} else {
				b.reload = false
				delete(b.faults, "document-corrupt")
			}
		}
		b.ack(wire.Ack{Role: wire.RoleProgram, Epoch: p.Epoch, Seq: p.Seq, State: b.programState()}, mono)
		return
	}
	if b.pending != nil && b.pending.program.Seq > p.Seq && b.pending.program.Epoch == p.Epoch {
		b.reject(wire.RoleProgram, doc, wire.TypProgram, wire.StaleSeq, mono)
		return
	}
	b.pending = &candidate{doc: doc, program: p}
	b.advance(ctx, mono)
}

// programState is what to ack of the program in force.
func (b *Box) programState() wire.AckState {
	if b.acked["program"] == wire.AckShowing {
		return wire.AckShowing
	}
	return wire.AckReceived
}

// advance takes the pending program over if all its frames are there, and
// fetches those that are not. A program takes effect whole.
func (b *Box) advance(ctx context.Context, mono int64) {
	c := b.pending
	if c == nil {
		return
	}
	missing := false
	for i := range c.program.Frames {
		f := &c.program.Frames[i]
		if b.frames.has(f) {
			continue
		}
		missing = true
		b.fetches.want(ctx, wire.FrameTopic(f.Owner, f.SHA256), *f, mono)
	}
	if missing {
		return
	}
	for i := range c.program.Frames {
		f := &c.program.Frames[i]
		if err := b.frames.verify(f); err != nil {
			// A file that is no longer what its name says, or not what this
			// program says of it: fetch it once more.
			b.log.Warn("cached frame refused", "frame", f.SHA256, "err", err)
			b.frames.remove(f.SHA256)
			b.fetches.want(ctx, wire.FrameTopic(f.Owner, f.SHA256), *f, mono)
			missing = true
		}
	}
	if missing {
		return
	}
	p := c.program
	if err := b.disk.accept(docProgram, wire.RoleProgram, p.Sign, p.Epoch, p.Seq, c.doc); err != nil {
		b.fault("disk", err) // it stays pending, and every scrub tries again
		return
	}
	b.pending = nil
	delete(b.faults, "disk")
	delete(b.faults, "document-corrupt")
	b.player.SetProgram(p)
	b.frames.evict(b.needed)
	b.acked["program"] = wire.AckReceived
	b.ack(wire.Ack{Role: wire.RoleProgram, Epoch: p.Epoch, Seq: p.Seq, State: wire.AckReceived}, mono)
	b.log.Info("program accepted", "seq", p.Seq, "items", len(p.Items), "frames", len(p.Frames))
	b.say(mono)
}

// frameFailed notes that a frame could not be fetched: missing-frame after 30 s
// without it, bad-frame for bytes that are not it.
func (b *Box) frameFailed(f *timeline.Frame, reason wire.Reason, mono int64) {
	if c := b.pending; c != nil && c.acked != reason {
		for i := range c.program.Frames {
			if c.program.Frames[i].SHA256 == f.SHA256 {
				c.acked = reason
				b.ack(wire.Ack{Role: wire.RoleProgram, Epoch: c.program.Epoch, Seq: c.program.Seq,
					State: wire.AckRejected, Reason: reason, Frame: f.SHA256}, mono)
				break
			}
		}
	}
}

// needed reports whether a frame must not leave the cache.
func (b *Box) needed(sha string) bool {
	in := func(frames []timeline.Frame) bool {
		for i := range frames {
			if frames[i].SHA256 == sha {
				return true
			}
		}
		return false
	}
	if p := b.player.Program(); p != nil && in(p.Frames) {
		return true
	}
	if b.pending != nil && in(b.pending.program.Frames) {
		return true
	}
	found := false
	b.player.Alerts(func(a *timeline.Alert, _ *timeline.AlertSet, _ bool) { found = found || in(a.Frames) })
	return found
}

// lost reacts to a frame of what plays that cannot be read from disk.
func (b *Box) lost(f *timeline.Frame, err error) {
	b.log.Warn("frame lost", "frame", f.SHA256, "err", err)
	if b.frames.has(f) {
		b.frames.remove(f.SHA256)
	}
	b.faults["frame-corrupt"] = true
	b.due["scrub"] = b.times.Mono()
}

// scrub reads every frame of the program and fetches again what is damaged or
// gone, and the program itself likewise.
func (b *Box) scrub(ctx context.Context, mono int64) {
	b.advance(ctx, mono)
	p := b.player.Program()
	if p == nil {
		return
	}
	whole := true
	for i := range p.Frames {
		f := &p.Frames[i]
		if b.frames.has(f) && b.frames.verify(f) == nil {
			continue
		}
		whole = false
		b.frames.remove(f.SHA256)
		b.fetches.want(ctx, wire.FrameTopic(f.Owner, f.SHA256), *f, mono)
	}
	if whole {
		delete(b.faults, "frame-corrupt")
	} else {
		b.fault("frame-corrupt", wire.ErrLost)
	}
	if _, err := b.disk.doc(docProgram); err != nil {
		b.fault("document-corrupt", err)
		if b.conn != nil {
			// The retained program is at the floor with the same bytes: a repeat,
			// stored again.
			b.reload = true
			go b.subscribe(ctx, b.conn, true)
		}
	}
}

// restore takes over what was accepted before this start.
func (b *Box) restore(mono int64) {
	if doc, err := b.disk.doc(docKeys); err != nil {
		b.fault("document-corrupt", err)
	} else if doc != nil {
		if set, err := wire.StoredKeys(doc); err != nil {
			b.fault("document-corrupt", err)
		} else {
			b.keys, b.keysDigest = set, wire.Digest(doc)
		}
	}
	if b.cfg.picture() {
		return
	}
	if doc, err := b.disk.doc(docProgram); err != nil {
		b.fault("document-corrupt", err)
	} else if doc != nil {
		if p, err := wire.StoredProgram(doc); err != nil {
			b.fault("document-corrupt", err)
		} else {
			b.player.SetProgram(p)
			b.acked["program"] = wire.AckReceived
		}
	}
	for id := range b.disk.state.Ended {
		b.player.End(id)
	}
	for _, name := range []string{docAlerts, docAlertsTest} {
		test := name == docAlertsTest
		doc, err := b.disk.doc(name)
		if err != nil {
			b.fault("document-corrupt", err)
			continue
		}
		if doc == nil || test && !b.cfg.Test {
			continue
		}
		set, err := wire.StoredAlerts(doc, test)
		if err != nil {
			b.fault("document-corrupt", err)
			continue
		}
		b.player.SetAlerts(test, set, mono)
		for i := range set.Alerts {
			b.player.SetReady(set.Alerts[i].ID, b.alertReady(&set.Alerts[i]))
		}
	}
}
