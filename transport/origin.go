package transport

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// OriginAllowed reports whether a page from an Origin may talk to us, whom the request calls host. PHP services and
// programs send none, or ws://127.0.0.1 for Host 127.0.0.1:8080. A page behind a proxy has the host
// name of the request. So OriginAllowed compares the names and leaves out ports and schemes (protocol 2.3).
func OriginAllowed(text, host string, allowed []string) bool {
	if text == "" {
		return true
	}
	o := parseOrigin(text)
	if o.name != "" && o.name == canonicalName(hostname(host)) {
		return true
	}
	return slices.ContainsFunc(allowed, func(a string) bool {
		return a == "*" || o.listedAs(a)
	})
}

// origin is an Origin header in a form that can be compared.
type origin struct {
	full string // scheme, host name and port; the header itself where it has none
	name string // the host name; empty where there is none that can be trusted
}

// parseOrigin returns text without differences that mean nothing: case, the port that the scheme has
// anyhow, the dot that ends a fully qualified name, and the spelling of an IP address. An origin has no
// user. Text with one is not a page's, so it gets no name.
func parseOrigin(text string) origin {
	opaque := origin{full: strings.ToLower(text)}
	u, err := url.Parse(text)
	if err != nil || u.User != nil {
		return opaque
	}
	if u.Hostname() == "" {
		// Pages in files and in applications have a scheme and no host.
		opaque.full = strings.TrimSuffix(opaque.full, "/")
		if strings.HasSuffix(opaque.full, ":/") {
			opaque.full += "/"
		}
		return opaque
	}
	name, port := canonicalName(u.Hostname()), u.Port()
	if port == defaultPort(u.Scheme) {
		port = ""
	}
	return origin{full: u.Scheme + "://" + net.JoinHostPort(name, port), name: name}
}

// listedAs reports whether an entry of listen.origins, a host name or an origin, means o.
func (o origin) listedAs(entry string) bool {
	if strings.Contains(entry, "://") {
		return parseOrigin(entry).full == o.full
	}
	return entry != "" && (strings.EqualFold(entry, o.full) || o.name != "" && canonicalName(entry) == o.name)
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	}
	return ""
}

// canonicalName returns the one spelling of a host name or an IP address.
func canonicalName(name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if address, err := netip.ParseAddr(name); err == nil {
		return address.String()
	}
	return name
}

// hostname returns the name in a Host header, without port and brackets.
func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}
