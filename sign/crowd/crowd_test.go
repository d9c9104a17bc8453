package crowd

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"ledcast/playlists/timeline"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

const class = "16x8-rgb"

func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func x(k ed25519.PrivateKey) string { return wire.EncodeKey(k.Public().(ed25519.PublicKey)) }

var root, spare, programKey, alertsKey, requestKey = key(1), key(2), key(3), key(4), key(5)

func setup() Setup { return Setup{Root: x(root), Spare: x(spare), Software: "test", AtOnce: true} }

func seal(t *testing.T, k ed25519.PrivateKey, typ string, v any) []byte {
	t.Helper()
	doc, err := wire.Seal(k, typ, v)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func header(role string, seq, life int64) timeline.Header {
	return wire.NewHeader(role, 1, seq, time.Now().Unix(), life)
}

func keySet(t *testing.T) []byte {
	s := &wire.KeySet{Header: header(wire.RoleKeys, 1, wire.LifeKeys)}
	for role, k := range map[string]ed25519.PrivateKey{wire.RoleProgram: programKey, wire.RoleAlerts: alertsKey,
		wire.RoleRequest: requestKey} {
		s.Keys = append(s.Keys,
			wire.Key{Kid: wire.KeyID(k.Public().(ed25519.PublicKey)), Role: role, X: x(k), Nbf: s.Nbf, Exp: s.Exp})
	}
	return seal(t, root, wire.TypKeys, s)
}

func program(t *testing.T, sign string, seq int64) []byte {
	f := timeline.Frame{SHA256: strings.Repeat("a", 64), Len: 9, Type: "image/png", W: 16, H: 8, Owner: "public"}
	return seal(
		t,
		programKey,
		wire.TypProgram,
		&timeline.Program{Header: header(wire.RoleProgram, seq, wire.LifeProgram),
			Sign: sign, Class: class, Areas: []string{"quang-ngai"}, Frames: []timeline.Frame{f},
			Items: []timeline.Item{{ID: "a", Owner: "public", Steps: []timeline.Step{{MS: 5000}}}},
			Loops: []timeline.Loop{{Order: []int64{0}}}},
	)
}

// picture is a frame of an alert. A light sign checks its digest only.
var picture = []byte("picture")

func alert(id string) timeline.Alert {
	now := time.Now().Unix()
	f := timeline.Frame{SHA256: wire.Digest(picture), Len: int64(len(picture)), Type: "image/png", W: 16, H: 8}
	return timeline.Alert{ID: id, From: now, Until: now + 3600, Areas: []string{"quang-ngai"}, CycleMS: 60000,
		Frames: []timeline.Frame{f}, Steps: []timeline.Step{{MS: 5000}}}
}

func alerts(t *testing.T, seq int64, alerts ...timeline.Alert) []byte {
	return seal(t, alertsKey, wire.TypAlerts,
		&timeline.AlertSet{Header: header(wire.RoleAlerts, seq, wire.LifeAlerts), Class: class, Alerts: alerts})
}

// recorder is a connection that remembers what a sign publishes.
type recorder struct {
	mu         sync.Mutex
	said       []string
	subscribed int
}

func (r *recorder) Session() string { return "s1" }

func (r *recorder) Publish(_ context.Context, m link.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch _, leaf, _ := wire.SplitSignTopic(m.Topic); leaf {
	case wire.LeafAck:
		a, err := wire.ParseAck(m.Payload)
		if err != nil {
			return err
		}
		r.said = append(r.said,
			strings.Join(strings.Fields(fmt.Sprintf("%s %d %s %s %s", a.Role, a.Seq, a.Alert, a.State, a.Reason)), " "))
	case wire.LeafStatus:
		s, err := wire.ParseStatus(m.Payload)
		if err != nil {
			return err
		}
		r.said = append(r.said, fmt.Sprintf("status %v %v %v", s.Keys != nil, s.Program != nil, s.Alerts != nil))
	}
	return nil
}

func (r *recorder) Subscribe(context.Context, map[string]byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subscribed++
	return nil
}

func (r *recorder) Unsubscribe(context.Context, ...string) error { return nil }

// want compares what was published since the last call.
func (r *recorder) want(t *testing.T, lines ...string) {
	t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.said, lines) {
		t.Errorf("published:\n\t%s\nwant:\n\t%s", strings.Join(r.said, "\n\t"), strings.Join(lines, "\n\t"))
	}
	r.said = nil
}

// A light sign says what a whole one says of the same documents.
func TestALightSign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c, err := New(setup(), []Sign{{Sign: "sim-1", Class: class, Areas: []string{"quang-ngai"}}},
			slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		s, r := c.signs[0], &recorder{}
		at := int64(0)
		send := func(topic string, payload []byte) {
			at++
			c.handle(ctx, &event{s: s, kind: isMessage, m: link.Message{Topic: topic, Payload: payload}, at: at})
		}
		alertTopic := wire.AlertsTopic(class, false)
		frameTopic := wire.AlertFrameTopic(class, false, wire.Digest(picture))
		send(wire.SignTopic("sim-1", wire.LeafProgram), program(t, "sim-1", 5)) // without a connection it says nothing
		c.handle(ctx, &event{s: s, kind: isUp, conn: r})
		send(wire.TopicKeys, keySet(t))
		r.want(t, "program 5 received")
		c.handle(ctx, &event{s: s, kind: isSubscribed, conn: r})
		c.handle(ctx, &event{s: s, kind: isSubscribed, conn: r})
		c.handle(ctx, &event{s: s, kind: isSubscribed, conn: &recorder{}})
		r.want(t, "status true true false")

		send(wire.SignTopic("sim-1", wire.LeafProgram), program(t, "sim-1", 4))
		r.want(t, "program 4 rejected stale-seq")

		send(alertTopic, alerts(t, 1, alert("storm")))
		r.want(t, "alerts 1 received", "alerts 1 storm rejected missing-frame")
		set := at
		send(frameTopic, []byte("other bytes"))
		r.want(t)
		send(frameTopic, picture)
		r.want(t, "alerts 1 storm received", "alerts 1 storm showing")
		drill := alert("drill")
		drill.Drill = true
		send(alertTopic, alerts(t, 2, alert("storm"), drill))
		r.want(t, "alerts 2 received", "alerts 2 storm showing", "alerts 2 drill received")
		send(frameTopic, nil) // gone
		send(alertTopic, alerts(t, 3, alert("storm")))
		r.want(t, "alerts 3 drill ended", "alerts 3 received", "alerts 3 storm rejected missing-frame")
		send(alertTopic, alerts(t, 4))
		r.want(t, "alerts 4 storm ended", "alerts 4 received")

		send(alertTopic, []byte(Mark+"m1\nxxx"))
		send(wire.SignTopic("sim-1", wire.LeafRequest), seal(
			t,
			requestKey,
			wire.TypRequest,
			&wire.SignRequest{
				Header: header(wire.RoleRequest, 1, wire.LifeRequest),
				Sign:   "sim-1",
				ID:     "r",
				Op:     wire.OpResync,
			},
		))
		send(wire.SignTopic("sim-1", wire.LeafRequest), []byte("rubbish"))
		r.want(t)
		if r.subscribed != 1 || c.resyncs != 1 {
			t.Errorf("%d subscriptions after %d resyncs", r.subscribed, c.resyncs)
		}
		if n := c.rejected; n["stale-seq"] != 1 || n["bad-frame"] != 1 || n["request: bad-header"] != 1 || len(n) != 3 {
			t.Errorf("rejected %v", n)
		}
		storm, mark := c.tracks["storm"], c.tracks["m1"]
		if storm.at[0] != set || !storm.showing[0] || !storm.ended[0] || mark.at[0] == 0 ||
			c.tracks["drill"].showing[0] {
			t.Errorf("storm %+v, mark %+v", storm, mark)
		}
		c.handle(ctx, &event{s: s, kind: isDown})
		send(alertTopic, alerts(t, 5))
		r.want(t)
	})
}

// open lets everybody in.
type open struct{ mochi.HookBase }

func (*open) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*open) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*open) OnACLCheck(_ *mochi.Client, _ string, _ bool) bool        { return true }

// A crowd in a process of its own, against a broker that holds its documents.
func TestServe(t *testing.T) {
	const n = 20
	b := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	if err := b.AddHook(new(open), nil); err != nil {
		t.Fatal(err)
	}
	tcp := listeners.NewTCP(listeners.Config{ID: "t", Address: "127.0.0.1:0"})
	if err := b.AddListener(tcp); err != nil {
		t.Fatal(err)
	}
	if err := b.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	publish := func(topic string, payload []byte) {
		t.Helper()
		if err := b.Publish(topic, payload, true, 1); err != nil {
			t.Fatal(err)
		}
	}
	s := setup()
	s.Broker, s.AtOnce = "mqtt://"+tcp.Address(), false
	var signs []Sign
	publish(wire.TopicKeys, keySet(t))
	for i := range n {
		sign := fmt.Sprintf("sim-%d", i)
		signs = append(signs, Sign{Sign: sign, Class: class, Areas: []string{"quang-ngai"}})
		publish(wire.SignTopic(sign, wire.LeafProgram), program(t, sign, 5))
	}

	toCrowd, in := io.Pipe()
	out, fromCrowd := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Serve(t.Context(), toCrowd, fromCrowd, slog.New(slog.DiscardHandler)) }()
	e, d := json.NewEncoder(in), json.NewDecoder(out)
	send := func(x Command) {
		t.Helper()
		if err := e.Encode(x); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(x Command) (a Answer) {
		t.Helper()
		send(x)
		if err := d.Decode(&a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	until := func(of string, enough func(*Count) bool) (c *Count) {
		t.Helper()
		for c = ask(Command{Op: "count", Of: of}).Count; !enough(c); c = ask(Command{Op: "count", Of: of}).Count {
			if t.Context().Err() != nil {
				t.Fatalf("%+v", c)
			}
		}
		return c
	}
	send(Command{Setup: &s, Signs: signs})
	if c := until("", func(c *Count) bool { return c.Ready == n }); c.Subscribed != n || c.Connects != n ||
		len(c.Rejected) != 0 {
		t.Errorf("%+v", c)
	}
	publish(wire.AlertFrameTopic(class, false, wire.Digest(picture)), picture)
	publish(wire.AlertsTopic(class, false), alerts(t, 1, alert("storm")))
	if c := until("storm", func(c *Count) bool { return c.Showing == n }); c.Received != n || c.Ended != 0 {
		t.Errorf("%+v", c)
	}
	publish(wire.AlertsTopic(class, false), alerts(t, 2))
	until("storm", func(c *Count) bool { return c.Ended == n })
	times := ask(Command{Op: "times", Of: "storm"}).Times
	if len(times) != n || slices.Contains(times, 0) {
		t.Errorf("times %v", times)
	}
	if again := ask(Command{Op: "times", Of: "storm"}).Times; len(again) != n || again[0] != 0 {
		t.Errorf("times %v after they were given away", again)
	}
	_ = in.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestServeRefuses(t *testing.T) {
	for what, c := range map[string]struct{ in, err string }{
		"nothing":      {"", "names no setup"},
		"no setup":     {`{"op":"count"}`, "names no setup"},
		"a root":       {`{"setup":{"root":"x"}}`, "root: "},
		"a spare root": {`{"setup":{"root":"` + x(root) + `","root_spare":"x"}}`, "root_spare: "},
		"a broker": {`{"setup":{"root":"` + x(root) + `","root_spare":"` + x(spare) +
			`","broker":"x"},"signs":[{"sign":"a"}]}` + "\n" + `{"op":"count"}`,
			`broker "x"`},
		"another command": {`{"setup":{"root":"` + x(root) + `","root_spare":"` + x(spare) + `"}}` + "\n" + `{"op":"dance"}`,
			`"dance"`},
	} {
		err := Serve(t.Context(), strings.NewReader(c.in), io.Discard, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
