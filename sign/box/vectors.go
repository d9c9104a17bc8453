package box

import (
	"context"
	"encoding/json"
	"image"
	"os"

	"ledcast/playlists/timeline"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// Trial is a whole sign on a workbench, for the test vectors (docs/vectors): it
// has a disk, and its clock, connection and messages are the caller's. What it
// decides is decided by the same code as in Run. It is used by one goroutine.
type Trial struct {
	config Config
	dir    string
	box    *Box
	mono   int64 // ms; goes on over restarts
	system int64 // Unix ms at mono 0
	ntp    bool
}

// NewTrial returns a sign that was not started yet. It keeps its disk in dir.
func NewTrial(c Config, dir string) *Trial {
	if c.Broker == "" {
		c.Broker = "mqtt://127.0.0.1"
	}
	return &Trial{config: c, dir: dir}
}

// TempDir makes a folder for trials, in memory where the system has such a file system: a trial of a week writes
// thousands of small files. The caller removes the folder.
func TempDir() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "ledcast-trial-"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "ledcast-trial-")
}

// Start starts the sign, or ends it in good order and starts it again with
// what is on its disk. systemMS is its system clock (Unix ms); ntp says that
// NTP holds it. The sign is not connected.
func (t *Trial) Start(systemMS int64, ntp bool) error {
	if err := t.Stop(); err != nil {
		return err
	}
	t.system, t.ntp = systemMS-t.mono, ntp
	b, err := New(Options{Config: t.config, Dir: t.dir, Software: "trial", write: writeUnsynced, Times: Times{
		Mono:   func() int64 { return t.mono },
		System: func() (int64, bool) { return t.system + t.mono, t.ntp },
	}})
	if err != nil {
		return err
	}
	t.box = b
	t.turn()
	return nil
}

// Stop ends the sign in good order.
func (t *Trial) Stop() error {
	if t.box == nil {
		return nil
	}
	t.box.conn = nil
	t.box.prove(t.mono, true)
	t.box.save()
	return t.box.proof.close()
}

// turn runs the play loop once.
func (t *Trial) turn() {
	t.box.present()
	t.box.duties(context.Background())
	t.box.present()
}

// Connect connects the sign, with all its subscriptions. The sign publishes its status and asks for the time with this
// challenge, or with one of its own where it is empty.
func (t *Trial) Connect(session, challenge string) {
	c := loopback(session)
	t.box.conn = c
	t.box.player.Contact(t.mono)
	t.box.asking = nil
	t.box.handle(context.Background(), eventSubscribed{conn: c})
	if challenge != "" {
		t.box.askWait = askFirst
		t.box.askWith(t.mono, true, challenge)
	}
	t.turn()
}

// Ask has the sign publish its status and ask for the time once more with this challenge.
func (t *Trial) Ask(challenge string) {
	t.box.askWith(t.mono, false, challenge)
	t.turn()
}

// Disconnect breaks the connection.
func (t *Trial) Disconnect() {
	t.box.handle(context.Background(), eventDown{})
	t.turn()
}

// Message delivers one message.
func (t *Trial) Message(topic string, payload []byte) {
	t.box.handle(context.Background(), eventMessage{link.Message{Topic: topic, Payload: payload}})
	t.turn()
}

// Wait lets ms milliseconds pass at once.
func (t *Trial) Wait(ms int64) {
	t.mono += ms
	t.turn()
}

// Acks returns the acks since the last call.
func (t *Trial) Acks() []wire.Ack {
	acks := []wire.Ack{}
	for {
		select {
		case o := <-t.box.out:
			if _, leaf, _ := wire.SplitSignTopic(o.m.Topic); leaf != wire.LeafAck {
				continue
			}
			var a wire.Ack
			if json.Unmarshal(o.m.Payload, &a) == nil {
				acks = append(acks, a)
			}
		default:
			return acks
		}
	}
}

// Status returns the status that the sign would publish now, without publishing it: a signed time still answers the
// status before. Call Acks first.
func (t *Trial) Status() (s wire.Status) {
	b := t.box
	conn, due := b.conn, b.due["status"]
	if conn == nil {
		b.conn = loopback("")
	}
	b.sendStatus(t.mono)
	b.conn = conn
	if due == 0 {
		delete(b.due, "status")
	} else {
		b.due["status"] = due
	}
	select {
	case o := <-b.out:
		_ = json.Unmarshal(o.m.Payload, &s)
	default:
	}
	return s
}

// Face returns what shows now, and its pixels before gamma and brightness.
func (t *Trial) Face() (timeline.Shown, *image.RGBA) {
	t.box.present()
	return t.box.shown, t.box.face
}

// loopback is a connection without a broker, by its session. Every subscription is granted. Trial reads what the sign
// publishes before it gets here.
type loopback string

func (n loopback) Session() string                                { return string(n) }
func (loopback) Publish(context.Context, link.Message) error      { return nil }
func (loopback) Subscribe(context.Context, map[string]byte) error { return nil }
func (loopback) Unsubscribe(context.Context, ...string) error     { return nil }
