package broker

import (
	"bytes"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"ledcast/playlists"
)

// NATSConf is the one file that NATS needs.
const NATSConf = "ledcast-nats.conf"

// natsCost is the least that bcrypt knows. More would protect passwords that
// people choose; these are 256 random bits, and ten thousand signs that come
// back at once are checked one after the other.
const natsCost = bcrypt.MinCost

// NATS writes Rules for an outside nats-server (2.14.3 or later, with
// JetStream, which its MQTT needs): who may connect, and what each may read and
// write. Errors are those of Mosquitto. Calls differ in their salts.
//
// NATS can do less than the embedded broker. As Mosquitto, it takes + on the
// frames of a sign's own owner, or of public. It cannot bind a client id to a
// user without a service of one's own (auth callout): a sign that knows
// another's id can push that one off the broker, again and again, and still
// neither read nor say anything in its name. QoS 1 subscriptions cost a
// consumer each: signs subscribe at QoS 0, as they do by default.
func NATS(o MosquittoOptions) ([]byte, error) {
	accounts := slices.Clone(o.Accounts)
	slices.SortFunc(accounts, func(a, b Account) int { return strings.Compare(a.Sign, b.Sign) })
	if _, err := mosquittoConf(o); err != nil { // the same addresses and paths are refused
		return nil, err
	}
	if o.ControllerPassword == "" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "controller password",
			Key: "broker-password-empty"}
	}
	var unknown []string
	for _, a := range accounts {
		if !plain(a.Sign) || !plain(a.Owner) || !plain(a.Class) || Reserved(a.Sign) {
			return nil, &playlists.Error{Code: playlists.Invalid, Field: "sign", Value: a.Sign,
				Key: "name-reaches-other-topics", Args: []any{a.Owner, a.Class}}
		}
		if o.Verifiers[a.Sign][KindNATS] == "" {
			unknown = append(unknown, a.Sign)
		}
	}
	if len(unknown) > 0 {
		return nil, unknownPasswords(unknown)
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, err // mosquittoConf has read it
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Written by controller broker-config for nats-server 2.14.3 or later: start it with\n"+
		"# nats-server -c %s. It holds password hashes: let only the account that NATS\n"+
		"# runs as read it. Only what is named here is allowed.\n"+
		"server_name: ledcast\n# Clients of NATS itself: none from outside.\nlisten: \"127.0.0.1:-1\"\nmax_payload: %d\n"+
		"jetstream {\n  store_dir: %s\n}\nmqtt {\n  host: %s\n  port: %s\n", NATSConf, maxPacket,
		strconv.Quote(filepath.Join(o.Folder, "jetstream")), strconv.Quote(host), port)
	if o.Cert != "" {
		fmt.Fprintf(&b, "  tls {\n    cert_file: %s\n    key_file: %s\n  }\n", strconv.Quote(o.Cert), strconv.Quote(o.Key))
	}
	b.WriteString("}\naccounts {\n  LEDCAST {\n    jetstream: enabled\n    users: [\n")
	user := func(name, hash string, read, write []string) {
		fmt.Fprintf(&b, "      { user: %q, password: %q, allowed_connection_types: [\"MQTT\"]\n"+
			"        permissions: {\n          subscribe: { allow: [%s] }\n          publish: { allow: [%s] } } }\n",
			name, hash, subjects(read), subjects(write))
	}
	own, err := Verifiers(o.ControllerPassword)
	if err != nil {
		return nil, err
	}
	user(ControllerUser, own[KindNATS], append(slices.Clone(controllerReads), natsConsumers), controllerWrites)
	for _, a := range accounts {
		read, write := mosquittoTopics(a)
		user(a.Sign, o.Verifiers[a.Sign][KindNATS], read, write)
	}
	b.WriteString("    ]\n  }\n}\n")
	return b.Bytes(), nil
}

// natsConsumers is where NATS delivers the controller's QoS 1 subscriptions.
const natsConsumers = "$MQTT/sub/#"

// subjects writes topics as NATS calls them.
func subjects(topics []string) string {
	out := make([]string, len(topics))
	for i, t := range topics {
		out[i] = strconv.Quote(strings.NewReplacer("/", ".", "+", "*", "#", ">").Replace(t))
	}
	return strings.Join(out, ", ")
}
