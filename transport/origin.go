package transport

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// originAllowed reports whether a page from the request's Origin may talk to us. PHP services and
// programs send none, or ws://127.0.0.1 for Host 127.0.0.1:8080; a page behind a proxy has the
// host name of the request. So the names are compared, ports and schemes aside (protocol 2.3).
func originAllowed(r *http.Request, allowed []string) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	name := ""
	if u, err := url.Parse(origin); err == nil {
		name = u.Hostname()
	}
	if name != "" && strings.EqualFold(name, hostname(r.Host)) {
		return true
	}
	for _, a := range allowed {
		if a == "*" || strings.EqualFold(a, origin) || name != "" && strings.EqualFold(a, name) {
			return true
		}
	}
	return false
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}
