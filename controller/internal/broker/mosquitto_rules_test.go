package broker

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// outside is a real Mosquitto with the generated files and one user more, the
// witness, who reads and writes everything.
type outside struct {
	t       *testing.T
	addr    string
	dir     string
	process *os.Process
}

// houseAccounts are those of start.
func houseAccounts() (accounts []Account, verifiers map[string]map[string]string) {
	b := &book{by: map[string]Account{}}
	test := account("test-1")
	test.Test = true
	verifiers = map[string]map[string]string{}
	for _, a := range []Account{account("qn-001"), account("qn-003"),
		{Sign: "qn-002", Owner: "song-tra-ads", Class: "64x32-red"}, test} {
		b.put(a)
		accounts = append(accounts, b.by[a.Sign])
		v, err := Verifiers(password(a.Sign))
		if err != nil {
			panic(err) // no password is too long for bcrypt
		}
		verifiers[a.Sign] = v
	}
	return accounts, verifiers
}

func startOutside(t *testing.T) *outside {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
		if _, err := os.Stat(path); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("mosquitto is not installed; .ci/run installs it")
			}
			t.Skip("mosquitto is not installed")
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &outside{t: t, addr: ln.Addr().String(), dir: t.TempDir()}
	_ = ln.Close()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	// As a Debian installation has it: a configuration of its own, which includes ours.
	if err := os.Mkdir(filepath.Join(m.dir, "conf.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(m.dir, "main.conf")
	if err := os.WriteFile(main,
		fmt.Appendf(nil, "user %s\npersistence true\npersistence_location %s/\n"+
			"log_dest file %[2]s/log\nlog_type all\ninclude_dir %[2]s/conf.d\n",
			me.Username, m.dir), 0o600); err != nil {
		t.Fatal(err)
	}
	m.write(houseAccounts())
	cmd := exec.Command(path, "-c", main)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m.process = cmd.Process
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-gone })
	// Nothing tells when it listens: try until it does.
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.Dial("tcp", m.addr)
		if err == nil {
			_ = conn.Close()
			return m
		}
		select {
		case <-gone:
			t.Fatalf("mosquitto ended: %s", m.said())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("mosquitto does not answer: %s", m.said())
		}
	}
}

// write generates the files, with the witness in them.
func (m *outside) write(accounts []Account, verifiers map[string]map[string]string) {
	m.t.Helper()
	f, err := Mosquitto(MosquittoOptions{Accounts: accounts, Verifiers: verifiers, ControllerPassword: controllerPassword,
		Listen: m.addr, Folder: m.dir})
	if err != nil {
		m.t.Fatal(err)
	}
	witness, err := mosquittoPassword(password("witness"))
	if err != nil {
		m.t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"conf.d/" + MosquittoConf: f.Conf,
		MosquittoACL:              append(f.ACL, "\nuser witness\ntopic readwrite #\ntopic read $SYS/#\n"...),
		MosquittoPasswords:        append(f.Passwords, "witness:"+witness+"\n"...),
	} {
		if err := os.WriteFile(filepath.Join(m.dir, name), data, 0o600); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *outside) said() string {
	data, _ := os.ReadFile(filepath.Join(m.dir, "log"))
	return string(data)
}

func (m *outside) connect(c connecting) *client {
	m.t.Helper()
	conn, err := net.Dial("tcp", m.addr)
	if err != nil {
		m.t.Fatal(err)
	}
	return connectOver(m.t, conn, c)
}

func (m *outside) in(c connecting) *client {
	m.t.Helper()
	cl := m.connect(c)
	if cl.code != 0 {
		m.t.Fatalf("%s as %s was refused with %#x", c.user, c.id, cl.code)
	}
	cl.settled()
	return cl
}

// witness sees all that is taken; its marker comes after it.
func (m *outside) witness() *client {
	m.t.Helper()
	w := m.in(as("witness"))
	w.subscribed("#", "$SYS/x")
	return w
}

func (m *outside) controller() *client {
	return m.in(connecting{user: ControllerUser, pass: controllerPassword, id: "controller-1"})
}

// attempt sends at every QoS without minding the answer.
func (c *client) attempt(topic, payload string) {
	c.t.Helper()
	for qos := range byte(2) {
		c.id++
		c.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos, Retain: true},
			TopicName: topic, Payload: []byte(payload), PacketID: c.id})
		if qos > 0 {
			c.answer(packets.Puback)
		}
	}
	c.settled()
}

// TestOutsideConnect: who is not let in, and who is let in as nobody but
// itself.
func TestOutsideConnect(t *testing.T) {
	eachVersion(t, func(t *testing.T, v byte) {
		m := startOutside(t)
		present := m.in(as("qn-001")) // must not be thrown out by any of these
		witness := m.witness()
		for name, c := range map[string]connecting{
			"wrong password":             {user: "qn-001", pass: "wrong", id: "qn-001"},
			"no password":                {user: "qn-001", id: "qn-001"},
			"another's password":         {user: "qn-001", pass: password("qn-002"), id: "qn-001"},
			"unknown user":               {user: "qn-404", pass: password("qn-404"), id: "qn-404"},
			"no user":                    {id: "qn-001"},
			"the user name in capitals":  {user: "QN-001", pass: password("qn-001"), id: "QN-001"},
			"controller, wrong password": {user: "controller", pass: "wrong", id: "controller"},
			"controller, a sign's":       {user: "controller", pass: password("qn-001"), id: "controller"},
			"the hash itself": {user: "qn-001", pass: fmt.Sprintf("%x", account("qn-001").PasswordSHA256),
				id: "qn-001"},
		} {
			c.v = v
			cl := m.connect(c)
			if cl.code == 0 {
				t.Errorf("%s: let in", name)
			}
			cl.ended()
		}
		for _, id := range []string{"qn-001", "controller", "controller-1", "witness", "", "qn-002x"} {
			other := m.in(connecting{user: "qn-002", pass: password("qn-002"), id: id, v: v})
			other.attempt(status("qn-001"), "as "+id)
			other.attempt(status("qn-002"), "as "+id)
			for range 2 {
				witness.gets(status("qn-002"), "as "+id)
			}
		}
		present.attempt(status("qn-001"), "still here")
		for range 2 {
			witness.gets(status("qn-001"), "still here")
		}
	})
}

// TestOutsideWills: one that the sign may not send has no effect when the
// connection is lost, and its own has.
func TestOutsideWills(t *testing.T) {
	eachVersion(t, func(t *testing.T, v byte) {
		m := startOutside(t)
		witness := m.witness()
		for _, topic := range []string{status("qn-001"), "led/v1/frames/viet-ads/" + digest,
			"led/v1/frames/song-tra-ads/" + digest, "led/v1/keys",
			"led/v1/signs/qn-002/program", "led/v1/alerts/64x32-red", "$SYS/x", "other", "led/v1/signs/+/status"} {
			c := as("qn-002")
			c.v, c.will = v, will(topic, "will")
			lost := m.connect(c)
			if lost.code != 0 {
				lost.ended()
			}
			// The next connection takes the session over, which sends the will first.
			next := as("qn-002")
			next.v, next.will = v, will(status("qn-002"), "gone")
			m.in(next)
			last := m.in(as("qn-002"))
			witness.gets(status("qn-002"), "gone")
			last.attempt(status("qn-002"), "on")
			for range 2 {
				witness.gets(status("qn-002"), "on")
			}
		}
	})
}

// TestOutsideReading: every topic is full; a sign receives its own and nothing
// else, retained or live, whatever it subscribed to.
func TestOutsideReading(t *testing.T) {
	eachVersion(t, func(t *testing.T, v byte) {
		m := startOutside(t)
		ctl := m.controller()
		own := []string{"led/v1/keys", "led/v1/signs/qn-001/program", "led/v1/signs/qn-001/frame",
			"led/v1/signs/qn-001/request",
			"led/v1/frames/viet-ads/" + digest, "led/v1/frames/public/" + digest, "led/v1/alerts/128x64-rgb",
			"led/v1/alerts/128x64-rgb/frames/" + digest, "led/v1/alerts/128x64-rgb/frames/" + digestB}
		foreign := []string{"led/v1/signs/qn-002/program", "led/v1/signs/qn-002/frame", "led/v1/signs/qn-003/program",
			"led/v1/signs/qn-003/request",
			"led/v1/frames/song-tra-ads/" + digest, "led/v1/alerts/64x32-red", "led/v1/alerts/64x32-red/frames/" + digest,
			"led/v1/alerts-test/128x64-rgb", "led/v1/alerts-test/128x64-rgb/frames/" + digest}
		for _, topic := range append(slices.Clone(foreign), own...) {
			ctl.publish(topic, []byte(topic), true)
		}
		witness := m.witness()
		witness.publish(status("qn-002"), []byte("another's"), true)
		witness.publish("led/v1/alerts/128x64-rgb/other", []byte("unknown"), true)
		wild := []string{"#", "+", "led/v1/#", "+/#", "led/v1/+", "led/v1/signs/+/program", "led/v1/signs/#",
			"led/v1/frames/+/" + digest,
			"led/v1/frames/viet-ads/#", "led/v1/frames/public/+", "led/v1/alerts/#", "led/v1/alerts/128x64-rgb/#",
			"led/v1/alerts/+/frames/+",
			"led/v1/signs/+/status", "$share/g/led/v1/keys", "$share/g/#", "$share/g/led/v1/signs/qn-002/program", "$SYS/#",
			"$SYS/broker/version"}
		for _, filters := range [][]string{append(slices.Clone(wild), foreign...), slices.Clone(own)} {
			c := as("qn-001")
			c.v = v
			sign := m.in(c)
			sign.subscribe(filters...)
			for _, topic := range append(slices.Clone(foreign), own...) {
				ctl.publish(topic, []byte("live"), true)
			}
			witness.publish(status("qn-002"), []byte("another's"), true)
			witness.publish("led/v1/alerts/128x64-rgb/other", []byte("unknown"), true)
			sign.subscribe("led/v1/signs/qn-001/request")
			ctl.publish("led/v1/signs/qn-001/request", []byte("last"), false)
			got := sign.untilLast(own)
			for _, topic := range own {
				if !got[topic] {
					t.Errorf("%s did not come", topic)
				}
			}
			for _, topic := range append(slices.Clone(foreign), own...) { // as it was
				ctl.publish(topic, []byte(topic), true)
			}
		}
		test := m.in(as("test-1"))
		test.subscribed("led/v1/alerts-test/128x64-rgb")
		test.gets("led/v1/alerts-test/128x64-rgb", "led/v1/alerts-test/128x64-rgb")
	})
}

// TestOutsideWriting: only its own four topics are taken from a sign, and from
// the controller only what the protocol gives it.
func TestOutsideWriting(t *testing.T) {
	eachVersion(t, func(t *testing.T, v byte) {
		m := startOutside(t)
		ctl := m.controller()
		ctl.publish("led/v1/keys", []byte("the controller's"), true)
		ctl.publish("led/v1/signs/qn-002/program", []byte("the controller's"), true)
		witness := m.in(as("witness"))
		witness.publish(status("qn-002"), []byte("another's"), true)
		witness.subscribed("#", "$SYS/x")
		kept := map[string]string{}
		for range 3 {
			pk, _ := witness.next()
			kept[pk.TopicName] = string(pk.Payload)
		}
		c := as("qn-001")
		c.v = v
		sign := m.in(c)
		for _, topic := range []string{"led/v1/keys", "led/v1/signs/qn-001/program", "led/v1/signs/qn-001/frame",
			"led/v1/signs/qn-001/request",
			status("qn-002"), "led/v1/signs/qn-002/ack", "led/v1/signs/qn-003/status", "led/v1/signs/qn-002/program",
			"led/v1/frames/viet-ads/" + digest, "led/v1/frames/public/" + digest, "led/v1/alerts/128x64-rgb",
			"led/v1/alerts-test/128x64-rgb",
			"led/v1/marker", "other", "led/v1/signs/qn-001/status/x", "led/v1/signs/qn-001", "$SYS/x"} {
			sign.attempt(topic, "the sign's")
			sign.attempt(topic, "") // would delete what is kept
		}
		sign.attempt(status("qn-001"), strings.Repeat("x", maxPacket+1)) // answered, or it would be sent for ever
		ctl.attempt(status("qn-001"), "the controller's")
		ctl.attempt("other", "the controller's")
		ctl.subscribe("#", "led/v1/signs/+/status")
		for _, leaf := range []string{"status", "ack", "played", "snapshot"} {
			topic := "led/v1/signs/qn-001/" + leaf
			sign.publish(topic, []byte(leaf), leaf == "status")
			witness.gets(topic, leaf) // and nothing before it
		}
		again := m.in(as("witness"))
		again.subscribed("#")
		kept[status("qn-001")] = "status"
		after := map[string]string{}
		for range kept {
			pk, _ := again.next()
			after[pk.TopicName] = string(pk.Payload)
		}
		again.publish("marker", []byte("nothing more"), false)
		again.gets("marker", "nothing more")
		if fmt.Sprint(after) != fmt.Sprint(kept) {
			t.Errorf("retained %v, want %v", after, kept)
		}
		got := map[string]bool{}
		for len(got) < 5 { // two kept statuses and the four of the sign, once by each filter
			pk, ok := ctl.next()
			if !ok {
				t.Fatal("the controller's connection ended")
			}
			if !strings.HasPrefix(pk.TopicName, "led/v1/signs/") {
				t.Errorf("the controller was sent %s", pk.TopicName)
			}
			got[pk.TopicName] = true
		}
	})
}
