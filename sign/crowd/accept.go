package crowd

import (
	"context"
	"strconv"
	"strings"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

func (s *sign) receiver() wire.Receiver {
	return wire.Receiver{Sign: s.Sign.Sign, Class: s.Class, Keys: s.keys, Now: wire.Clock{NowMS: time.Now().UnixMilli(), Trusted: true},
		Floor: func(role, _ string, epoch int64) *wire.Floor { return s.floors[floorOf(role, epoch)] }}
}

func floorOf(role string, epoch int64) string { return role + "/" + strconv.FormatInt(epoch, 10) }

func (s *sign) rise(h *timeline.Header, doc []byte) {
	s.floors[floorOf(h.Role, h.Epoch)] = &wire.Floor{Seq: h.Seq, Digest: wire.Digest(doc)}
}

// message sorts what arrives by its topic.
func (c *Crowd) message(ctx context.Context, s *sign, m link.Message, at int64) {
	if len(m.Payload) == 0 {
		if sha, ok := strings.CutPrefix(m.Topic, wire.AlertFrameTopic(s.Class, false, "")); ok {
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
	switch m.Topic {
	case wire.TopicKeys:
		c.onKeys(ctx, s, m, at)
	case wire.SignTopic(s.Sign.Sign, wire.LeafRequest):
		c.onRequest(ctx, s, m)
	case wire.SignTopic(s.Sign.Sign, wire.LeafProgram):
		c.onProgram(ctx, s, m)
	case wire.AlertsTopic(s.Class, false):
		c.onAlerts(ctx, s, m, at)
	default:
		if sha, ok := strings.CutPrefix(m.Topic, wire.AlertFrameTopic(s.Class, false, "")); ok {
			c.onFrame(ctx, s, sha, m.Payload)
		}
	}
}

// refuse counts and acks a refused document, and keeps what keys that are still
// on their way may make right.
func (c *Crowd) refuse(ctx context.Context, s *sign, role, typ string, m link.Message, err error) {
	reason := wire.ReasonOf(err)
	switch reason {
	case wire.UnknownKey, wire.WrongEpoch, wire.NotYet:
		s.waiting[m.Topic] = m.Payload
		if s.keys == nil {
			return // the key set comes with the same subscription
		}
	}
	c.rejected[string(reason)]++
	if role == wire.RoleProgram || role == wire.RoleAlerts {
		h := wire.Claimed(m.Payload, typ)
		s.ack(ctx, wire.Ack{Role: role, Epoch: h.Epoch, Seq: h.Seq, State: wire.AckRejected, Reason: reason})
	}
}

func (c *Crowd) onKeys(ctx context.Context, s *sign, m link.Message, at int64) {
	set, spare, repeat, err := wire.OpenKeys(m.Payload, s.roots(c), s.keys, s.keysDigest, s.receiver().Now)
	switch {
	case err != nil:
		c.refuse(ctx, s, wire.RoleKeys, wire.TypKeys, m, err)
		return
	case repeat:
		return
	}
	s.keys, s.keysDigest = set, wire.Digest(m.Payload)
	s.retired = s.retired || spare
	for topic, doc := range s.waiting {
		delete(s.waiting, topic)
		c.message(ctx, s, link.Message{Topic: topic, Payload: doc}, at)
	}
}

func (s *sign) roots(c *Crowd) wire.Roots {
	r := c.roots
	r.FirstRetired = s.retired
	return r
}

// onProgram accepts a program. Its frames are taken to be in the cache.
func (c *Crowd) onProgram(ctx context.Context, s *sign, m link.Message) {
	p, _, err := wire.OpenProgram(m.Payload, s.receiver())
	if err != nil {
		c.refuse(ctx, s, wire.RoleProgram, wire.TypProgram, m, err)
		return
	}
	delete(s.waiting, m.Topic)
	s.rise(&p.Header, m.Payload)
	s.program = &wire.SeqOf{Epoch: p.Epoch, Seq: p.Seq}
	s.ack(ctx, wire.Ack{Role: wire.RoleProgram, Epoch: p.Epoch, Seq: p.Seq, State: wire.AckReceived})
}

func (c *Crowd) onRequest(ctx context.Context, s *sign, m link.Message) {
	q, repeat, err := wire.OpenRequest(m.Payload, s.receiver())
	if err != nil {
		c.rejected["request: "+string(wire.ReasonOf(err))]++
		return
	}
	if repeat {
		return
	}
	s.rise(&q.Header, m.Payload)
	if q.Op == wire.OpResync {
		c.resyncs++
		if s.conn != nil {
			go c.subscribe(ctx, s, s.conn)
		}
	}
}

// onAlerts takes an alert set over on its signature and fields alone.
func (c *Crowd) onAlerts(ctx context.Context, s *sign, m link.Message, at int64) {
	set, repeat, err := wire.OpenAlerts(m.Payload, false, s.receiver())
	if err != nil {
		c.refuse(ctx, s, wire.RoleAlerts, wire.TypAlerts, m, err)
		return
	}
	delete(s.waiting, m.Topic)
	if !repeat {
		s.rise(&set.Header, m.Payload)
		c.endMissing(ctx, s, set)
		s.set = set
	}
	s.ack(ctx, wire.Ack{Role: wire.RoleAlerts, Epoch: set.Epoch, Seq: set.Seq, State: wire.AckReceived})
	for i := range set.Alerts {
		a := &set.Alerts[i]
		if !a.Reaches(s.Sign.Sign, s.Areas) {
			continue
		}
		if t := c.track(a.ID); t.at[s.n] == 0 {
			t.at[s.n] = at
		}
		c.ready(ctx, s, a, true)
	}
}

// endMissing acks the end of alerts that the new set no longer has.
func (c *Crowd) endMissing(ctx context.Context, s *sign, set *timeline.AlertSet) {
	if s.set == nil {
		return
	}
	still := map[string]bool{}
	for i := range set.Alerts {
		still[set.Alerts[i].ID] = true
	}
	for i := range s.set.Alerts {
		a := &s.set.Alerts[i]
		if !still[a.ID] && s.acked[a.ID] != "" {
			delete(s.acked, a.ID)
			if t := c.tracks[a.ID]; t != nil {
				t.ended[s.n] = true
			}
			s.ackAlert(ctx, set, a, wire.AckEnded, "")
		}
	}
}

// ready acks an alert as far as it is; fresh says that its set has just come.
func (c *Crowd) ready(ctx context.Context, s *sign, a *timeline.Alert, fresh bool) {
	for i := range a.Frames {
		if !s.frames[a.Frames[i].SHA256] {
			if fresh || s.acked[a.ID] == "" {
				s.ackAlert(ctx, s.set, a, wire.AckRejected, wire.MissingFrame)
			}
			return
		}
	}
	if s.acked[a.ID] == "" || s.acked[a.ID] == wire.AckRejected {
		s.ackAlert(ctx, s.set, a, wire.AckReceived, "")
		if !a.Drill {
			s.ackAlert(ctx, s.set, a, wire.AckShowing, "")
			c.track(a.ID).showing[s.n] = true
		}
	} else if fresh {
		s.ackAlert(ctx, s.set, a, s.acked[a.ID], "")
	}
}

// onFrame takes a frame that is pushed before its set, and keeps only that it
// was right.
func (c *Crowd) onFrame(ctx context.Context, s *sign, sha string, data []byte) {
	if len(data) > wire.MaxFrame || wire.Digest(data) != sha {
		c.rejected[string(wire.BadFrame)]++
		return
	}
	s.frames[sha] = true
	if s.set == nil {
		return
	}
	for i := range s.set.Alerts {
		if a := &s.set.Alerts[i]; s.acked[a.ID] == wire.AckRejected {
			c.ready(ctx, s, a, false)
		}
	}
}

func (s *sign) ackAlert(ctx context.Context, set *timeline.AlertSet, a *timeline.Alert, state wire.AckState, reason wire.Reason) {
	if state != wire.AckEnded {
		s.acked[a.ID] = state
	}
	k := wire.Ack{Role: wire.RoleAlerts, Epoch: set.Epoch, Seq: set.Seq, Alert: a.ID, State: state, Reason: reason}
	if len(a.Frames) > 0 {
		k.Frame = a.Frames[0].SHA256
	}
	s.ack(ctx, k)
}
