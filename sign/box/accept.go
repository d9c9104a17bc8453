package box

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"ledcast/playlists/timeline"
	"ledcast/sign/accept"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// message sorts messages by their topics. It ignores topics that the box did not subscribe to: the broker is not
// trusted.
func (b *Box) message(ctx context.Context, m link.Message, mono int64) {
	c, class := b.cfg, b.cfg.Class
	switch {
	case len(m.Payload) == 0:
	case b.machine.Reads(m.Topic):
		b.step(ctx, accept.Document{Topic: m.Topic, Doc: m.Payload}, mono)
	case c.picture():
		if m.Topic == wire.SignTopic(c.Sign, wire.LeafFrame) {
			b.onPicture(m.Payload, mono)
		}
	case strings.HasPrefix(m.Topic, wire.AlertFrameTopic(class, false, "")),
		c.Test && strings.HasPrefix(m.Topic, wire.AlertFrameTopic(class, true, "")):
		b.onAlertFrame(ctx, m.Topic, m.Payload, mono)
	default:
		b.fetches.arrived(ctx, m.Topic, m.Payload, mono)
	}
}

// step gives the acceptance machine an event and carries out what follows.
func (b *Box) step(ctx context.Context, ev accept.Event, mono int64) {
	for _, e := range b.machine.Step(ev, b.player.Clock.Wire(mono)) {
		b.carryOut(ctx, e, mono)
	}
}

func (b *Box) carryOut(ctx context.Context, effect accept.Effect, mono int64) {
	switch e := effect.(type) {
	case accept.Refused:
		level := slog.LevelWarn
		var why *wire.Rejection
		if b.machine.Keys() == nil && errors.As(e.Err, &why) && why.Reason == wire.UnknownKey {
			level = slog.LevelDebug // the broker sends in any order: it is kept, and tried again when the keys come
		}
		b.log.Log(ctx, level, "document refused", "role", e.Role, "err", e.Err)
		switch wire.ReasonOf(e.Err) {
		case wire.NotYet, wire.Expired, wire.UnknownKey:
			b.doubtClock(mono)
		}
	case accept.SendAck:
		b.sendAck(e.Ack)
	case accept.SendStatus:
		b.sendStatus(mono)
	case accept.Store:
		ok, floor := b.store(&e)
		b.step(ctx, accept.Stored{Store: e, OK: ok, Floor: floor}, mono)
	case accept.Drop:
		if err := b.disk.drop(e.Role); err != nil {
			b.fault("disk", err)
		}
	case accept.FetchProgram:
		b.advance(ctx, mono)
	case accept.SetProgram:
		b.player.SetProgram(e.Program)
		if p := e.Program; p != nil {
			b.frames.evict(b.needed)
			b.log.Info("program accepted", "seq", p.Seq, "items", len(p.Items), "frames", len(p.Frames))
		}
	case accept.SetAlerts:
		b.player.SetAlerts(e.Test, e.Set, mono)
	case accept.CheckAlert:
		b.checkAlert(ctx, e, mono)
	case accept.Perform:
		b.perform(ctx, e.Request, mono)
	case accept.Again:
		b.step(ctx, e.Document, mono)
	case accept.Save:
		b.due["save"] = mono
	}
}

// store writes an accepted document to disk and reports whether it is there, or at least its floor.
func (b *Box) store(e *accept.Store) (ok, floor bool) {
	before := b.disk.state.FirstRetired
	if e.Role == wire.RoleKeys {
		b.disk.state.FirstRetired = e.FirstRetired
	}
	if err := b.disk.accept(e); err != nil {
		b.disk.state.FirstRetired = before
		b.fault("disk", err)
		return false, isReserved(err)
	}
	if e.Role == wire.RoleProgram {
		delete(b.faults, "disk")
		delete(b.faults, "document-corrupt")
	}
	return true, true
}

// advance reports to the machine when all frames of the pending program are there, and fetches those that are not.
func (b *Box) advance(ctx context.Context, mono int64) {
	p := b.machine.Pending()
	if p == nil {
		return
	}
	missing := false
	want := func(f *timeline.Frame) {
		missing = true
		b.fetches.want(ctx, wire.FrameTopic(f.Owner, f.SHA256), *f, mono)
	}
	for i := range p.Frames {
		if f := &p.Frames[i]; !b.frames.has(f) {
			want(f)
		}
	}
	if missing {
		return
	}
	for i := range p.Frames {
		f := &p.Frames[i]
		if err := b.frames.verify(f); err != nil {
			// The file is no longer what its name says, or not what this program says of it: fetch it once more.
			b.log.Warn("cached frame refused", "frame", f.SHA256, "err", err)
			b.frames.remove(f.SHA256)
			want(f)
		}
	}
	if !missing {
		b.step(ctx, accept.ProgramFrames{}, mono)
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
	if p := b.machine.Pending(); p != nil && in(p.Frames) {
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
	if _, err := b.disk.doc(wire.RoleProgram); err != nil {
		b.fault("document-corrupt", err)
		if b.conn != nil {
			// The retained program is a repeat: it is at the floor with the same bytes, and is stored again.
			b.step(ctx, accept.Lost{Role: wire.RoleProgram}, mono)
			go b.subscribe(ctx, b.conn, true)
		}
	}
}

// restore takes over what was accepted before this start.
func (b *Box) restore(mono int64) {
	b.machine.RestoreFloors(b.disk.state.Floors, b.disk.state.Ended)
	for id := range b.disk.state.Ended {
		if _, byClock := b.disk.state.Ran[id]; !byClock {
			b.player.End(id)
		}
	}
	for id, ran := range b.disk.state.Ran {
		_, ended := b.disk.state.Ended[id]
		b.player.Restore(id, ran, ended)
	}
	roles := []string{wire.RoleKeys}
	if !b.cfg.picture() {
		roles = append(roles, wire.RoleProgram)
	}
	// What ended may not be on a disk that cannot be written: a stored alert waits for a set from the broker.
	if err := b.disk.save(); err != nil && !isReserved(err) {
		b.fault("disk", err)
	} else if !b.cfg.picture() {
		roles = append(roles, wire.RoleAlerts)
		if b.cfg.Test {
			roles = append(roles, wire.RoleAlertsTest)
		}
	}
	for _, role := range roles {
		doc, err := b.disk.doc(role)
		if doc == nil && err == nil {
			continue
		}
		var effects []accept.Effect
		if err == nil {
			effects, err = b.machine.Restore(role, doc)
		}
		if err != nil {
			b.fault("document-corrupt", err)
			continue
		}
		for _, e := range effects {
			switch e := e.(type) {
			case accept.SetProgram:
				b.player.SetProgram(e.Program)
			case accept.SetAlerts:
				b.player.SetAlerts(e.Test, e.Set, mono)
			}
		}
	}
	b.player.Alerts(func(a *timeline.Alert, _ *timeline.AlertSet, _ bool) { b.player.SetReady(a.ID, b.alertReady(a)) })
}
