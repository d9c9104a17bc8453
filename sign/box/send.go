package box

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"image/png"
	"net/url"
	"os"
	"sort"
	"strings"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/accept"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// outgoing is a message on its way to the sender.
type outgoing struct {
	conn link.Conn
	m    link.Message
}

// sendBurst is how many messages a box sends in 10 s. The protocol allows 20, and the other side drops the rest: the
// box keeps a little below, because the two sides count by clocks of their own.
const sendBurst = timeline.FloodMessages - 2

// send publishes in order, beside the loop: a slow link must not stop the face.
func (b *Box) send(ctx context.Context) {
	sent := wire.NewWindow(sendBurst, timeline.FloodMS*time.Millisecond)
	now := func() time.Time { return time.UnixMilli(b.times.Mono()) }
	for {
		if wait := sent.Wait(now()); wait > 0 {
			t := time.NewTimer(wait)
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
		}
		select {
		case <-ctx.Done():
			return
		case o := <-b.out:
			sent.Take(now())
			c, cancel := context.WithTimeout(ctx, 20*time.Second)
			if err := o.conn.Publish(c, o.m); err != nil {
				b.log.Debug("publish failed", "topic", o.m.Topic, "err", err)
			}
			cancel()
		}
	}
}

// publish hands a message to the sender. It drops the message without a connection or behind a full queue: everything
// that a sign publishes is repeated.
func (b *Box) publish(leaf wire.Leaf, payload []byte, retained bool) {
	if b.conn == nil {
		return
	}
	select {
	case b.out <- outgoing{b.conn, link.Message{Topic: wire.SignTopic(b.cfg.Sign, leaf),
		Payload: payload, QoS: 1, Retained: retained}}:
	default:
		b.log.Warn("send queue full, message dropped", "topic", leaf)
	}
}

// subscribe asks for everything that a sign reads, or only for what is urgent. A subscription brings all that is
// retained: a program each ten minutes is a hundred times the bytes of one a day. It runs beside the loop.
func (b *Box) subscribe(ctx context.Context, c link.Conn, everything bool) {
	q := byte(b.cfg.QoS)
	topics := map[string]byte{wire.SignTopic(b.cfg.Sign, wire.LeafRequest): q}
	if everything {
		topics[wire.TopicKeys] = q
	}
	if b.cfg.picture() {
		topics[wire.SignTopic(b.cfg.Sign, wire.LeafFrame)] = q
	} else {
		if everything {
			topics[wire.SignTopic(b.cfg.Sign, wire.LeafProgram)] = q
		}
		tests := []bool{false}
		if b.cfg.Test {
			tests = append(tests, true)
		}
		for _, test := range tests {
			topics[wire.AlertsTopic(b.cfg.Class, test)] = q
			topics[wire.AlertFrameTopic(b.cfg.Class, test, "+")] = q
		}
	}
	tctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err := c.Subscribe(tctx, topics)
	select {
	case b.in <- eventSubscribed{c, err}:
	case <-ctx.Done():
	}
}

func (b *Box) will(session string) []byte {
	data, _ := json.Marshal(wire.Status{V: 1, State: wire.Offline, Session: session, AtMS: b.wallMS()})
	return data
}

// wallMS is the time of the will, which is written outside the loop before there is a connection.
func (b *Box) wallMS() int64 { ms, _ := b.times.System(); return ms }

// sendStatus publishes the sign's status.
func (b *Box) sendStatus(mono int64) {
	if b.conn == nil {
		return
	}
	pub := b.key.Public().(ed25519.PublicKey)
	s := wire.Status{V: 1, State: wire.Online, Session: b.conn.Session(), AtMS: b.player.Clock.Now(mono),
		Challenge: b.challenge, Software: b.o.Software, Class: b.cfg.Class, Clock: "untrusted",
		Key:     &wire.PublicKey{Kid: wire.KeyID(pub), X: wire.EncodeKey(pub)},
		Cache:   &wire.Cache{Frames: int64(len(b.frames.sizes)), Bytes: b.frames.total},
		UptimeS: (mono - b.startMono) / 1000,
		Showing: &wire.Showing{Item: b.shown.Item, Why: b.shown.Why}}
	if b.shown.Frame != nil {
		s.Showing.Frame = b.shown.Frame.SHA256
	}
	if b.player.Clock.Trusted() {
		s.Clock = "trusted"
	}
	if k := b.machine.Keys(); k != nil {
		s.Keys = &wire.SeqOf{Epoch: k.Epoch, Seq: k.Seq}
	}
	if p := b.player.Program(); p != nil {
		s.Program = &wire.SeqOf{Epoch: p.Epoch, Seq: p.Seq}
	}
	b.player.Alerts(func(_ *timeline.Alert, set *timeline.AlertSet, test bool) {
		if !test {
			s.Alerts = &wire.SeqOf{Epoch: set.Epoch, Seq: set.Seq}
		}
	})
	for code := range b.faults {
		s.Faults = append(s.Faults, code)
	}
	sort.Strings(s.Faults)
	data, err := json.Marshal(s)
	if err != nil || len(data) > wire.MaxStatus {
		b.log.Error("status not sent", "bytes", len(data), "err", err)
		return
	}
	b.challenge = "" // it is used once
	b.publish(wire.LeafStatus, data, true)
	b.due["status"] = mono + statusEvery
}

func (b *Box) sendAck(a wire.Ack) {
	data, err := json.Marshal(a)
	if err != nil || len(data) > wire.MaxAck {
		b.log.Error("ack not sent", "bytes", len(data), "err", err)
		return
	}
	b.publish(wire.LeafAck, data, false)
}

// ackShowing acks what shows. It is called after the first pixel was put out, never before.
func (b *Box) ackShowing(shown *timeline.Shown, mono int64) {
	if b.cfg.picture() {
		return
	}
	ev := accept.Shown{}
	if shown.Why == timeline.WhyAlert {
		ev.Alert = shown.Item
	}
	if shown.Frame != nil {
		ev.Frame = shown.Frame.SHA256
	}
	b.step(context.Background(), ev, mono)
}

// perform carries out a request.
func (b *Box) perform(ctx context.Context, q *wire.SignRequest, mono int64) {
	switch q.Op {
	case wire.OpSnapshot:
		b.snapshot()
	case wire.OpIdentify:
		b.identify = mono + identifyFor
	case wire.OpResync:
		if b.conn != nil {
			go b.subscribe(ctx, b.conn, true)
		}
	case wire.OpForgetCache:
		for sha := range b.frames.sizes {
			if !b.needed(sha) {
				b.frames.remove(sha)
			}
		}
		b.sendStatus(mono)
	case wire.OpTime:
		if b.conn != nil {
			b.answered(ctx, q, mono)
		}
	case wire.OpPlayedHave:
		if b.proof.have(q.Chain, q.N) {
			b.proofAt = mono // the next one, if there is one
		}
	default:
		b.log.Warn("request not known", "op", q.Op)
	}
}

// snapshot publishes a picture of the face.
func (b *Box) snapshot() {
	var buf bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&buf, b.face); err != nil || buf.Len() > wire.MaxSnapshot {
		b.log.Warn("snapshot not sent", "bytes", buf.Len(), "err", err)
		return
	}
	b.publish(wire.LeafSnapshot, buf.Bytes(), false)
}

func (b *Box) onPicture(data []byte, mono int64) {
	img, err := wire.OpenPicture(data, b.cfg.Class)
	if err != nil {
		b.log.Warn("picture refused", "err", err)
		return
	}
	b.picture, b.pictureSHA, b.pictureMono = img, wire.Digest(data), mono
}

// tls is nil for mqtt://.
func (c *Config) tls() (*tls.Config, error) {
	u, err := url.Parse(c.Broker)
	if err != nil || u.Scheme != "mqtts" {
		return nil, nil
	}
	conf := &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	if c.CA == "" {
		return conf, nil
	}
	pem := []byte(c.CA)
	if !strings.HasPrefix(c.CA, "-----BEGIN ") {
		if pem, err = os.ReadFile(c.CA); err != nil {
			return nil, fmt.Errorf("ca: %w; give the file with the certificate of the broker's CA", err)
		}
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca holds no PEM certificate; give a PEM file, or its text")
	}
	return conf, nil
}
