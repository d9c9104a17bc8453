package link

import (
	"errors"
	"net"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// broker is one end of one connection at a time, by hand: a test reads the client's packets and answers them.
type broker struct {
	t *testing.T
	l net.Listener
	c net.Conn
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, l: l}
	t.Cleanup(func() { _ = l.Close(); b.cut() })
	return b
}

func (b *broker) address() string { return "mqtt://" + b.l.Addr().String() }

// accept takes the next connection and answers its CONNECT.
func (b *broker) accept(code byte) *packets.ConnectPacket {
	b.t.Helper()
	var err error
	if b.c, err = b.l.Accept(); err != nil {
		b.t.Fatal(err)
	}
	p := next[*packets.ConnectPacket](b)
	ack := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
	ack.ReturnCode = code
	b.send(ack)
	return p
}

// cut ends the connection as a broken network does.
func (b *broker) cut() {
	if b.c != nil {
		_ = b.c.Close()
	}
}

func (b *broker) send(p packets.ControlPacket) {
	b.t.Helper()
	if err := p.Write(b.c); err != nil {
		b.t.Fatal(err)
	}
}

func (b *broker) puback(id uint16) {
	b.t.Helper()
	p := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	p.MessageID = id
	b.send(p)
}

func (b *broker) suback(id uint16, codes ...byte) {
	b.t.Helper()
	p := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
	p.MessageID, p.ReturnCodes = id, codes
	b.send(p)
}

// next reads the client's next packet, which must be of this kind.
func next[P packets.ControlPacket](b *broker) (p P) {
	b.t.Helper()
	got, err := packets.ReadPacket(b.c)
	if err != nil {
		b.t.Fatal(err)
	}
	p, ok := got.(P)
	if !ok {
		b.t.Fatalf("the client sent %v", got)
	}
	return p
}

// ended reads until the client has closed the connection.
func (b *broker) ended() error {
	for {
		p, err := packets.ReadPacket(b.c)
		if err != nil {
			return err
		}
		if _, ok := p.(*packets.DisconnectPacket); !ok {
			return errors.New("the client sent " + p.String())
		}
	}
}
