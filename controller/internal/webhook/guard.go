// Package webhook sends what happens to alerts to addresses on the Internet,
// signed, and again where it failed. Its Guard keeps every request of the
// controller to the outside away from what stands beside it.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// maxRedirect is how many redirects are followed.
const maxRedirect = 3

// Guard makes requests to the Internet only: an address on a private network is
// refused, before it is looked up, after that, and at every redirect.
type Guard struct {
	Client   *http.Client
	anywhere bool
}

// NewGuard makes one. anywhere lifts its rules, for tests.
func NewGuard(anywhere bool) *Guard {
	g := &Guard{anywhere: anywhere}
	d := &net.Dialer{Timeout: 5 * time.Second}
	if !anywhere {
		d.Control = public // after DNS, and at every redirect's connection again
	}
	g.Client = &http.Client{Timeout: timeout,
		// No proxy: it would dial for us.
		Transport: &http.Transport{DialContext: d.DialContext, TLSHandshakeTimeout: 5 * time.Second, MaxIdleConns: 4,
			DisableKeepAlives: true},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirect {
				return errors.New("too many redirects")
			}
			return g.MayGo(r.URL)
		}}
	return g
}

// public rejects a connection to an address that is not on the Internet: what
// stands beside the controller is not for webhooks to reach.
func public(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); !onInternet(ip) {
		return fmt.Errorf("%s is a private address; webhooks go to the Internet only", ip)
	}
	return nil
}

func onInternet(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate() &&
		!slices.ContainsFunc(closed, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// closed are networks that are global unicast by their form and lead elsewhere:
// carriers' NAT, special uses, IPv6 as it was local once, and IPv4 inside IPv6,
// whatever address that is.
var closed = []netip.Prefix{netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32")}

// MayGo rejects an address that is not https on the Internet.
func (g *Guard) MayGo(u *url.URL) error {
	if u.Host == "" || u.User != nil || u.Scheme != "https" && !(g.anywhere && u.Scheme == "http") {
		return fmt.Errorf("%s is no https address", u.Redacted())
	}
	if !g.anywhere && private(u.Hostname()) { // any other name is looked at when it is dialled
		return fmt.Errorf("%s is a private address; webhooks and feeds are on the Internet only", u.Hostname())
	}
	return nil
}

// private reports whether a host, as it is written, is not on the Internet.
func private(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return !onInternet(ip)
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// Get asks an address, with these headers. The caller closes the answer's body.
func (g *Guard) Get(ctx context.Context, to string, headers http.Header) (*http.Response, error) {
	u, err := url.Parse(to)
	if err != nil {
		return nil, errors.New("is not an address")
	}
	if err := g.MayGo(u); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return nil, err
	}
	req.Header = headers
	return g.Client.Do(req)
}
