package output

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net"
	"time"
)

// sACN, ANSI E1.31-2018: DMX512 universes in UDP. The numbers are of its tables
// 4-1 (data packet), 9-10 (multicast) and sections 6.6 and 6.7.
const (
	sacnPort      = 5568
	sacnLEDs      = 170 // of 512 slots, 510: no LED is cut in two
	sacnHeader    = 126 // up to and with the start code
	sacnUniverses = 63999
	sacnRepeat    = 900 * time.Millisecond // keep-alive: 800 to 1000 ms
	sacnEarly     = 2                      // three packets of one content before the keep-alive begins
	sacnEnded     = 0x40                   // Stream_Terminated
	sacnMulticast = "multicast"
)

// sacn packs frames into universes.
type sacn struct {
	first   int      // universe
	packets [][]byte // one a universe; their headers stand
}

func newSACN(spec, addr string, m Map, l *layout) (Output, error) {
	s := &sacn{first: m.Universe}
	if s.first == 0 {
		s.first = 1
	}
	n := (len(l.from) + sacnLEDs - 1) / sacnLEDs
	if s.first < 1 || s.first+n-1 > sacnUniverses {
		return nil, fmt.Errorf("universe %d: %d LEDs take %d universes, and there are 1 to %d", s.first, len(l.from), n,
			sacnUniverses)
	}
	priority := 100
	if m.Priority != nil {
		priority = *m.Priority
	}
	if priority < 0 || priority > 200 {
		return nil, fmt.Errorf("priority %d is not 0 to 200", priority)
	}
	for i := range n {
		leds := min(sacnLEDs, len(l.from)-i*sacnLEDs)
		s.packets = append(s.packets, sacnPacket(l.face.Sign, byte(priority), uint16(s.first+i), 3*leds))
	}
	from, err := m.localAddr()
	if err != nil {
		return nil, err
	}
	if addr == sacnMulticast {
		open := func(net.IP) (sender, error) {
			// Bound to an address, Linux sends multicast over its network.
			c, err := net.ListenUDP("udp4", from)
			if err != nil {
				return nil, err
			}
			return multicast{c, s.first}, nil
		}
		return newStream(spec, l, sacnRepeat, sacnEarly, "239.255.0.0", open, s), nil
	}
	host, port, err := hostPort(addr, sacnPort)
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
	return newStream(spec, l, sacnRepeat, sacnEarly, host, open, s), nil
}

// sacnPacket is a data packet of so many slots, all 0, sequence 0.
func sacnPacket(sign string, priority byte, universe uint16, slots int) []byte {
	p := make([]byte, sacnHeader+slots)
	be := binary.BigEndian
	length := func(at int) { be.PutUint16(p[at:], 0x7000|uint16(len(p)-at)) }
	// Root layer.
	be.PutUint16(p[0:], 0x0010)
	copy(p[4:], "ASC-E1.17\x00\x00\x00")
	length(16)
	be.PutUint32(p[18:], 4)
	cid := sacnCID(sign)
	copy(p[22:], cid[:])
	// Framing layer.
	length(38)
	be.PutUint32(p[40:], 2)
	copy(p[44:107], "ledcast "+sign) // 64 bytes, the last of them 0
	p[108] = priority
	be.PutUint16(p[113:], universe)
	// DMP layer.
	length(115)
	p[117], p[118] = 0x02, 0xa1
	be.PutUint16(p[121:], 1)
	be.PutUint16(p[123:], uint16(slots+1))
	return p
}

// sacnCID names the sender for as long as the sign lives: a UUID of version 8
// (RFC 9562) made of the sign's name.
func sacnCID(sign string) (id [16]byte) {
	sum := sha256.Sum256([]byte("ledcast sacn " + sign))
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

func (s *sacn) frame(to sender, leds []byte) error {
	for i, p := range s.packets {
		copy(p[sacnHeader:], leds[i*3*sacnLEDs:])
	}
	return s.put(to)
}

// put sends every universe, each with a sequence of its own.
func (s *sacn) put(to sender) error {
	var failed error
	for i, p := range s.packets {
		if err := to.send(i, p); err != nil {
			failed = err
		}
		p[111]++
	}
	return failed
}

// end announces three times that the stream ends (6.2.6), so that receivers need not
// wait to notice it.
func (s *sacn) end(to sender) {
	for _, p := range s.packets {
		p[112] = sacnEnded
	}
	for range 3 {
		_ = s.put(to) // the process ends: a failure changes nothing
	}
}

// sacnGroup is the multicast group of a universe: 239.255.high.low.
func sacnGroup(universe int) net.IP {
	return net.IPv4(239, 255, byte(universe>>8), byte(universe))
}

// multicast sends each universe to its own group.
type multicast struct {
	conn  *net.UDPConn
	first int
}

func (m multicast) send(to int, packet []byte) error {
	_, err := m.conn.WriteToUDP(packet, &net.UDPAddr{IP: sacnGroup(m.first + to), Port: sacnPort})
	return err
}

func (m multicast) close() error { return m.conn.Close() }
