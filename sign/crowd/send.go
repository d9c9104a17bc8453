package crowd

import (
	"context"
	"encoding/json"
	"time"

	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// sendStatus publishes the sign's status.
func (c *Crowd) sendStatus(ctx context.Context, s *sign) {
	st := wire.Status{V: 1, State: wire.Online, Session: s.conn.Session(), AtMS: time.Now().UnixMilli(),
		Software: c.setup.Software, Class: s.Class, Clock: "trusted", Program: s.machine.Program()}
	if k := s.machine.Keys(); k != nil {
		st.Keys = &wire.SeqOf{Epoch: k.Epoch, Seq: k.Seq}
	}
	if set := s.machine.Alerts(false); set != nil {
		st.Alerts = &wire.SeqOf{Epoch: set.Epoch, Seq: set.Seq}
	}
	data, _ := json.Marshal(st)
	s.send(ctx,
		link.Message{Topic: wire.SignTopic(s.Sign.Sign, wire.LeafStatus), Payload: data, QoS: 1, Retained: true})
}

func (s *sign) sendAck(ctx context.Context, k wire.Ack) {
	data, _ := json.Marshal(k)
	s.send(ctx, link.Message{Topic: wire.SignTopic(s.Sign.Sign, wire.LeafAck), Payload: data, QoS: 1})
}

// send publishes in order beside the worker. When a connection falls, the rest is dropped: the retained set that
// comes with the next connection is acked again.
func (s *sign) send(ctx context.Context, m link.Message) {
	if s.conn == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over != s.conn {
		s.over, s.out = s.conn, nil
	}
	s.out = append(s.out, m)
	if !s.sending {
		s.sending = true
		go s.drain(ctx)
	}
}

func (s *sign) drain(ctx context.Context) {
	for {
		s.mu.Lock()
		if len(s.out) == 0 {
			s.sending = false
			s.mu.Unlock()
			return
		}
		m, conn := s.out[0], s.over
		s.out = s.out[1:]
		s.mu.Unlock()
		c, cancel := context.WithTimeout(ctx, 20*time.Second)
		_ = conn.Publish(c, m) // the next connection brings the retained set, which is acked again
		cancel()
	}
}
