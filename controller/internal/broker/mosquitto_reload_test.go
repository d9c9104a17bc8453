package broker

import (
	"slices"
	"syscall"
	"testing"
)

// TestOutsideReload: files written anew hold from the signal on, for those who
// are connected already too.
func TestOutsideReload(t *testing.T) {
	m := startOutside(t)
	ctl := m.controller()
	test, moved, revoked := m.in(as("test-1")), m.in(as("qn-001")), m.in(as("qn-003"))
	test.subscribed("led/v1/alerts-test/128x64-rgb", "led/v1/signs/test-1/request")
	moved.subscribed("led/v1/frames/viet-ads/"+digest, "led/v1/signs/qn-001/request")
	ctl.publish("led/v1/alerts-test/128x64-rgb", []byte("a test"), false)
	test.gets("led/v1/alerts-test/128x64-rgb", "a test")
	ctl.publish("led/v1/frames/viet-ads/"+digest, []byte("a frame"), false)
	moved.gets("led/v1/frames/viet-ads/"+digest, "a frame")

	accounts, passwords := houseAccounts()
	accounts = slices.DeleteFunc(accounts, func(a Account) bool { return a.Sign == "qn-003" })
	for i := range accounts {
		accounts[i].Test = false
		if accounts[i].Sign == "qn-001" {
			accounts[i].Owner = "song-tra-ads"
		}
	}
	m.write(accounts, passwords)
	if err := m.process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	revoked.ended() // which is also how the end of the reload is known
	if c := m.connect(as("qn-003")); c.code == 0 {
		t.Error("a revoked sign was let in")
	}
	ctl.publish("led/v1/alerts-test/128x64-rgb", []byte("not for it"), false)
	ctl.publish("led/v1/frames/viet-ads/"+digest, []byte("not for it"), false)
	for _, x := range []struct {
		sign *client
		id   string
	}{{test, "test-1"}, {moved, "qn-001"}} {
		topic := "led/v1/signs/" + x.id + "/request"
		ctl.publish(topic, []byte("last"), false)
		x.sign.gets(topic, "last")
	}
}
