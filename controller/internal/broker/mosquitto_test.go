package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// mosquitto runs one of Mosquitto's clients, which share no code with the broker
// or with us, and returns what it printed and its exit code.
func (h *house) mosquitto(tool, sign, pass, id string, args ...string) (string, int) {
	h.t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		if os.Getenv("CI") == "true" {
			h.t.Fatalf("%v; install Debian's mosquitto-clients", err)
		}
		h.t.Skipf("%v; Debian's package is mosquitto-clients", err)
	}
	host, port, err := net.SplitHostPort(h.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"-h", host, "-p", port, "-u", sign, "-P", pass, "-i", id},
		args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// TestMosquitto makes the same attacks with Mosquitto's clients.
func TestMosquitto(t *testing.T) {
	for _, v := range []string{"mqttv311", "mqttv5"} {
		t.Run(v, func(t *testing.T) {
			h := start(t)
			ctl := h.controller()
			picture := "\x89PNG a picture"
			ctl.publish("led/v1/signs/qn-001/frame", []byte(picture), true)
			ctl.publish("led/v1/signs/qn-002/program", []byte("another's"), true)
			ctl.publish("led/v1/frames/song-tra-ads/"+digest, []byte("another's"), true)
			pw := password("qn-001")

			out, code := h.mosquitto("mosquitto_sub", "qn-001", pw, "qn-001", "-V", v, "-t", "led/v1/signs/qn-001/frame", "-C",
				"1", "-N")
			if out != picture || code != 0 {
				t.Errorf("its own frame: %q, exit %d", out, code)
			}
			for name, who := range map[string][3]string{
				"wrong password":    {"qn-001", "wrong", "qn-001"},
				"unknown user":      {"qn-404", pw, "qn-404"},
				"another client id": {"qn-001", pw, "qn-002"},
				"the controller":    {"controller", pw, "controller"},
			} {
				if out, code := h.mosquitto("mosquitto_sub", who[0], who[1], who[2], "-V", v, "-t", "led/v1/keys", "-C",
					"1"); code == 0 || !strings.Contains(out, "Connection error") {
					t.Errorf("%s: %q, exit %d", name, out, code)
				}
			}
			for _, f := range []string{"#", "led/v1/#", "led/v1/signs/+/program", "led/v1/signs/qn-002/program",
				"led/v1/frames/song-tra-ads/" + digest,
				"led/v1/frames/viet-ads/+", "$SYS/#", "$share/g/led/v1/signs/qn-001/frame"} {
				out, code := h.mosquitto("mosquitto_sub", "qn-001", pw, "qn-001", "-V", v, "-t", f, "-C", "1")
				if code == 0 && !strings.Contains(out, "denied") || strings.Contains(out, "another's") {
					t.Errorf("%s: %q, exit %d", f, out, code)
				}
				h.clock.move(floodSpan)
			}
			for _, topic := range []string{"led/v1/keys", "led/v1/signs/qn-001/frame", "led/v1/signs/qn-002/program",
				status("qn-002"), "other"} {
				for _, qos := range []string{"0", "1", "2"} {
					h.mosquitto("mosquitto_pub", "qn-001", pw, "qn-001", "-V", v, "-q", qos, "-r", "-t", topic, "-m", "the sign's")
					h.clock.move(floodSpan)
				}
			}
			if out, code := h.mosquitto("mosquitto_pub", "qn-001", pw, "qn-001", "-V", v, "-q", "1", "-t", status("qn-001"),
				"-m", "x",
				"--will-topic", status("qn-002"), "--will-payload", "offline", "--will-retain"); code == 0 {
				t.Errorf("a will on another's status: %q", out)
			}
			ctl.nothing()
			want := map[string]string{"led/v1/signs/qn-001/frame": picture, "led/v1/signs/qn-002/program": "another's",
				"led/v1/frames/song-tra-ads/" + digest: "another's"}
			if kept := h.retained(); fmt.Sprint(kept) != fmt.Sprint(want) {
				t.Errorf("retained %v, want %v", kept, want)
			}

			h.mosquitto("mosquitto_pub", "qn-001", pw, "qn-001", "-V", v, "-q", "1", "-r", "-t", status("qn-001"), "-m",
				"online",
				"--will-topic", status("qn-001"), "--will-payload", "offline", "--will-retain")
			ctl.gets(status("qn-001"), "online")
			if v == "mqttv5" {
				mosquittoFive(h, ctl)
			}
		})
	}
}

// mosquittoFive tries what MQTT 5 adds.
func mosquittoFive(h *house, ctl *client) {
	h.t.Helper()
	pw := password("qn-001")
	out, code := h.mosquitto("mosquitto_pub", "qn-001", pw, "qn-001", "-V", "mqttv5", "-q", "1", "-t", status("qn-001"),
		"-m", "on",
		"-D", "publish", "response-topic", "led/v1/keys", "-D", "publish", "user-property", "a", "b", "-D", "publish",
		"message-expiry-interval", "1",
		"-D", "connect", "session-expiry-interval", "3600",
		"--will-topic", status("qn-001"), "--will-payload", "offline", "-D", "will", "will-delay-interval", "60", "-D",
		"will", "user-property", "a", "b")
	if code != 0 {
		h.t.Errorf("with properties: %q, exit %d", out, code)
	}
	if pk := ctl.gets(status("qn-001"), "on"); pk.FixedHeader.Type != packets.Publish || pk.FixedHeader.Retain {
		h.t.Errorf("%+v", pk.FixedHeader)
	}
	h.mosquitto("mosquitto_pub", "qn-001", pw, "qn-001", "-V", "mqttv5", "-t", "led/v1/signs/qn-001/ack", "-m", "alias",
		"-D", "publish", "topic-alias", "1")
	ctl.nothing()
	out, code = h.mosquitto("mosquitto_sub", "qn-001", pw, "qn-001", "-V", "mqttv5", "-t", "led/v1/signs/qn-001/frame",
		"-C", "1", "-N", "-D", "subscribe", "subscription-identifier", "5")
	if code != 0 || !strings.HasPrefix(out, "\x89PNG") {
		h.t.Errorf("with a subscription identifier: %q, exit %d", out, code)
	}
}
