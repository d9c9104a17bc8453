package output

import (
	"encoding/binary"
	"net"
	"strconv"
	"time"
)

// DDP, the Distributed Display Protocol (3waylabs.com/ddp): UDP, big-endian,
// ten bytes of header.
const (
	ddpPort    = 4048
	ddpHeader  = 10
	ddpData    = 1440 // at most, a packet; a multiple of 3: no LED is cut in two
	ddpVersion = 0x40
	ddpPush    = 0x01 // on the frame's last packet: show it now
	ddpRGB8    = 0x0b
	ddpDisplay = 1
	ddpRepeat  = time.Second // receivers go dark after about 2.5 s
)

// ddp packs frames into DDP packets.
type ddp struct {
	seq    byte // 1 to 15, one more a packet
	packet [ddpHeader + ddpData]byte
}

func newDDP(spec, addr string, m Map, l *layout) (Output, error) {
	host, port, err := hostPort(addr, ddpPort)
	if err != nil {
		return nil, err
	}
	from, err := m.localAddr()
	if err != nil {
		return nil, err
	}
	open := func(to net.IP) (sender, error) {
		c, err := net.DialUDP("udp", from, &net.UDPAddr{IP: to, Port: port})
		if err != nil {
			return nil, err
		}
		return unicast{c}, nil
	}
	return newStream(spec, l, ddpRepeat, 0, host, open, &ddp{}), nil
}

// frame sends one frame of LEDs. The push flag is on the packet that ends it,
// also when that packet is full.
func (d *ddp) frame(to sender, leds []byte) error {
	var failed error
	for at := 0; at < len(leds); at += ddpData {
		n := min(ddpData, len(leds)-at)
		d.seq = d.seq%15 + 1
		p := d.packet[:ddpHeader+n]
		p[0], p[1], p[2], p[3] = ddpVersion, d.seq, ddpRGB8, ddpDisplay
		if at+n == len(leds) {
			p[0] |= ddpPush
		}
		binary.BigEndian.PutUint32(p[4:], uint32(at))
		binary.BigEndian.PutUint16(p[8:], uint16(n))
		copy(p[ddpHeader:], leds[at:at+n])
		// The rest goes out all the same: a refusal that is reported here may
		// be an answer to an earlier packet.
		if err := to.send(0, p); err != nil {
			failed = err
		}
	}
	return failed
}

// end: a DDP receiver goes dark by itself.
func (d *ddp) end(sender) {}

// hostPort takes "host", "host:port", "[v6]:port" or a bare IPv6 address.
func hostPort(addr string, port int) (string, int, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		host, text = addr, strconv.Itoa(port)
	}
	p, err := strconv.ParseUint(text, 10, 16)
	if host == "" || err != nil || p == 0 {
		return "", 0, &net.AddrError{Err: "not HOST or HOST:PORT", Addr: addr}
	}
	return host, int(p), nil
}

// unicast sends to one receiver.
type unicast struct{ conn *net.UDPConn }

// send tries twice: what a connected socket reports is that the receiver did
// not want the packet before, and this one is then not sent.
func (u unicast) send(_ int, packet []byte) error {
	_, err := u.conn.Write(packet)
	if err == nil {
		return nil
	}
	if _, again := u.conn.Write(packet); again != nil {
		return again
	}
	return err
}

func (u unicast) close() error { return u.conn.Close() }
