package broker

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// startNATS runs a real nats-server with the generated file and one user more,
// the witness.
func startNATS(t *testing.T) *outside {
	t.Helper()
	path, err := exec.LookPath("nats-server")
	if err != nil {
		if out, err2 := exec.Command("go", "env", "GOPATH").Output(); err2 == nil {
			path = filepath.Join(strings.TrimSpace(string(out)), "bin", "nats-server")
			_, err = os.Stat(path)
		}
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("nats-server is not installed; .ci/run installs it")
		}
		t.Skip("nats-server is not installed")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &outside{t: t, addr: ln.Addr().String(), dir: t.TempDir()}
	_ = ln.Close()
	accounts, verifiers := houseAccounts()
	conf, err := NATS(MosquittoOptions{Accounts: accounts, Verifiers: verifiers, ControllerPassword: controllerPassword,
		Listen: m.addr, Folder: m.dir})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password("witness")), natsCost)
	if err != nil {
		t.Fatal(err)
	}
	for secret, who := range map[string]string{controllerPassword: "the controller", password("qn-001"): "qn-001"} {
		if strings.Contains(string(conf), secret) {
			t.Errorf("the file holds the password of %s", who)
		}
	}
	text := strings.Replace(string(conf), "    ]\n  }\n}\n",
		fmt.Sprintf("      { user: \"witness\", password: %q }\n    ]\n  }\n}\n", hash), 1)
	file, log := filepath.Join(m.dir, NATSConf), filepath.Join(m.dir, "log")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-c", file, "-l", log)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-gone })
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.Dial("tcp", m.addr)
		if err == nil {
			_ = conn.Close()
			return m
		}
		select {
		case <-gone:
			t.Fatalf("nats-server ended: %s", m.said())
		case <-tick.C:
		}
		if time.Now().After(deadline) {
			t.Fatalf("nats-server does not answer: %s", m.said())
		}
	}
}

// TestNATSConnect: who is not let in.
func TestNATSConnect(t *testing.T) {
	m := startNATS(t)
	for name, c := range map[string]connecting{
		"wrong password":     {user: "qn-001", pass: "wrong", id: "qn-001"},
		"no password":        {user: "qn-001", id: "qn-001"},
		"another's password": {user: "qn-001", pass: password("qn-002"), id: "qn-001"},
		"nobody":             {id: "qn-001"},
		"unknown":            {user: "qn-009", pass: password("qn-009"), id: "qn-009"},
		"a wildcard":         {user: "*", pass: "x", id: "x"},
	} {
		if cl := m.connect(c); cl.code == 0 {
			t.Errorf("%s was let in", name)
		}
	}
	m.in(as("qn-001"))
}

// TestNATSReading: every topic is full; a sign receives its own and nothing
// else, retained or live, whatever it subscribed to.
func TestNATSReading(t *testing.T) {
	m := startNATS(t)
	ctl := m.controller()
	own := []string{"led/v1/keys", "led/v1/signs/qn-001/program", "led/v1/signs/qn-001/frame",
		"led/v1/signs/qn-001/request",
		"led/v1/frames/viet-ads/" + digest, "led/v1/frames/public/" + digest, "led/v1/alerts/128x64-rgb",
		"led/v1/alerts/128x64-rgb/frames/" + digest}
	foreign := []string{"led/v1/signs/qn-002/program", "led/v1/signs/qn-002/frame", "led/v1/signs/qn-003/program",
		"led/v1/signs/qn-003/request",
		"led/v1/frames/song-tra-ads/" + digest, "led/v1/alerts/64x32-red", "led/v1/alerts/64x32-red/frames/" + digest,
		"led/v1/alerts-test/128x64-rgb", "led/v1/alerts-test/128x64-rgb/frames/" + digest}
	every := append(slices.Clone(foreign), own...)
	for _, topic := range every {
		ctl.publish(topic, []byte(topic), true)
	}
	wild := []string{"#", "+", "led/v1/#", "led/v1/+", "led/v1/signs/+/program", "led/v1/signs/#",
		"led/v1/frames/+/" + digest, "led/v1/frames/viet-ads/#",
		"led/v1/alerts/#", "led/v1/alerts/128x64-rgb/#", "led/v1/alerts/+/frames/+", "led/v1/signs/+/status", "$MQTT/#",
		"$JS/#", "$SYS/#"}
	for _, filters := range [][]string{append(slices.Clone(wild), foreign...), own} {
		sign := m.in(as("qn-001"))
		sign.subscribe(filters...)
		for _, topic := range every {
			ctl.publish(topic, []byte("live"), true)
		}
		sign.subscribe("led/v1/signs/qn-001/request")
		ctl.publish("led/v1/signs/qn-001/request", []byte("last"), false)
		got := sign.untilLast(own)
		for _, topic := range own {
			if !got[topic] && (filters[0] != "#" || topic == "led/v1/signs/qn-001/request") {
				t.Errorf("%s did not come", topic)
			}
		}
		for _, topic := range every { // as it was
			ctl.publish(topic, []byte(topic), true)
		}
	}
}

// TestNATSWriting: only its own four topics are taken from a sign, wills
// included, and from the controller only what the protocol gives it.
func TestNATSWriting(t *testing.T) {
	m := startNATS(t)
	ctl := m.controller()
	witness := m.in(as("witness"))
	witness.subscribed("led/#", "other")
	for _, topic := range []string{"led/v1/keys", "led/v1/signs/qn-001/program", "led/v1/signs/qn-001/frame",
		"led/v1/signs/qn-001/request",
		status("qn-002"), "led/v1/signs/qn-002/ack", "led/v1/signs/qn-003/status", "led/v1/signs/qn-002/program",
		"led/v1/frames/viet-ads/" + digest, "led/v1/frames/public/" + digest, "led/v1/alerts/128x64-rgb",
		"led/v1/alerts-test/128x64-rgb",
		"led/v1/marker", "other", "led/v1/signs/qn-001/status/x", "led/v1/signs/qn-001"} {
		// NATS ends the connection of a client that may not publish, or drops
		// what it sent: nothing of it may arrive either way.
		c := as("qn-001")
		c.will = will(topic, "will")
		sign := m.connect(c)
		if sign.code != 0 {
			continue
		}
		_ = sign.trySend(publishPacket(topic, "the sign's")) // it may have been ended for it
		_ = sign.conn.Close()
	}
	sign := m.in(as("qn-001"))
	for _, leaf := range []string{"status", "ack", "played", "snapshot"} {
		topic := "led/v1/signs/qn-001/" + leaf
		sign.publish(topic, []byte(leaf), leaf == "status")
		witness.gets(topic, leaf) // and nothing before it
	}
	ctl.subscribe("led/v1/signs/+/status", "led/v1/signs/+/ack", "#")
	sign.publish(status("qn-001"), []byte("again"), true)
	for {
		pk, ok := ctl.next()
		if !ok {
			t.Fatal("the controller's connection ended")
		}
		if !strings.HasPrefix(pk.TopicName, "led/v1/signs/") {
			t.Errorf("the controller was sent %s", pk.TopicName)
		}
		if string(pk.Payload) == "again" {
			break
		}
	}
}
