package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Reason says in a few words why there is no connection. The words hold no port of this end, so that one trouble has
// one reason however often it is met.
func Reason(err error) string {
	var (
		dns    *net.DNSError
		header tls.RecordHeaderError
		alert  tls.AlertError
		cert   *tls.CertificateVerificationError
		host   x509.HostnameError
		issuer x509.UnknownAuthorityError
		when   x509.CertificateInvalidError
		slow   net.Error
	)
	switch {
	case err == nil, errors.Is(err, ErrDown):
		return "not connected yet"
	case Refused(err):
		return "the broker refuses user name or password: " + err.Error()
	case errors.As(err, &cert):
		return "TLS: " + cert.Err.Error()
	case errors.As(err, &host), errors.As(err, &issuer), errors.As(err, &when), errors.As(err, &alert):
		return "TLS: " + strings.TrimPrefix(words(err), "tls: ")
	case errors.As(err, &header):
		return "TLS: " + header.Msg
	case errors.As(err, &dns):
		return "the broker's name " + dns.Name + " is not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH):
		return "no route to host"
	case errors.Is(err, syscall.ENETUNREACH):
		return "network is unreachable"
	case errors.Is(err, errNoPing):
		return "no answer to a ping"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &slow) && slow.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return "the connection was closed from the other side"
	}
	return words(err)
}

// Closed reports whether the other side ended the connection.
func Closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

// words is an error's text without the addresses that package net puts before it, and without paho's prefix.
func words(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), packets.ErrorNetworkError.Error()+" : ")
}

// Refused reports whether a broker answered CONNECT with "not authorized" or "bad user name or password".
func Refused(err error) bool {
	return errors.Is(err, packets.ErrorRefusedNotAuthorised) ||
		errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword)
}

// errNoPing is in place of paho's own error, which is no value to compare with.
var errNoPing = errors.New("the broker did not answer a ping")

// lostWith is the reason for which paho gave a connection up.
func lostWith(err error) error {
	if err != nil && strings.HasPrefix(err.Error(), "pingresp not received") {
		return errNoPing
	}
	return err
}

// State is what a link says when it changes.
type State struct {
	Up     bool
	Reason string // why it is down
	Err    error  // what it stands for; nil while it is up
}

// How often one reason is said: a broker that lets a client in and cuts it off each second must not fill a log.
const (
	sayFirst = 10 * time.Second
	sayLast  = 10 * time.Minute
)

// teller decides which changes are said: the first reason, each other one, and the return after a reason that was said.
type teller struct {
	tell func(State)
	now  func() time.Time

	last State
	any  bool
	said map[string]*said // by reason
}

type said struct {
	at  time.Time
	gap time.Duration
}

func (t *teller) down(err error) {
	s := State{Reason: Reason(err), Err: err}
	if t.tell == nil || t.any && !t.last.Up && t.last.Reason == s.Reason {
		return
	}
	now := t.now()
	old := t.said[s.Reason]
	switch {
	case old == nil && len(t.said) >= 16: // texts that are never the same
		return
	case old == nil:
		old = &said{gap: sayFirst}
		t.said[s.Reason] = old
	case now.Sub(old.at) < old.gap:
		return // the next try says it, if it still holds then
	case now.Sub(old.at) < sayLast:
		old.gap = min(2*old.gap, sayLast)
	default:
		old.gap = sayFirst
	}
	old.at = now
	t.say(s)
}

func (t *teller) up() {
	if t.tell != nil && (!t.any || !t.last.Up) {
		t.say(State{Up: true})
	}
}

func (t *teller) say(s State) {
	t.last, t.any = s, true
	t.tell(s)
}
