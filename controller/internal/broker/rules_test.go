package broker

import (
	"regexp"
	"strings"
	"testing"
)

const (
	digest  = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	digestB = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
)

func account(sign string) Account {
	return Account{Sign: sign, Owner: "viet-ads", Class: "128x64-rgb"}
}

func TestSubscribe(t *testing.T) {
	live := account("qn-001")
	test := live
	test.Test = true
	for _, c := range []struct {
		filter     string
		live, test bool
	}{
		{"led/v1/keys", true, true},
		{"led/v1/signs/qn-001/program", true, true},
		{"led/v1/signs/qn-001/frame", true, true},
		{"led/v1/signs/qn-001/request", true, true},
		{"led/v1/frames/viet-ads/" + digest, true, true},
		{"led/v1/frames/public/" + digest, true, true},
		{"led/v1/alerts/128x64-rgb", true, true},
		{"led/v1/alerts/128x64-rgb/frames/+", true, true},
		{"led/v1/alerts/128x64-rgb/frames/" + digest, true, true},
		{"led/v1/alerts-test/128x64-rgb", false, true},
		{"led/v1/alerts-test/128x64-rgb/frames/+", false, true},
		{"led/v1/alerts-test/128x64-rgb/frames/" + digest, false, true},

		// Everything else.
		{"", false, false},
		{"#", false, false},
		{"+", false, false},
		{"led/#", false, false},
		{"led/v1/#", false, false},
		{"+/v1/keys", false, false},
		{"led/+/keys", false, false},
		{"led/v1/+", false, false},
		{"led/v1", false, false},
		{"led/v1/", false, false},
		{"led/v2/keys", false, false},
		{"LED/v1/keys", false, false},
		{"/led/v1/keys", false, false},
		{"led/v1/keys/", false, false},
		{"led/v1/keys/#", false, false},
		{"led/v1/keys/+", false, false},
		{"led//v1/keys", false, false},
		{"led/v1/keys\x00", false, false},
		{"led/v1/signs", false, false},
		{"led/v1/signs/qn-001", false, false},
		{"led/v1/signs/qn-001/", false, false},
		{"led/v1/signs/qn-001/#", false, false},
		{"led/v1/signs/qn-001/+", false, false},
		{"led/v1/signs/qn-001/program/#", false, false},
		{"led/v1/signs/qn-001/program/", false, false},
		{"led/v1/signs/+/program", false, false},
		{"led/v1/signs/#", false, false},
		{"led/v1/signs/qn-002/program", false, false},
		{"led/v1/signs/qn-0011/program", false, false},
		{"led/v1/signs/qn-00/1/program", false, false},
		{"led/v1/signs/qn-001/status", false, false},
		{"led/v1/signs/qn-001/ack", false, false},
		{"led/v1/signs/qn-001/played", false, false},
		{"led/v1/signs/qn-001/snapshot", false, false},
		{"led/v1/frames/viet-ads/+", false, false},
		{"led/v1/frames/viet-ads/#", false, false},
		{"led/v1/frames/viet-ads", false, false},
		{"led/v1/frames/public/+", false, false},
		{"led/v1/frames/+/" + digest, false, false},
		{"led/v1/frames/song-tra-ads/" + digest, false, false},
		{"led/v1/frames//" + digest, false, false},
		{"led/v1/frames/viet-ads/" + digest[1:], false, false},
		{"led/v1/frames/viet-ads/" + digest + "0", false, false},
		{"led/v1/frames/viet-ads/" + digest + "/", false, false},
		{"led/v1/frames/viet-ads/" + strings.ToUpper(digest), false, false},
		{"led/v1/frames/viet-ads/" + strings.Repeat("g", 64), false, false},
		{"led/v1/frames/viet-ads/" + digest[1:] + "+", false, false},
		{"led/v1/frames/viet-ads/" + digest[1:] + "#", false, false},
		{"led/v1/alerts", false, false},
		{"led/v1/alerts/", false, false},
		{"led/v1/alerts/+", false, false},
		{"led/v1/alerts/#", false, false},
		{"led/v1/alerts/128x64-rgb/", false, false},
		{"led/v1/alerts/128x64-rgb/#", false, false},
		{"led/v1/alerts/128x64-rgb/+", false, false},
		{"led/v1/alerts/128x64-rgb/frames", false, false},
		{"led/v1/alerts/128x64-rgb/frames/", false, false},
		{"led/v1/alerts/128x64-rgb/frames/#", false, false},
		{"led/v1/alerts/128x64-rgb/frames/+/+", false, false},
		{"led/v1/alerts/128x64-rgb/+/+", false, false},
		{"led/v1/alerts/64x32-red", false, false},
		{"led/v1/alerts/64x32-red/frames/+", false, false},
		{"led/v1/alerts/+/frames/+", false, false},
		{"led/v1/alerts-test", false, false},
		{"led/v1/alerts-test/+", false, false},
		{"led/v1/alerts-test/128x64-rgb/#", false, false},
		{"led/v1/alerts-test/64x32-red", false, false},
		{"led/v1/alerts-test/64x32-red/frames/+", false, false},
		{"$share/g/led/v1/keys", false, false},
		{"$SHARE/g/led/v1/keys", false, false},
		{"$share/g/led/v1/signs/qn-001/program", false, false},
		{"$SYS/#", false, false},
		{"$SYS/broker/clients/connected", false, false},
	} {
		if got := (Rules{live}).Subscribe(c.filter); got != c.live {
			t.Errorf("%q for a live sign: %v, want %v", c.filter, got, c.live)
		}
		if got := (Rules{test}).Subscribe(c.filter); got != c.test {
			t.Errorf("%q for a test sign: %v, want %v", c.filter, got, c.test)
		}
	}
}

// TestWildNames: an account whose names are not names may do nothing, or a
// mistake at enrolment would open everybody's topics.
func TestWildNames(t *testing.T) {
	for _, a := range []Account{
		{},
		{Sign: "+", Owner: "viet-ads", Class: "128x64-rgb"},
		{Sign: "qn-001", Owner: "+", Class: "128x64-rgb"},
		{Sign: "qn-001", Owner: "viet-ads", Class: "+"},
		{Sign: "qn-001", Owner: "viet-ads", Class: "#"},
		{Sign: "qn-001", Owner: "", Class: "128x64-rgb"},
		{Sign: "", Owner: "viet-ads", Class: "128x64-rgb"},
		{Sign: "qn-001", Owner: "viet-ads", Class: ""},
		{Sign: "a/b", Owner: "viet-ads", Class: "128x64-rgb"},
	} {
		a.Test = true
		for _, f := range []string{"led/v1/keys", "led/v1/signs/" + a.Sign + "/program",
			"led/v1/frames/" + a.Owner + "/" + digest,
			"led/v1/frames/public/" + digest, "led/v1/alerts/" + a.Class, "led/v1/alerts/" + a.Class + "/frames/+",
			"led/v1/alerts-test/" + a.Class} {
			if (Rules{a}).Subscribe(f) {
				t.Errorf("%+v may subscribe to %s", a, f)
			}
		}
		if _, ok := (Rules{a}).Publish("led/v1/signs/" + a.Sign + "/status"); ok && a.Sign != "qn-001" {
			t.Errorf("%+v may publish", a)
		}
	}
}

func TestPublish(t *testing.T) {
	r := Rules{account("qn-001")}
	for topic, want := range map[string]Write{
		"led/v1/signs/qn-001/status":   {Limit: 4096, Retain: true},
		"led/v1/signs/qn-001/ack":      {Limit: 1024},
		"led/v1/signs/qn-001/played":   {Limit: 65536},
		"led/v1/signs/qn-001/snapshot": {Limit: 921600},
	} {
		if w, ok := r.Publish(topic); !ok || w != want {
			t.Errorf("%s: %+v %v, want %+v", topic, w, ok, want)
		}
	}
	for _, topic := range []string{"", "led/v1/keys", "led/v1/signs/qn-001", "led/v1/signs/qn-001/",
		"led/v1/signs/qn-001/program",
		"led/v1/signs/qn-001/frame", "led/v1/signs/qn-001/request", "led/v1/signs/qn-001/status/",
		"led/v1/signs/qn-001/status/x",
		"led/v1/signs/qn-001/Status", "led/v1/signs/qn-002/status", "led/v1/signs/qn-00/status",
		"led/v1/signs/qn-0011/status",
		"led/v1/signs//status", "led/v1/signs/+/status", "led/v1/frames/viet-ads/" + digest, "led/v1/alerts/128x64-rgb",
		"led/v1/alerts/128x64-rgb/frames/" + digest, "/led/v1/signs/qn-001/status", "$SYS/x", "status"} {
		if w, ok := r.Publish(topic); ok {
			t.Errorf("%q may be written: %+v", topic, w)
		}
	}
	for _, c := range []struct {
		topic string
		size  int
		want  bool
	}{
		{"led/v1/signs/qn-001/status", 4096, true},
		{"led/v1/signs/qn-001/status", 4097, false},
		{"led/v1/signs/qn-001/ack", 10, false},
		{"led/v1/signs/qn-002/status", 10, false},
		{"led/v1/keys", 10, false},
		{"", 10, false},
	} {
		if got := r.Will(c.topic, c.size); got != c.want {
			t.Errorf("a will of %d bytes on %q: %v, want %v", c.size, c.topic, got, c.want)
		}
	}
}

// FuzzRules compares the matcher with the access rules of docs/protocol.md, Topics,
// written as patterns.
func FuzzRules(f *testing.F) {
	for _, s := range []string{"led/v1/keys", "led/v1/signs/qn-001/program", "led/v1/signs/qn-001/status",
		"led/v1/alerts/128x64-rgb/frames/+",
		"led/v1/alerts-test/128x64-rgb", "led/v1/frames/public/" + digest, "led/v1/frames/+/" + digest, "#",
		"$share/g/led/v1/keys"} {
		f.Add("qn-001", "viet-ads", "128x64-rgb", false, s)
		f.Add("qn-001", "viet-ads", "128x64-rgb", true, s)
		f.Add("+", "#", "a/b", true, s)
	}
	f.Fuzz(func(t *testing.T, sign, owner, class string, test bool, topic string) {
		a := Account{Sign: sign, Owner: owner, Class: class, Test: test}
		names := regexp.MustCompile(`^[a-z0-9-]+$`)
		signOK := names.MatchString(sign)
		allOK := signOK && names.MatchString(owner) && names.MatchString(class)
		q := func(name string) string {
			if names.MatchString(name) {
				return regexp.QuoteMeta(name)
			}
			return "-" // refused anyway, and might not be UTF-8
		}
		alerts := "alerts"
		if test {
			alerts = "(alerts|alerts-test)"
		}
		read := regexp.MustCompile(
			`\A(led/v1/keys|led/v1/signs/` + q(sign) + `/(program|frame|request)|led/v1/frames/(public|` + q(owner) +
				`)/[0-9a-f]{64}|led/v1/` + alerts + `/` + q(class) + `(/frames/(\+|[0-9a-f]{64}))?)\z`)
		write := regexp.MustCompile(`\Aled/v1/signs/` + q(sign) + `/(status|ack|played|snapshot)\z`)
		if got, want := (Rules{a}).Subscribe(topic), allOK && read.MatchString(topic); got != want {
			t.Errorf("%+v subscribes to %q: %v, want %v", a, topic, got, want)
		}
		if _, got := (Rules{a}).Publish(topic); got != (signOK && write.MatchString(topic)) {
			t.Errorf("%+v publishes on %q: %v", a, topic, got)
		}
		if (Rules{a}).Subscribe(topic) && strings.ContainsAny(topic, "#$\x00") {
			t.Errorf("%+v was granted %q", a, topic)
		}
	})
}
