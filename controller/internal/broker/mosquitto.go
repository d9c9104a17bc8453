package broker

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"ledcast/playlists"
	"ledcast/sign/wire"
)

// Names of the files in MosquittoFiles; the configuration names the others.
const (
	MosquittoConf      = "mosquitto.conf" // for an include_dir, which reads *.conf
	MosquittoACL       = "mosquitto.acl"
	MosquittoPasswords = "mosquitto.passwd"
)

// Mosquitto's "$7$" password: PBKDF2 with HMAC-SHA-512, salt and hash in
// base64, as mosquitto_passwd 2.0 writes it. So few iterations are enough only
// because the passwords are random, 256 bits, and not chosen by people.
const (
	mosquittoIterations = 101
	mosquittoSalt       = 12 // bytes
	mosquittoHash       = 64 // bytes
)

// Acks that may wait for the controller, four for each of 50,000 signs, and how
// many it is sent before it has acknowledged the first.
const (
	mosquittoQueue    = 200_000
	mosquittoInflight = 1000
)

// MosquittoOptions configure an outside Mosquitto.
type MosquittoOptions struct {
	Accounts []Account
	// Verifiers are what Verifiers made of the signs' passwords, by sign.
	Verifiers          map[string]map[string]string
	ControllerPassword string
	Listen             string // host:port; no host means every address
	Cert, Key          string // absolute PEM files; both empty for no TLS, which is for loopback only
	Folder             string // where the files will lie; absolute
}

// MosquittoFiles is the contents of the three files.
type MosquittoFiles struct{ Conf, ACL, Passwords []byte }

// Mosquitto writes Rules for an outside Mosquitto 2.0: who may connect, and
// what each may read and write. Errors are *playlists.Error: an address or a
// path that cannot be used, a name that no sign can have, and signs whose
// password is not known, all of them named. Calls differ in their salts.
//
// Mosquitto can do less than the embedded broker. It grants every subscription
// and filters what it delivers, so + on frames is read as allowed: the sign
// could read all of its owner's frames and of the department's, which it may
// ask for one by one as well. It knows no limit by topic and keeps what a sign
// sends with the retain flag on any of its own four topics. It replaces the
// client id by the user name instead of refusing another, and lets a connection
// in with a will elsewhere:
// what it drops is the will, when it would be sent.
func Mosquitto(o MosquittoOptions) (f MosquittoFiles, err error) {
	accounts := slices.Clone(o.Accounts)
	slices.SortFunc(accounts, func(a, b Account) int { return strings.Compare(a.Sign, b.Sign) })
	if f.Conf, err = mosquittoConf(o); err != nil {
		return MosquittoFiles{}, err
	}
	if o.ControllerPassword == "" {
		return MosquittoFiles{}, &playlists.Error{Code: playlists.Invalid, Field: "controller password",
			Key: "broker-password-empty"}
	}
	var unknown []string
	for _, a := range accounts {
		if !plain(a.Sign) || !plain(a.Owner) || !plain(a.Class) || Reserved(a.Sign) {
			return MosquittoFiles{}, &playlists.Error{Code: playlists.Invalid, Field: "sign", Value: a.Sign,
				Key: "name-reaches-other-topics", Args: []any{a.Owner, a.Class}}
		}
		if o.Verifiers[a.Sign][KindMosquitto] == "" {
			unknown = append(unknown, a.Sign)
		}
	}
	if len(unknown) > 0 {
		return MosquittoFiles{}, unknownPasswords(unknown)
	}
	var acl, pw bytes.Buffer
	acl.WriteString(mosquittoACLHead)
	section := func(user, hash string, read, write []string) {
		fmt.Fprintf(&acl, "\nuser %s\n", user)
		for _, t := range read {
			fmt.Fprintf(&acl, "topic read %s\n", t)
		}
		for _, t := range write {
			fmt.Fprintf(&acl, "topic write %s\n", t)
		}
		fmt.Fprintf(&pw, "%s:%s\n", user, hash)
	}
	own, err := mosquittoPassword(o.ControllerPassword)
	if err != nil {
		return MosquittoFiles{}, fmt.Errorf("the controller's password: %w", err)
	}
	section(ControllerUser, own, controllerReads, controllerWrites)
	for _, a := range accounts {
		read, write := mosquittoTopics(a)
		section(a.Sign, o.Verifiers[a.Sign][KindMosquitto], read, write)
	}
	f.ACL, f.Passwords = acl.Bytes(), pw.Bytes()
	return f, nil
}

// unknownPasswords names every sign, because each must be enrolled anew.
func unknownPasswords(signs []string) error {
	return &playlists.Error{Code: playlists.Invalid, Field: "signs",
		Key: "password-not-kept-for-broker", Args: []any{strings.Join(signs, ", ")}}
}

const mosquittoACLHead = `# Written by controller broker-config: who may read and write what.
# Only what is named here is allowed. Mosquitto 2.0 grants every subscription
# and filters what it delivers. A frame is found by its digest, which no list
# can name, so a subscription to + on the frames of a sign's own owner, or on
# those of public, is served too; other owners' frames are not.
`

// Topics of the controller (docs/protocol.md, "Topics"): for every sign, owner and class, and nothing but these leaves.
var (
	controllerReads = []string{wire.TopicController, wire.SignTopic("+", wire.LeafStatus),
		wire.SignTopic("+", wire.LeafAck), wire.SignTopic("+", wire.LeafPlayed), wire.SignTopic("+", wire.LeafSnapshot)}

	controllerWrites = []string{wire.TopicController, wire.TopicKeys, wire.SignTopic("+", wire.LeafProgram),
		wire.SignTopic("+", wire.LeafFrame), wire.SignTopic("+", wire.LeafRequest), wire.FrameTopic("+", "+"),
		wire.AlertsTopic("+", false), wire.AlertFrameTopic("+", false, "+"), wire.AlertsTopic("+", true),
		wire.AlertFrameTopic("+", true, "+")}
)

// mosquittoTopics lists what Rules allow.
func mosquittoTopics(a Account) (read, write []string) {
	own := func(leaves ...wire.Leaf) (topics []string) {
		for _, leaf := range leaves {
			topics = append(topics, wire.SignTopic(a.Sign, leaf))
		}
		return topics
	}
	read = append([]string{wire.TopicKeys}, own(wire.LeafProgram, wire.LeafFrame, wire.LeafRequest)...)
	read = append(read, wire.FrameTopic(a.Owner, "+"))
	if a.Owner != playlists.Public {
		read = append(read, wire.FrameTopic(playlists.Public, "+"))
	}
	read = append(read, wire.AlertsTopic(a.Class, false), wire.AlertFrameTopic(a.Class, false, "+"))
	if a.Test {
		read = append(read, wire.AlertsTopic(a.Class, true), wire.AlertFrameTopic(a.Class, true, "+"))
	}
	return read, own(wire.LeafStatus, wire.LeafAck, wire.LeafPlayed, wire.LeafSnapshot)
}

// mosquittoPassword returns a password as Mosquitto's password file has it, after the user name and a colon.
func mosquittoPassword(password string) (string, error) {
	salt := make([]byte, mosquittoSalt)
	_, _ = rand.Read(salt) // never fails: crypto/rand.Read panics instead
	hash, err := pbkdf2.Key(sha512.New, password, salt, mosquittoIterations, mosquittoHash)
	if err != nil {
		return "", err
	}
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$7$%d$%s$%s", mosquittoIterations, b64(salt), b64(hash)), nil
}

// mosquittoConf is the fragment. It has the listener itself, and everything
// after it: use_username_as_clientid holds for the listener above it in the
// same file, and with per_listener_settings so does the rest.
func mosquittoConf(o MosquittoOptions) ([]byte, error) {
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil || port == "" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "--listen", Value: o.Listen,
			Key: "listen-address-malformed"}
	}
	if n, err := net.LookupPort("tcp", port); err != nil || n == 0 {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "--listen", Value: o.Listen, Key: "port-invalid"}
	} else {
		port = fmt.Sprint(n)
	}
	if (o.Cert == "") != (o.Key == "") {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "--cert and --key", Value: o.Cert + o.Key,
			Key: "mosquitto-certificate-or-key-missing"}
	}
	if ip := net.ParseIP(host); o.Cert == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "--listen", Value: o.Listen,
			Key: "mosquitto-not-encrypted"}
	}
	for _, x := range [][2]string{{"--listen", host}, {"--cert", o.Cert}, {"--key", o.Key}, {"--out", o.Folder}} {
		bad := strings.ContainsFunc(x[1], func(r rune) bool { return r < ' ' || r == 0x7f })
		if bad || x[0] == "--listen" && strings.ContainsAny(host, " #") || x[0] != "--listen" && x[1] != "" &&
			(!filepath.IsAbs(x[1]) || strings.TrimSpace(x[1]) != x[1]) {
			return nil, &playlists.Error{Code: playlists.Invalid, Field: x[0], Value: x[1], Key: "mosquitto-path"}
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Written by controller broker-config for Mosquitto 2.0. Put it into a folder\n"+
		"# that an include_dir names, or start Mosquitto with it. The files that it names\n"+
		"# hold password hashes: let only the account that Mosquitto runs as read them.\n"+
		"# Where the server should keep its data is left to persistence_location.\n"+
		"listener %s\n", strings.TrimSpace(port+" "+host))
	if o.Cert != "" {
		fmt.Fprintf(&b, "certfile %s\nkeyfile %s\n", o.Cert, o.Key)
	}
	fmt.Fprintf(&b, "# A client that gives another client id is its user all the same. This holds for\n"+
		"# the listener above only: with another one, say it there too.\nuse_username_as_clientid true\n"+
		"allow_anonymous false\npassword_file %s\nacl_file %s\n"+
		"set_tcp_nodelay true\npersistence true\n"+
		"# Bytes: above every limit of the protocol.\nmessage_size_limit %d\n"+
		"# All signs ack an alert at once, and the controller reads them one by one: of\n"+
		"# 10,000 the default of 1000 waiting dropped most.\nmax_queued_messages %d\nmax_inflight_messages %d\n"+
		"# A sign subscribes again at every connection.\npersistent_client_expiration 1d\n",
		filepath.Join(o.Folder, MosquittoPasswords), filepath.Join(o.Folder, MosquittoACL), maxPacket, mosquittoQueue,
		mosquittoInflight)
	return b.Bytes(), nil
}
