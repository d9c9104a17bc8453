package box

import (
	"context"
	"strings"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// onAlerts takes an alert set over on its signature and fields alone: a cancel
// is never held up by a frame.
func (b *Box) onAlerts(ctx context.Context, doc []byte, test bool, mono int64) {
	role, typ, name := wire.RoleAlerts, wire.TypAlerts, docAlerts
	if test {
		role, typ, name = wire.RoleAlertsTest, wire.TypAlertsTest, docAlertsTest
	}
	topic := wire.AlertsTopic(b.cfg.Class, test)
	set, repeat, err := wire.OpenAlerts(doc, test, b.receiver(mono))
	if err != nil {
		b.log.Warn("alert set refused", "err", err)
		b.keep(topic, doc, wire.ReasonOf(err))
		b.reject(role, doc, typ, wire.ReasonOf(err), mono)
		return
	}
	delete(b.waiting, topic)
	if !repeat || b.disk.state.Docs[name] != wire.Digest(doc) {
		for _, e := range set.Ended {
			b.disk.state.Ended[e.ID] = e.Until
		}
		b.forgetEnded(mono)
		if err := b.disk.accept(name, role, set.Class, set.Epoch, set.Seq, doc); err != nil {
			b.fault("disk", err) // it takes effect all the same: a full disk must not hold up a cancel
		}
		b.endMissing(set, test, mono)
		b.player.SetAlerts(test, set, mono)
	}
	b.ack(wire.Ack{Role: role, Epoch: set.Epoch, Seq: set.Seq, State: wire.AckReceived}, mono)
	for i := range set.Alerts {
		b.readyAlert(ctx, &set.Alerts[i], set, test, true, mono)
	}
}

// endMissing acks the end of alerts that the new set no longer has.
func (b *Box) endMissing(set *timeline.AlertSet, test bool, mono int64) {
	still := map[string]bool{}
	for i := range set.Alerts {
		still[set.Alerts[i].ID] = true
	}
	b.player.Alerts(func(a *timeline.Alert, _ *timeline.AlertSet, t bool) {
		if t == test && !still[a.ID] && b.acked[a.ID] != "" {
			b.ackAlert(a, set, test, wire.AckEnded, "", mono)
			delete(b.acked, a.ID)
		}
	})
}

// forgetEnded drops marks of alerts whose time is over anyway.
func (b *Box) forgetEnded(mono int64) {
	for id, until := range b.disk.state.Ended {
		if b.player.Clock.Trusted() && b.player.Clock.Now(mono) > (until+wire.MaxAlertLife)*1000 {
			delete(b.disk.state.Ended, id)
		}
	}
}

func (b *Box) alertReady(a *timeline.Alert) bool {
	for i := range a.Frames {
		if !b.frames.has(&a.Frames[i]) || b.frames.verify(&a.Frames[i]) != nil {
			return false
		}
	}
	return true
}

// readyAlert notes whether an alert's frames are all there, fetches those that
// are not, and acks. fresh says that its set has just arrived.
func (b *Box) readyAlert(ctx context.Context, a *timeline.Alert, set *timeline.AlertSet, test, fresh bool, mono int64) {
	if !a.Reaches(b.cfg.Sign, b.player.Areas()) || b.player.Over(a.ID) {
		return
	}
	if b.alertReady(a) {
		b.player.SetReady(a.ID, true)
		switch {
		case b.acked[a.ID] == "" || b.acked[a.ID] == wire.AckRejected:
			b.ackAlert(a, set, test, wire.AckReceived, "", mono)
		case fresh:
			b.ackAlert(a, set, test, b.acked[a.ID], "", mono)
		}
		return
	}
	b.player.SetReady(a.ID, false)
	if fresh || b.acked[a.ID] == "" {
		b.ackAlert(a, set, test, wire.AckRejected, wire.MissingFrame, mono)
	}
	for i := range a.Frames {
		f := &a.Frames[i]
		if !b.frames.has(f) {
			b.fetches.want(ctx, wire.AlertFrameTopic(b.cfg.Class, test, f.SHA256), *f, mono)
		}
	}
}

// onAlertFrame takes a frame that is pushed before its set: its topic names
// its digest, and only bytes of that digest are kept.
func (b *Box) onAlertFrame(ctx context.Context, topic string, data []byte, mono int64) {
	sha := topic[strings.LastIndexByte(topic, '/')+1:]
	if len(data) > wire.MaxFrame || wire.Digest(data) != sha {
		b.log.Warn("alert frame refused", "topic", topic)
		return
	}
	if b.frames.sizes[sha] != int64(len(data)) {
		f := timeline.Frame{SHA256: sha, Len: int64(len(data))}
		if err := b.frames.put(&f, data, b.needed); err != nil {
			b.fault("disk", err)
			return
		}
	}
	b.fetches.done(ctx, topic)
	b.readyAll(ctx, mono)
}

func (b *Box) readyAll(ctx context.Context, mono int64) {
	b.player.Alerts(func(a *timeline.Alert, set *timeline.AlertSet, test bool) {
		b.readyAlert(ctx, a, set, test, false, mono)
	})
}

func (b *Box) ackAlert(a *timeline.Alert, set *timeline.AlertSet, test bool, state wire.AckState, reason wire.Reason, mono int64) {
	role := wire.RoleAlerts
	if test {
		role = wire.RoleAlertsTest
	}
	b.acked[a.ID] = state
	k := wire.Ack{Role: role, Epoch: set.Epoch, Seq: set.Seq, Alert: a.ID, State: state, Reason: reason}
	if len(a.Frames) > 0 {
		k.Frame = a.Frames[0].SHA256
	}
	b.ack(k, mono)
}

// endAlerts acks alerts that ended by themselves, and remembers that they did.
func (b *Box) endAlerts(mono int64) {
	now := b.player.Clock.Now(mono)
	b.player.Alerts(func(a *timeline.Alert, set *timeline.AlertSet, test bool) {
		over := b.player.Over(a.ID) || b.player.Clock.Trusted() && now >= a.Until*1000
		if !over || b.acked[a.ID] == "" || b.acked[a.ID] == wire.AckEnded {
			return
		}
		b.ackAlert(a, set, test, wire.AckEnded, "", mono)
		b.disk.state.Ended[a.ID] = a.Until
		b.due["save"] = mono
	})
}
