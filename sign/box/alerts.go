package box

import (
	"context"
	"strings"

	"ledcast/playlists/timeline"
	"ledcast/sign/accept"
	"ledcast/sign/wire"
)

func (b *Box) alertReady(a *timeline.Alert) bool {
	for i := range a.Frames {
		if !b.frames.has(&a.Frames[i]) || b.frames.verify(&a.Frames[i]) != nil {
			return false
		}
	}
	return true
}

// checkAlert tells the player and the machine whether an alert's frames are all there, and fetches those that are
// not.
func (b *Box) checkAlert(ctx context.Context, c accept.CheckAlert, mono int64) {
	whole := b.alertReady(c.Alert)
	b.player.SetReady(c.Alert.ID, whole)
	b.step(ctx, accept.AlertFrames{Check: c, Whole: whole}, mono)
	for i := range c.Alert.Frames {
		if f := &c.Alert.Frames[i]; !b.frames.has(f) {
			b.fetches.want(ctx, wire.AlertFrameTopic(b.cfg.Class, c.Test, f.SHA256), *f, mono)
		}
	}
}

// onAlertFrame keeps a frame that is pushed before its set. Its topic names its digest; other bytes are refused.
func (b *Box) onAlertFrame(ctx context.Context, topic string, data []byte, mono int64) {
	sha := topic[strings.LastIndexByte(topic, '/')+1:]
	if len(data) > wire.MaxFrame || wire.Digest(data) != sha {
		b.log.Warn("alert frame refused", "topic", topic)
		return
	}
	if f := (timeline.Frame{SHA256: sha, Len: int64(len(data))}); !b.frames.has(&f) {
		if err := b.frames.put(&f, data, b.needed); err != nil {
			b.fault("disk", err)
			if !b.frames.hold(sha, data, b.needed) {
				return
			}
		}
	}
	b.fetches.done(ctx, topic)
	b.step(ctx, accept.FramesChanged{}, mono)
}

// endAlerts tells the machine which alerts ended by themselves.
func (b *Box) endAlerts(mono int64) {
	var over []string
	now, trusted := b.player.Clock.Now(mono), b.player.Clock.Trusted()
	b.player.Alerts(func(a *timeline.Alert, _ *timeline.AlertSet, _ bool) {
		if (b.player.Over(a.ID) || trusted && now >= a.Until*1000) && !b.machine.Closed(a.ID) {
			over = append(over, a.ID)
		}
	})
	for _, id := range over {
		b.step(context.Background(), accept.Over{Alert: id}, mono)
	}
}
