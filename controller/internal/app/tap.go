package app

import "context"

// said is one message from a sign.
type said struct {
	topic   string
	payload []byte
}

// tap hands what signs say from the embedded broker to the listener. A
// subscription would lose of it: the broker holds 128 messages for a reader and
// drops the rest, and ten thousand signs ack an alert at once.
type tap struct {
	in   chan said
	gone chan struct{} // closed when nobody listens any more
}

func newTap() *tap { return &tap{in: make(chan said, 1<<15), gone: make(chan struct{})} }

// heard queues a message. Behind a full queue it waits, and so does the sign.
func (t *tap) heard(topic string, payload []byte) {
	select {
	case t.in <- said{topic, payload}:
	case <-t.gone:
	}
}

// run listens until ctx ends; one message at a time, so a sign's stay in order.
func (t *tap) run(ctx context.Context, listen func(said)) {
	defer close(t.gone)
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-t.in:
			listen(m)
		}
	}
}
