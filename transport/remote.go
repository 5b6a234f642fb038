package transport

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// address is a peer's address as logs show it.
type address string

func (a address) String() string { return string(a) }

// Proxies are proxies whose headers are believed. The zero value believes nobody.
type Proxies struct{ trusted []netip.Prefix }

// NewProxies returns the proxies of a list of addresses and networks, as Options.TrustedProxies has it.
func NewProxies(list []string) Proxies { return Proxies{prefixes(list)} }

// Secure reports whether one of the proxies has sent a request and says in X-Forwarded-Proto that it came to it by HTTPS.
// Of several values the last one counts, because those before it may be anybody's invention.
func (p Proxies) Secure(r *http.Request) bool {
	peer, ok := parseHop(r.RemoteAddr)
	said := split(r.Header.Values("X-Forwarded-Proto"))
	return ok && isTrusted(peer, p.trusted) && len(said) > 0 && strings.EqualFold(strings.TrimSpace(said[len(said)-1]), "https")
}

// Client returns the address of whom a request comes from: that of the peer with its port, or the one that the proxies
// name.
func (p Proxies) Client(r *http.Request) string {
	return remoteOf(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), r.Header.Values("Forwarded"), p.trusted)
}

// ClientAddr returns the address in what Client returns, without the port, and whether there is one.
func (p Proxies) ClientAddr(r *http.Request) (a netip.Addr, ok bool) { return parseHop(p.Client(r)) }

// remoteOf returns whom a request comes from: own, the other end of the connection, or whoever the trusted
// proxies there say in the lines of X-Forwarded-For and Forwarded. A proxy adds the address of its own peer on the right of X-Forwarded-For, so what
// stands left of the first address that is no trusted proxy may be anybody's invention.
func remoteOf(own string, forwardedFor, forwarded []string, trusted []netip.Prefix) string {
	hop, ok := parseHop(own)
	if !ok || !isTrusted(hop, trusted) {
		return own
	}
	old, hasOld := walk(split(forwardedFor), trusted)
	standard, hasStandard := walk(hopsOf(forwarded), trusted)
	switch {
	case hasOld && hasStandard && old != standard:
		// The proxy writes one of them and passes on the other, which the client may have invented.
		return own
	case hasOld:
		return old.String()
	case hasStandard:
		return standard.String()
	}
	return own
}

// prefixes reads addresses and networks. What is neither trusts nobody; config refuses it.
func prefixes(list []string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range list {
		if p, err := netip.ParsePrefix(text); err == nil {
			all = append(all, p)
		} else if a, err := netip.ParseAddr(text); err == nil {
			a = a.Unmap()
			all = append(all, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return all
}

// walk returns the right-most address that is no trusted proxy, or the left-most of all if every one is.
// It stops at what is no address, because nothing left of that can be checked.
func walk(hops []string, trusted []netip.Prefix) (found netip.Addr, ok bool) {
	for _, text := range slices.Backward(hops) {
		hop, valid := parseHop(text)
		if !valid {
			return found, ok
		}
		found, ok = hop, true
		if !isTrusted(hop, trusted) {
			return found, ok
		}
	}
	return found, ok
}

// split returns the items of a list that may be spread over several lines.
func split(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	return strings.Split(strings.Join(lines, ","), ",")
}

// hopsOf returns the for= of each hop in a Forwarded header (RFC 7239). A hop without one is no
// address.
func hopsOf(lines []string) []string {
	hops := split(lines)
	for i, hop := range hops {
		hops[i] = ""
		for pair := range strings.SplitSeq(hop, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if strings.EqualFold(name, "for") {
				hops[i] = strings.Trim(value, `"`)
			}
		}
	}
	return hops
}

// parseHop reads an address with or without a port and brackets.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap(), true
	}
	inner, opened := strings.CutPrefix(text, "[")
	inner, ended := strings.CutSuffix(inner, "]")
	a, err := netip.ParseAddr(inner)
	return a.Unmap(), err == nil && opened == ended
}

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) })
}
