package box

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/link"
	"ledcast/sign/output"
	"ledcast/sign/wire"
)

// memNet is a broker in memory, for tests in a synctest bubble: retained
// messages, exact filters and one "+", delivery in order.
type memNet struct {
	mu       sync.Mutex
	up       bool
	retained map[string][]byte
	hold     map[string]bool // topics whose retained message is not delivered
	conns    map[*memConn]bool
	said     []link.Message // from signs, in order
	changed  chan struct{}  // closed when up changes
	asked    []time.Time    // when somebody subscribed to the keys, and so to everything
	refuse   error          // CONNECT is refused with it, as often as a connection is tried
	accepted []bool         // what each link was told of its login
}

func newNet() *memNet {
	return &memNet{up: true, retained: map[string][]byte{}, hold: map[string]bool{}, conns: map[*memConn]bool{},
		changed: make(chan struct{})}
}

type memConn struct {
	n       *memNet
	o       link.Options
	session string
	subs    map[string]bool
	in      chan link.Message
	gone    chan struct{}
}

func match(filter, topic string) bool {
	f, t := strings.Split(filter, "/"), strings.Split(topic, "/")
	if len(f) != len(t) {
		return false
	}
	for i := range f {
		if f[i] != "+" && f[i] != t[i] {
			return false
		}
	}
	return true
}

func (c *memConn) Session() string { return c.session }

func (c *memConn) Publish(_ context.Context, m link.Message) error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if !c.n.conns[c] {
		return link.ErrDown
	}
	c.n.said = append(c.n.said, m)
	if m.Retained {
		c.n.retained[m.Topic] = m.Payload
	}
	return nil
}

func (c *memConn) Subscribe(_ context.Context, topics map[string]byte) error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if !c.n.conns[c] {
		return link.ErrDown
	}
	if _, all := topics[wire.TopicKeys]; all {
		c.n.asked = append(c.n.asked, time.Now())
	}
	for _, f := range slices.Sorted(maps.Keys(topics)) {
		c.subs[f] = true
		for _, topic := range slices.Sorted(maps.Keys(c.n.retained)) {
			if match(f, topic) && !c.n.hold[topic] {
				c.in <- link.Message{Topic: topic, Payload: c.n.retained[topic], Retained: true}
			}
		}
	}
	return nil
}

func (c *memConn) Unsubscribe(_ context.Context, topics ...string) error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	for _, f := range topics {
		delete(c.subs, f)
	}
	return nil
}

// send is the controller publishing.
func (n *memNet) send(topic string, payload []byte, retained bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if retained {
		n.retained[topic] = payload
	}
	for c := range n.conns {
		for f := range c.subs {
			if match(f, topic) {
				c.in <- link.Message{Topic: topic, Payload: payload}
				break
			}
		}
	}
}

// swap replaces what is retained on a topic without telling anybody.
func (n *memNet) swap(topic string, payload []byte) (before []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before, n.retained[topic] = n.retained[topic], payload
	return before
}

// holdBack keeps a topic's retained message from being delivered.
func (n *memNet) holdBack(topic string, on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hold[topic] = on
}

// power switches the broker on or off; off ends every connection.
func (n *memNet) power(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.up = on
	for c := range n.conns {
		if !on {
			close(c.gone)
			delete(n.conns, c)
		}
	}
	close(n.changed)
	n.changed = make(chan struct{})
}

type memLink struct {
	n *memNet
	o link.Options
}

func (n *memNet) dial(o link.Options) (Runner, error) {
	n.accepted = append(n.accepted, o.Accepted)
	return &memLink{n, o}, nil
}

func (l *memLink) Run(ctx context.Context) error {
	for k := 0; ; k++ {
		l.n.mu.Lock()
		changed := l.n.changed
		if !l.n.up || l.n.refuse != nil {
			refuse := l.n.refuse
			l.n.mu.Unlock()
			if refuse != nil {
				l.o.State(link.State{Reason: link.Reason(refuse), Err: refuse})
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
				continue
			}
		}
		c := &memConn{n: l.n, o: l.o, session: fmt.Sprintf("session-%d", k), subs: map[string]bool{},
			in: make(chan link.Message, 4096), gone: make(chan struct{})}
		l.n.conns[c] = true
		l.n.mu.Unlock()
		l.o.State(link.State{Up: true})
		l.o.Up(c)
		for up := true; up; {
			select {
			case m := <-c.in:
				l.o.Message(m)
			case <-c.gone:
				up = false
			case <-ctx.Done():
				_ = c.Publish(ctx, *l.o.Will(c.session))
				l.n.mu.Lock()
				delete(l.n.conns, c)
				l.n.mu.Unlock()
				return ctx.Err()
			}
		}
		l.o.Down(link.ErrDown)
		l.o.State(link.State{Reason: "the broker is gone", Err: link.ErrDown})
	}
}

// acks of one sign, in order.
func (n *memNet) acks(t *testing.T, sign string) []wire.Ack {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []wire.Ack
	for _, m := range n.said {
		if m.Topic == wire.SignTopic(sign, wire.LeafAck) {
			a, err := wire.ParseAck(m.Payload)
			if err != nil {
				t.Errorf("an ack that cannot be read: %v", err)
				continue
			}
			out = append(out, *a)
		}
	}
	return out
}

func (n *memNet) lastStatus(t *testing.T, sign string) *wire.Status {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	s, err := wire.ParseStatus(n.retained[wire.SignTopic(sign, wire.LeafStatus)])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// recorder is an output that remembers.
type recorder struct {
	mu   sync.Mutex
	seen []output.Picture
	face map[int64]color.RGBA // top left pixel by time
}

func (r *recorder) Show(p output.Picture) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.Changed {
		r.seen = append(r.seen, output.Picture{AtMS: p.AtMS, Item: p.Item, Frame: p.Frame, Why: p.Why, Percent: p.Percent})
	}
	if r.face == nil {
		r.face = map[int64]color.RGBA{}
	}
	r.face[p.AtMS] = p.Image.RGBAAt(0, 0)
	return nil
}

func (r *recorder) Close() error { return nil }

func (r *recorder) last() output.Picture {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) == 0 {
		return output.Picture{}
	}
	return r.seen[len(r.seen)-1]
}

func (r *recorder) all() []output.Picture {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// Keys of the tests, by what they are for.
func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func pub(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

var rootKey, spareKey, programKey, alertsKey, requestKey = key(1), key(2), key(3), key(4), key(5)

// frame is a distinct 16x8 picture.
func frame(t *testing.T, n uint8) (timeline.Frame, []byte) {
	t.Helper()
	if data, ok := pictures.Load(n); ok {
		return frameOf(data.([]byte)), data.([]byte)
	}
	img := image.NewPaletted(image.Rect(0, 0, 16, 8), color.Palette{color.RGBA{n, n, n, 255},
		color.RGBA{255, 255, n, 255}})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	pictures.Store(n, b.Bytes())
	return frameOf(b.Bytes()), b.Bytes()
}

// pictures are the frames that were drawn already: to compress one takes longer than all that a sign does with it.
var pictures sync.Map

func frameOf(data []byte) timeline.Frame {
	return timeline.Frame{SHA256: wire.Digest(data), Len: int64(len(data)), Type: "image/png", W: 16, H: 8,
		Owner: "public"}
}

// world is a controller by hand, a broker in memory, and one sign.
type world struct {
	t    *testing.T
	n    *memNet
	dir  string
	seq  int64
	clk  func() time.Time
	conf Config
	out  *recorder
	stop context.CancelFunc
	done chan error
}

func newWorld(t *testing.T) *world {
	dir, err := TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return &world{t: t, n: newNet(), dir: dir, clk: time.Now, conf: Config{Sign: "qn-001",
		Class: "16x8-rgb", Areas: []string{"quang-ngai/son-tinh"},
		Broker: "mqtt://memory:1", Username: "qn-001", Password: "x", Root: wire.EncodeKey(pub(rootKey)),
		RootSpare: wire.EncodeKey(pub(spareKey))}}
}

// start runs the sign. trusted says that its machine's clock is held by NTP.
func (w *world) start(trusted bool, change ...func(*Options)) *Box {
	w.t.Helper()
	begin := time.Now()
	w.out = &recorder{}
	o := Options{Config: w.conf, Dir: w.dir, Outputs: []output.Output{w.out}, Network: w.n.dial, Software: "test",
		write: writeUnsynced,
		Times: Times{Mono: func() int64 { return time.Since(begin).Milliseconds() },
			System: func() (int64, bool) { return w.clk().UnixMilli(), trusted }}}
	for _, f := range change {
		f(&o)
	}
	b, err := New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	w.stop, w.done = cancel, make(chan error, 1)
	go func() { w.done <- b.Run(ctx) }()
	synctest.Wait()
	return b
}

func (w *world) halt() {
	w.t.Helper()
	w.stop()
	if err := <-w.done; err != nil {
		w.t.Error(err)
	}
}

func (w *world) seal(k ed25519.PrivateKey, typ string, v any) []byte {
	w.t.Helper()
	doc, err := wire.Seal(k, typ, v)
	if err != nil {
		w.t.Fatal(err)
	}
	return doc
}

func (w *world) header(role string, life int64) timeline.Header {
	w.seq = max(w.seq+1, time.Now().UnixMilli())
	return wire.NewHeader(role, 1, w.seq, time.Now().Unix(), life)
}

func (w *world) keySet(change ...func(*wire.KeySet)) *wire.KeySet {
	k := &wire.KeySet{Header: w.header(wire.RoleKeys, wire.LifeKeys), Revoked: []string{}}
	for role, priv := range map[string]ed25519.PrivateKey{wire.RoleProgram: programKey, wire.RoleAlerts: alertsKey,
		wire.RoleRequest: requestKey} {
		k.Keys = append(k.Keys, wire.Key{Kid: wire.KeyID(pub(priv)), Role: role, X: wire.EncodeKey(pub(priv)), Nbf: k.Nbf,
			Exp: k.Exp})
	}
	for _, f := range change {
		f(k)
	}
	return k
}

func (w *world) sendKeys(k ed25519.PrivateKey, change ...func(*wire.KeySet)) {
	w.t.Helper()
	w.n.send(wire.TopicKeys, w.seal(k, wire.TypKeys, w.keySet(change...)), true)
	synctest.Wait()
}

// program shows frames n… for 5 s each, in one loop from now on.
func (w *world) program(frames ...uint8) *timeline.Program {
	w.t.Helper()
	now := time.Now().Unix()
	p := &timeline.Program{Header: w.header(wire.RoleProgram, wire.LifeProgram), Sign: w.conf.Sign, Class: w.conf.Class,
		Areas:    []string{"quang-ngai/son-tinh"},
		Loops:    []timeline.Loop{{Anchor: now}},
		Segments: []timeline.Segment{{From: now - 600, Until: now + wire.LifeProgram, Loop: 0, Why: "default"}},
		CommLoss: timeline.CommLoss{AfterS: 86400, Loop: 0}}
	for i, n := range frames {
		f, data := frame(w.t, n)
		w.n.mu.Lock()
		w.n.retained[wire.FrameTopic("public", f.SHA256)] = data
		w.n.mu.Unlock()
		p.Frames = append(p.Frames, f)
		p.Items = append(p.Items, timeline.Item{ID: fmt.Sprintf("item-%d", n), Owner: "public",
			Campaign: "c", Steps: []timeline.Step{{Frame: int64(i), MS: 5000}}})
		p.Loops[0].Order = append(p.Loops[0].Order, int64(i))
	}
	return p
}

func (w *world) sendProgram(p *timeline.Program) []byte {
	w.t.Helper()
	doc := w.seal(programKey, wire.TypProgram, p)
	w.n.send(wire.SignTopic(w.conf.Sign, wire.LeafProgram), doc, true)
	synctest.Wait()
	return doc
}

func (w *world) request(op string, change ...func(*wire.SignRequest)) {
	w.t.Helper()
	q := &wire.SignRequest{Header: w.header(wire.RoleRequest, wire.LifeRequest), Sign: w.conf.Sign, ID: "r", Op: op}
	for _, f := range change {
		f(q)
	}
	w.n.send(wire.SignTopic(w.conf.Sign, wire.LeafRequest), w.seal(requestKey, wire.TypRequest, q), false)
	synctest.Wait()
}

func (w *world) alertSet(alerts ...timeline.Alert) *timeline.AlertSet {
	return &timeline.AlertSet{Header: w.header(wire.RoleAlerts, wire.LifeAlerts), Class: w.conf.Class, Alerts: alerts,
		Ended: []timeline.Ended{}}
}

func (w *world) sendAlerts(set *timeline.AlertSet) []byte {
	w.t.Helper()
	doc := w.seal(alertsKey, wire.TypAlerts, set)
	w.n.send(wire.AlertsTopic(w.conf.Class, false), doc, true)
	synctest.Wait()
	return doc
}

// alert shows frame n exclusively for an hour from now, and pushes the frame.
func (w *world) alert(id string, n uint8, push bool) timeline.Alert {
	w.t.Helper()
	f, data := frame(w.t, n)
	f.Owner = ""
	if push {
		w.n.send(wire.AlertFrameTopic(w.conf.Class, false, f.SHA256), data, true)
		synctest.Wait()
	}
	now := time.Now().Unix()
	return timeline.Alert{ID: id, Priority: 100, From: now, Until: now + 3600, Areas: []string{"quang-ngai"},
		ExclusiveS: 3600, CycleMS: 60000,
		Frames: []timeline.Frame{f}, Steps: []timeline.Step{{Frame: 0, MS: 5000}}}
}

func (w *world) expect(item, why string) {
	w.t.Helper()
	synctest.Wait()
	if p := w.out.last(); p.Item != item || p.Why != why {
		w.t.Fatalf("the face shows %q (%s); want %q (%s)", p.Item, p.Why, item, why)
	}
}

func (w *world) lastAck() wire.Ack {
	w.t.Helper()
	acks := w.n.acks(w.t, w.conf.Sign)
	if len(acks) == 0 {
		w.t.Fatal("no ack")
	}
	return acks[len(acks)-1]
}
