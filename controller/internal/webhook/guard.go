// Package webhook sends events of alerts to URLs on the Internet. The messages are signed, and retried after a
// failure. Its Guard prevents all outgoing requests of the controller from reaching private networks (server-side
// request forgery).
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

// maxRedirect is the maximum number of redirects per request.
const maxRedirect = 3

// Guard makes requests to the Internet only. It rejects an address on a private network before and after name
// resolution, and at every redirect.
type Guard struct {
	Client   *http.Client
	anywhere bool
}

// NewGuard returns a Guard. anywhere disables its checks, for tests.
func NewGuard(anywhere bool) *Guard {
	g := &Guard{anywhere: anywhere}
	d := &net.Dialer{Timeout: 5 * time.Second}
	if !anywhere {
		d.Control = checkDialed // called after name resolution, also for redirects
	}
	g.Client = &http.Client{Timeout: timeout,
		// No proxy: it would bypass the check of the dialed address.
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

// checkDialed is a net.Dialer.Control that rejects addresses that are not on the Internet.
func checkDialed(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); !onInternet(ip) {
		return fmt.Errorf("%s is a private address; only addresses on the Internet are allowed", ip)
	}
	return nil
}

func onInternet(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate() &&
		!slices.ContainsFunc(specialNetworks, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// specialNetworks are networks for which netip reports global unicast but that are not on the Internet:
// carrier-grade NAT, special purposes, site-local IPv6, and IPv4 addresses embedded in IPv6.
var specialNetworks = []netip.Prefix{netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32")}

// MayGo returns an error unless u is an https URL without user information and its host is not a private address. A
// host name is checked later, when it is dialed.
func (g *Guard) MayGo(u *url.URL) error {
	if u.Host == "" || u.User != nil || u.Scheme != "https" && !(g.anywhere && u.Scheme == "http") {
		return fmt.Errorf("%s is not an https address", u.Redacted())
	}
	if !g.anywhere && isPrivateHost(u.Hostname()) {
		return fmt.Errorf("%s is a private address; webhooks and feeds must be on the Internet", u.Hostname())
	}
	return nil
}

// isPrivateHost reports whether a host is a private address or localhost. It does not resolve names.
func isPrivateHost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return !onInternet(ip)
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// Get makes a GET request to the URL to with these headers. The caller must close the response's body.
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
