package transport

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// plainRequest is the head of an opening request that is as nearly all are: one that came whole, is well formed
// and is not refused. It refers to the bytes that it was read from.
type plainRequest struct {
	key       []byte
	host      []byte
	origin    []byte
	offers    []byte   // Sec-WebSocket-Extensions, if they are wanted
	upgrades  bool     // Upgrade lists websocket
	connected bool     // Connection lists Upgrade
	packs     bool     // offers are wanted
	proxied   bool     // the lines below are wanted
	old       []string // X-Forwarded-For, a line each
	standard  []string // Forwarded
}

// readPlain reads the head that p begins with and returns what follows it. It is not ok for a head that is not
// complete or that needs more than a look: readRequest, which reads it by net/http, then has the last word. So
// readPlain must accept nothing that readRequest refuses. It allocates nothing for a request without a proxy.
func readPlain(p []byte, l *Limits, proxied bool) (r plainRequest, rest []byte, ok bool) {
	end := bytes.Index(p, []byte("\r\n\r\n"))
	if end < 0 || end+4 > l.HeaderBytes {
		return r, nil, false
	}
	r.proxied, r.packs = proxied, l.Compression
	head, rest := p[:end+2], p[end+4:]
	line, head, _ := bytes.Cut(head, []byte("\r\n"))
	if !plainLine(line) {
		return r, nil, false
	}
	for len(head) > 0 {
		line, head, _ = bytes.Cut(head, []byte("\r\n"))
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found || !isToken(name) || !isText(value) || !r.field(name, bytes.Trim(value, " \t")) {
			return r, nil, false
		}
	}
	return r, rest, r.good(l)
}

// plainLine reports whether a request line asks for a path in the usual characters.
func plainLine(line []byte) bool {
	target, get := bytes.CutPrefix(line, []byte("GET /"))
	target, http := bytes.CutSuffix(target, []byte(" HTTP/1.1"))
	if !get || !http || bytes.HasPrefix(target, []byte("/")) {
		return false
	}
	for _, c := range target {
		if !alphanumeric(c) && strings.IndexByte("-._~/?=&+,:;@!$*()'", c) < 0 {
			return false
		}
	}
	return true
}

// field notes one field. It returns false for one that may be why the request is refused.
func (r *plainRequest) field(name, value []byte) bool {
	switch {
	case named(name, "Host"):
		return once(&r.host, value)
	case named(name, "Sec-WebSocket-Key"):
		return once(&r.key, value)
	case named(name, "Origin"):
		return once(&r.origin, value)
	case named(name, "Upgrade"):
		r.upgrades = r.upgrades || listed(value, "websocket")
	case named(name, "Connection"):
		r.connected = r.connected || listed(value, "Upgrade")
	case r.packs && named(name, "Sec-WebSocket-Extensions"):
		return once(&r.offers, value)
	case named(name, "X-Forwarded-For"):
		if r.proxied {
			r.old = append(r.old, string(value))
		}
	case named(name, "Forwarded"):
		if r.proxied {
			r.standard = append(r.standard, string(value))
		}
	case named(name, "Content-Length"), named(name, "Transfer-Encoding"), named(name, "Trailer"):
		return false
	}
	return true
}

// good reports whether checkRequest would find nothing wrong.
func (r *plainRequest) good(l *Limits) bool {
	var decoded [18]byte
	if len(r.key) != base64.StdEncoding.EncodedLen(16) {
		return false
	}
	n, err := base64.StdEncoding.Decode(decoded[:], r.key)
	return err == nil && n == 16 && r.upgrades && r.connected && len(r.host) > 0 && validHost(string(r.host)) &&
		(len(r.origin) == 0 || OriginAllowed(string(r.origin), string(r.host), l.Origins))
}

// once notes the value of a field that must not come twice and is not empty.
func once(to *[]byte, value []byte) bool {
	if *to != nil || len(value) == 0 {
		return false
	}
	*to = value
	return true
}

func named(name []byte, want string) bool {
	return len(name) == len(want) && strings.EqualFold(string(name), want)
}

// listed reports whether one of the comma-separated items of value is want, in any case.
func listed(value []byte, want string) bool {
	for more := true; more; {
		var item []byte
		item, value, more = bytes.Cut(value, []byte(","))
		if strings.EqualFold(string(bytes.Trim(item, " \t")), want) {
			return true
		}
	}
	return false
}

// isToken reports whether name can be a field's, as RFC 9110, section 5.6.2, has it.
func isToken(name []byte) bool {
	for _, c := range name {
		if !alphanumeric(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return len(name) > 0
}

// isText reports whether value has no control characters but tabs.
func isText(value []byte) bool {
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
