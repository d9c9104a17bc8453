package app

import "context"

// message is one from a sign.
type message struct {
	topic   string
	payload []byte
}

// feed hands signs' messages from the embedded broker to the listener. A subscription would lose some: the broker
// holds 128 messages for a reader and drops the rest, and ten thousand signs ack an alert at once.
type feed struct {
	in     chan message
	closed chan struct{} // when run has ended
}

func newFeed() *feed { return &feed{in: make(chan message, 1<<15), closed: make(chan struct{})} }

// add queues a message. It waits while the queue is full, and so does the sign.
func (f *feed) add(topic string, payload []byte) {
	select {
	case f.in <- message{topic, payload}:
	case <-f.closed:
	}
}

// run passes messages on until ctx ends: one at a time, so that those of a sign stay in order.
func (f *feed) run(ctx context.Context, listen func(message)) {
	defer close(f.closed)
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-f.in:
			listen(m)
		}
	}
}
