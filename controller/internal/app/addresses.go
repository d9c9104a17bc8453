package app

import (
	"fmt"
	"net"
	"net/url"

	"ledcast/playlists"
)

// URL is where the pages are, e.g. "https://127.0.0.1:8443".
func (a *App) URL() string {
	if a.tls.Given() {
		return "https://" + a.Addr()
	}
	return "http://" + a.Addr()
}

// signsBroker is the broker's address as signs reach it.
func (a *App) signsBroker() string {
	if a.o.Advertise != "" {
		return a.o.Advertise
	}
	return a.brokerAddr
}

// checkAddresses refuses what other machines could read or change on the way: what is not encrypted is not shown to a
// network by accident.
func (a *App) checkAddresses() error {
	if a.o.Advertise != "" {
		u, err := url.Parse(a.o.Advertise)
		if err != nil || u.Host == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
			return &playlists.Error{Code: playlists.Invalid, Field: "--mqtt-advertise", Value: a.o.Advertise,
				Key: "advertised-broker-malformed"}
		}
	}
	if a.o.Broker != "" {
		u, err := url.Parse(a.o.Broker)
		if err != nil || u.Host == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
			return &playlists.Error{Code: playlists.Invalid, Field: "--broker", Key: "broker-malformed"}
		}
		if !a.o.Insecure && u.Scheme == "mqtt" && !local(u.Hostname()) {
			return &playlists.Error{Code: playlists.Invalid, Field: "--broker", Value: u.Redacted(),
				Key: "broker-not-encrypted"}
		}
	}
	for _, x := range []struct{ flag, addr string }{{"--listen", a.o.Listen}, {"--mqtt-listen", a.o.MQTTListen}} {
		if x.addr == "" || a.o.Broker != "" && x.flag == "--mqtt-listen" {
			continue
		}
		host, _, err := net.SplitHostPort(x.addr)
		if err != nil {
			return &playlists.Error{Code: playlists.Invalid, Field: x.flag, Value: x.addr, Key: "address-malformed"}
		}
		if !a.o.Insecure && !a.tls.Given() && !local(host) {
			return &playlists.Error{Code: playlists.Invalid, Field: x.flag, Value: x.addr,
				Key: "listener-not-encrypted"}
		}
	}
	return nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// brokerAddress is where we reach the embedded broker ourselves.
func (a *App) brokerAddress(addr net.Addr) string {
	scheme := "mqtt"
	if a.tls.Given() {
		scheme = "mqtts"
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err == nil && net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(host, port))
}
