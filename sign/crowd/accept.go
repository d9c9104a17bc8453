package crowd

import (
	"context"
	"strings"
	"time"

	"ledcast/sign/accept"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// machineOf returns the acceptance machine of one sign of the crowd.
func (c *Crowd) machineOf(s *Sign) *accept.Machine {
	return accept.New(accept.Config{Sign: s.Sign, Class: s.Class, Areas: s.Areas, Roots: c.roots, QuietUntilKeys: true})
}

// message sorts a message by its topic. at is when it arrived, in Unix ns.
func (c *Crowd) message(ctx context.Context, s *sign, m link.Message, at int64) {
	sha, isFrame := strings.CutPrefix(m.Topic, wire.AlertFrameTopic(s.Class, false, ""))
	if len(m.Payload) == 0 {
		if isFrame {
			delete(s.frames, sha)
		}
		return
	}
	if name, ok := marked(m.Payload); ok {
		if t := c.track(name); m.Topic == wire.AlertsTopic(s.Class, false) && t.at[s.n] == 0 {
			t.at[s.n] = at
		}
		return
	}
	switch {
	case s.machine.Reads(m.Topic):
		c.step(ctx, s, accept.Document{Topic: m.Topic, Doc: m.Payload}, at)
	case isFrame:
		// Of a frame only its digest is checked and remembered.
		if len(m.Payload) > wire.MaxFrame || wire.Digest(m.Payload) != sha {
			c.rejected[string(wire.BadFrame)]++
			return
		}
		s.frames[sha] = true
		c.step(ctx, s, accept.FramesChanged{}, at)
	}
}

// step gives a sign's acceptance machine an event and carries out what follows.
func (c *Crowd) step(ctx context.Context, s *sign, ev accept.Event, at int64) {
	now := wire.Clock{NowMS: time.Now().UnixMilli(), Trusted: true}
	for _, e := range s.machine.Step(ev, now) {
		c.carryOut(ctx, s, e, at)
	}
}

// carryOut does for a light sign what package box does for a whole one. There is no disk to fail, a program's frames
// count as there, and programs and alert sets are dropped once the machine knows what it needs of them. A status is
// sent once a connection only.
func (c *Crowd) carryOut(ctx context.Context, s *sign, effect accept.Effect, at int64) {
	switch e := effect.(type) {
	case accept.Refused:
		reason := string(wire.ReasonOf(e.Err))
		if e.Role == wire.RoleRequest {
			reason = "request: " + reason
		}
		c.rejected[reason]++
	case accept.SendAck:
		if t := c.tracks[e.Ack.Alert]; t != nil && e.Ack.State == wire.AckEnded {
			t.ended[s.n] = true
		}
		s.sendAck(ctx, e.Ack)
	case accept.Store:
		c.step(ctx, s, accept.Stored{Store: e, OK: true}, at)
	case accept.FetchProgram:
		c.step(ctx, s, accept.ProgramFrames{}, at)
	case accept.CheckAlert:
		c.checkAlert(ctx, s, e, at)
	case accept.Perform:
		if e.Request.Op == wire.OpResync {
			c.resyncs++
			if s.conn != nil {
				go c.subscribe(ctx, s, s.conn)
			}
		}
	case accept.Again:
		c.step(ctx, s, e.Document, at)
	}
}

// checkAlert notes when an alert came. An alert that is no drill shows as soon as its frames are there.
func (c *Crowd) checkAlert(ctx context.Context, s *sign, e accept.CheckAlert, at int64) {
	id := e.Alert.ID
	t := c.track(id)
	if t.at[s.n] == 0 {
		t.at[s.n] = at
	}
	whole := true
	for i := range e.Alert.Frames {
		whole = whole && s.frames[e.Alert.Frames[i].SHA256]
	}
	c.step(ctx, s, accept.AlertFrames{Check: e, Whole: whole}, at)
	if whole && !e.Alert.Drill && s.machine.Acked(id) != wire.AckShowing {
		c.step(ctx, s, accept.Shown{Alert: id}, at)
		t.showing[s.n] = true
	}
}
