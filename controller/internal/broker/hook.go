package broker

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"ledcast/sign/wire"
)

// maxSubscriptions bounds what one sign can make the broker remember: five
// times the 800 frames that a program may have.
const maxSubscriptions = 4096

// hook holds the server to the rules.
type hook struct {
	mqtt.HookBase
	accounts   Accounts
	controller [32]byte // SHA-256 of its password
	sessions   *sessions
	meter      *meter
	refusals   *refusals
	dropped    func(sign, reason string)
	message    func(topic string, payload []byte) // or nil
	log        *slog.Logger
	server     *mqtt.Server
}

func (h *hook) ID() string { return "access" }

func (h *hook) Provides(b byte) bool {
	return bytes.Contains([]byte{
		mqtt.OnPacketRead, mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnSessionEstablish, mqtt.OnSessionEstablished,
		mqtt.OnSubscribe, mqtt.OnACLCheck, mqtt.OnPublish, mqtt.OnPublishDropped, mqtt.OnWillSent,
	}, []byte{b})
}

// of is the connection behind a client. The server knows no other clients: no
// listener of its own, no inline client, no storage.
func of(cl *mqtt.Client) *conn {
	c, _ := cl.Net.Conn.(*conn)
	return c
}

// OnPacketRead takes from a CONNECT what the protocol has no use for and the
// server handles badly: sessions that outlast a connection (their subscriptions
// were granted under rules of then), delayed wills (kept only while the client
// is known), topic aliases (the name of a dropped message is lost with it).
func (h *hook) OnPacketRead(_ *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Connect {
		pk.Connect.Clean = true
		pk.Connect.WillProperties = packets.Properties{}
		pk.Properties = packets.Properties{
			ReceiveMaximum:         pk.Properties.ReceiveMaximum,
			MaximumPacketSize:      pk.Properties.MaximumPacketSize,
			RequestProblemInfo:     pk.Properties.RequestProblemInfo,
			RequestProblemInfoFlag: pk.Properties.RequestProblemInfoFlag,
		}
	}
	return pk, nil
}

// OnConnect decides about a CONNECT, before it can end another connection. The
// answer is sent here, because OnConnectAuthenticate can give one reason only.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	c := of(cl)
	if c == nil {
		return packets.ErrNotAuthorized
	}
	c.client = cl
	code, why := h.admit(c, pk.Connect)
	if why == "" {
		c.user, c.id = string(pk.Connect.Username), pk.Connect.ClientIdentifier
		return nil
	}
	if user := clip(string(pk.Connect.Username)); h.refusals.worth(user, why) {
		h.log.Info("MQTT connection refused", "user", user, "client_id", clip(pk.Connect.ClientIdentifier),
			"remote", cl.Net.Remote, "why", why)
	}
	if code == packets.ErrNotAuthorized && cl.Properties.ProtocolVersion < 5 {
		code = packets.ErrBadUsernameOrPassword // which the server turns into 3.1.1's "not authorized"
	}
	if err := h.server.SendConnack(cl, code, false, nil); err != nil {
		return err
	}
	return code
}

// admit returns why a CONNECT is refused, or "".
func (h *hook) admit(c *conn, p packets.ConnectParams) (code packets.Code, why string) {
	user, id := string(p.Username), p.ClientIdentifier
	if user == "" || id == "" {
		return packets.ErrBadUsernameOrPassword, "no user name or no client id"
	}
	if user == ControllerUser {
		return h.admitController(c, p)
	}
	a, ok := h.account(user)
	sum := sha256.Sum256(p.Password)
	if same := subtle.ConstantTimeCompare(sum[:], a.PasswordSHA256[:]) == 1; !ok || !same {
		return packets.ErrBadUsernameOrPassword, "unknown user name or wrong password"
	}
	if id != user {
		return packets.ErrClientIdentifierNotValid, "the client id is not the user name"
	}
	if p.WillFlag && !(Rules{a}).Will(p.WillTopic, len(p.WillPayload)) {
		return packets.ErrNotAuthorized, fmt.Sprintf("a will of %d bytes on %s; only its own status of at most %d is allowed",
			len(p.WillPayload), clip(p.WillTopic), wire.MaxStatus)
	}
	if !h.meter.connect(user) {
		return packets.ErrServerUnavailable, fmt.Sprintf("more than %d connections in %v", floodCount, floodSpan)
	}
	return packets.CodeSuccess, ""
}

func (h *hook) admitController(c *conn, p packets.ConnectParams) (code packets.Code, why string) {
	sum := sha256.Sum256(p.Password)
	switch {
	case !loopback(c.RemoteAddr()):
		return packets.ErrBadUsernameOrPassword, "the controller connects from its own machine only"
	case subtle.ConstantTimeCompare(sum[:], h.controller[:]) != 1:
		return packets.ErrBadUsernameOrPassword, "wrong password"
	case !strings.HasPrefix(p.ClientIdentifier, ControllerUser):
		return packets.ErrClientIdentifierNotValid, "the controller's client ids begin with " + ControllerUser
	case p.WillFlag && !strings.HasPrefix(p.WillTopic, wire.Prefix):
		return packets.ErrNotAuthorized, "a will outside " + wire.Prefix
	}
	return packets.CodeSuccess, ""
}

// account finds a sign's account. A sign whose name begins like the controller's
// client ids could throw the controller out, so there is none.
func (h *hook) account(user string) (Account, bool) {
	if Reserved(user) {
		return Account{}, false
	}
	a, ok := h.accounts.Account(user)
	return a, ok && a.Sign == user
}

func loopback(a net.Addr) bool {
	p, err := netip.ParseAddrPort(a.String())
	return err == nil && p.Addr().Unmap().IsLoopback()
}

// OnConnectAuthenticate lets in what OnConnect has.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, _ packets.Packet) bool {
	c := of(cl)
	return c != nil && c.user != ""
}

// OnSessionEstablish waits until the client id is free.
func (h *hook) OnSessionEstablish(cl *mqtt.Client, _ packets.Packet) { h.sessions.enter(of(cl)) }

// OnSessionEstablished closes what was let in by an account that has changed
// meanwhile: Disconnect came too early to find it.
func (h *hook) OnSessionEstablished(cl *mqtt.Client, pk packets.Packet) {
	c := of(cl)
	if c.controller() {
		return
	}
	sum := sha256.Sum256(pk.Connect.Password)
	if a, ok := h.account(c.user); !ok || a.PasswordSHA256 != sum {
		_ = c.Close()
	}
}

// OnSubscribe grants QoS 0, and refuses what would go beyond maxSubscriptions: an
// empty filter is one that the server answers with a failure.
//
// QoS 1 towards a client would add nothing: a session ends with its connection,
// and on a live one the server never sends again. But of a burst it drops what
// goes beyond its window of 256, without any error: of 600 acks from 300 signs
// the controller got 256 at QoS 1, and all at QoS 0.
func (h *hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	c := of(cl)
	room := maxSubscriptions - cl.State.Subscriptions.Len()
	for i := range pk.Filters {
		f := &pk.Filters[i]
		f.Qos = 0
		if _, known := cl.State.Subscriptions.Get(f.Filter); known || c.controller() {
			continue
		}
		if room--; room < 0 {
			f.Filter = ""
			h.reportDropped(c.user, "subscriptions", fmt.Sprintf("more than %d", maxSubscriptions))
		}
	}
	return pk
}

// OnACLCheck is asked about filters, and about topics at every delivery, so that
// an account that has lost a right stops receiving at once.
//
// It is asked about publishing as well, before a topic alias is resolved, and
// for "no" the server closes a 3.1.1 connection: paho would send the message
// again at every reconnect, for ever. So OnPublish decides that.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	c := of(cl)
	if write {
		return true
	}
	if c.controller() {
		return strings.HasPrefix(topic, wire.Prefix)
	}
	a, ok := h.account(c.user)
	return ok && Rules{a}.Subscribe(topic)
}

// OnPublish drops what may not be sent: acknowledged, as 3.1.1 demands of a
// server that stays connected, but neither delivered nor retained.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c := of(cl)
	// The name is a part of the buffer that the packet was read into. What is
	// retained would keep all of that beside its own copy of the payload: of
	// 10,000 programs, 116 MB.
	pk.TopicName = strings.Clone(pk.TopicName)
	if c.controller() {
		if !strings.HasPrefix(pk.TopicName, wire.Prefix) {
			return pk, packets.CodeSuccessIgnore
		}
		return pk, nil
	}
	a, ok := h.account(c.user)
	if !ok {
		return pk, packets.CodeSuccessIgnore
	}
	w, ok := Rules{a}.Publish(pk.TopicName)
	switch {
	case !ok:
		h.reportDropped(c.user, "not allowed", "a message on "+clip(pk.TopicName))
		return pk, packets.CodeSuccessIgnore
	case len(pk.Payload) > w.Limit:
		h.reportDropped(c.user, "too large", fmt.Sprintf("%d bytes on %s, over the limit of %d",
			len(pk.Payload), pk.TopicName, w.Limit))
		return pk, packets.CodeSuccessIgnore
	}
	_, leaf, _ := wire.SplitSignTopic(pk.TopicName) // Rules allow topics of its own only
	if most, ok := h.meter.message(c.user, leaf); !ok {
		h.reportDropped(c.user, "flood", fmt.Sprintf("more than %d messages in %v", most, floodSpan))
		return pk, packets.CodeSuccessIgnore
	}
	// MQTT 5's properties have no limit of their own, would be retained with
	// the message, and could make it expire.
	pk.Properties, pk.Expiry = packets.Properties{}, 0
	pk.FixedHeader.Retain = pk.FixedHeader.Retain && w.Retain
	if h.message != nil {
		h.message(pk.TopicName, pk.Payload)
	}
	return pk, nil
}

// OnWillSent passes a sign's will on; admit has checked it.
func (h *hook) OnWillSent(cl *mqtt.Client, pk packets.Packet) {
	if c := of(cl); h.message != nil && c != nil && !c.controller() {
		h.message(pk.TopicName, pk.Payload)
	}
}

// OnPublishDropped reports a reader that is too slow; the server only counts.
func (h *hook) OnPublishDropped(cl *mqtt.Client, pk packets.Packet) {
	if c := of(cl); c != nil {
		h.reportDropped(c.user, "slow", "messages to it were dropped, the first on "+clip(pk.TopicName))
	}
}

// reportDropped logs and reports dropped messages, at most once in floodSpan for each sign and kind.
func (h *hook) reportDropped(sign, kind, what string) {
	if !h.meter.report(sign, kind) {
		return
	}
	reason := kind + ": " + what
	h.log.Warn("MQTT messages dropped", "sign", sign, "why", reason)
	if h.dropped != nil {
		h.dropped(sign, reason)
	}
}

// clip shortens text of a client for the log.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
