package console

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"strowger/system/internal/forwarded"
)

// cookieName is the cookie of a session.
const cookieName = "strowger_console"

// way says how somebody may use the console.
type way string

const (
	wayOpen     way = "open"     // from this machine, without a password
	wayPassword way = "password" // with a password, or a session that one has begun
	// wayCertificate is with a certificate of an authority that admin.client_ca names.
	wayCertificate way = "certificate"
	wayNone        way = "none"
)

const noWay = "the console asks for no password on this machine only: open it as 127.0.0.1 or localhost there, set admin.password_hash (strowger admin password makes it), or show a certificate that admin.client_ca knows"

// way returns how whoever sends the request may use the console.
func (c *Console) way(r *http.Request) way {
	switch {
	case subject(r) != "":
		return wayCertificate
	case c.o.TrustLoopback && c.atHome(r):
		return wayOpen
	case c.hash != nil:
		return wayPassword
	}
	return wayNone
}

// longestSubject bounds the name of a certificate in the audit log, in bytes.
const longestSubject = 200

// subject returns whom the certificate of the request names; empty without one that was verified. That of a proxy counts
// for nobody else.
func subject(r *http.Request) string {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || forwarded.By(r.Header) {
		return ""
	}
	name := r.TLS.PeerCertificates[0].Subject.String()
	if name == "" {
		name = "without a name"
	}
	return strings.ToValidUTF8(name[:min(len(name), longestSubject)], "")
}

// atHome reports whether a request was sent on this machine and for it. A page of another host whose name leads here
// has that name in Host, and a proxy on this machine says that it is one.
func (c *Console) atHome(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() || forwarded.By(r.Header) {
		return false
	}
	host := hostOf(r.Host)
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback()
	}
	own, _, _ := net.SplitHostPort(c.o.Address)
	return strings.EqualFold(host, "localhost") || own != "" && strings.EqualFold(host, own)
}

// hostOf returns the host of a Host header, without the port and brackets.
func hostOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// foreign reports whether a browser sends a request for a page of another origin. Programs send neither header.
func foreign(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return false
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if len(origins) > 1 || r.Host == "" {
		return true
	}
	// A proxy may speak TLS in our place.
	return !strings.EqualFold(origins[0], scheme+"://"+r.Host) && !strings.EqualFold(origins[0], "https://"+r.Host)
}

// overTLS reports whether a browser has sent a request by HTTPS, to us or to a proxy. Its page may have an origin that says
// so, or a trusted proxy does.
func (c *Console) overTLS(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(strings.ToLower(r.Header.Get("Origin")), "https://") || c.proxies.Secure(r)
}

// setCookie gives the browser the cookie of a session, which it keeps for so many seconds. Less than 0 takes the cookie
// away.
func (c *Console) setCookie(w http.ResponseWriter, r *http.Request, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: value, Path: Path, MaxAge: seconds, HttpOnly: true, Secure: c.overTLS(r), //nolint:gosec // Secure needs TLS
		SameSite: http.SameSiteStrictMode})
}

// session returns the name of the session that the request's browser has and when it ends, and whether it has one.
func (c *Console) session(r *http.Request) (name string, until time.Time, ok bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return "", time.Time{}, false
	}
	return c.logins.find(cookie.Value)
}

// visitor returns who sends the request, and whether he may use the console.
func (c *Console) visitor(r *http.Request) (visitor, bool) {
	v := visitor{from: c.proxies.Client(r)}
	switch c.way(r) {
	case wayOpen:
		v.name = "loopback"
		return v, true
	case wayCertificate:
		v.name, v.until = "certificate "+subject(r), c.clock.Now().Add(c.o.Session)
		if end := r.TLS.PeerCertificates[0].NotAfter; end.Before(v.until) {
			v.until = end
		}
		return v, true
	case wayPassword:
		session, until, ok := c.session(r)
		v.name, v.until, v.session = "password", until, session
		return v, ok
	default:
		return v, false
	}
}
