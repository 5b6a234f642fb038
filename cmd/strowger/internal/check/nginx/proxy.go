package nginx

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Proxy is a location that passes requests on.
type Proxy struct {
	File     string
	Line     int
	Location string   // the arguments of location, such as "/websockets/"
	Names    []string // server_name of its server
	TLS      bool     // browsers reach the server by TLS
	// Certificate and Key are the files of the server, empty without.
	Certificate, Key string

	Scheme    string   // of proxy_pass: http or https
	Addresses []string // HOST:PORT of proxy_pass, or of each server of its upstream

	Headers     map[string]string // proxy_set_header in force, by the name in lower case
	HTTPVersion string            // proxy_http_version, empty if it is not given
	ReadTimeout time.Duration     // proxy_read_timeout, nginx's 60 s if it is not given
	Known       bool              // ReadTimeout is a time that was understood
}

// Proxies returns the locations that pass requests on, in the order of the files.
func (c *Config) Proxies() []Proxy {
	w := &walk{upstreams: map[string][]string{}}
	w.collect(c.directives)
	w.visit(c.directives, Proxy{Known: true, ReadTimeout: time.Minute, Headers: map[string]string{}})
	return w.found
}

// walk goes through the blocks and passes down what they inherit.
type walk struct {
	upstreams map[string][]string
	found     []Proxy
}

// collect finds the upstreams, which may come after their use.
func (w *walk) collect(all []Directive) {
	for _, d := range all {
		if d.Name != "upstream" || len(d.Args) == 0 {
			w.collect(d.Block)
			continue
		}
		for _, server := range d.Block {
			if server.Name == "server" && len(server.Args) > 0 {
				w.upstreams[d.Args[0]] = append(w.upstreams[d.Args[0]], withPort(server.Args[0], "80"))
			}
		}
	}
}

// visit reads one block. p is what holds around it.
func (w *walk) visit(block []Directive, p Proxy) {
	headers := map[string]string{}
	for _, d := range block {
		if d.Name == "proxy_set_header" && len(d.Args) == 2 {
			headers[strings.ToLower(d.Args[0])] = d.Args[1]
			continue
		}
		p.take(d)
	}
	// A block that sets a header inherits none.
	if len(headers) > 0 {
		p.Headers = headers
	}
	for _, d := range block {
		if d.Name == "proxy_pass" && len(d.Args) == 1 {
			w.pass(d, p)
		}
	}
	for _, d := range block {
		inner := p
		switch d.Name {
		case "location":
			inner.Location = strings.Join(d.Args, " ")
		case "server":
			inner.Names, inner.TLS = nil, false
		case "http", "if", "limit_except":
		default:
			continue
		}
		w.visit(d.Block, inner)
	}
}

// take notes a directive that inner blocks inherit.
func (p *Proxy) take(d Directive) {
	if len(d.Args) == 0 {
		return
	}
	switch d.Name {
	case "server_name":
		p.Names = append(slices.Clone(p.Names), d.Args...)
	case "listen":
		p.TLS = p.TLS || slices.Contains(d.Args[1:], "ssl")
	case "ssl":
		p.TLS = p.TLS || d.Args[0] == "on"
	case "ssl_certificate":
		p.Certificate = d.Args[0]
	case "ssl_certificate_key":
		p.Key = d.Args[0]
	case "proxy_http_version":
		p.HTTPVersion = d.Args[0]
	case "proxy_read_timeout":
		p.ReadTimeout, p.Known = duration(d.Args[0])
	}
}

// pass adds a location.
func (w *walk) pass(d Directive, p Proxy) {
	scheme, rest, found := strings.Cut(d.Args[0], "://")
	if !found {
		return
	}
	p.File, p.Line, p.Scheme = d.File, d.Line, scheme
	host, _, _ := strings.Cut(rest, "/")
	if servers, ok := w.upstreams[host]; ok {
		p.Addresses = servers
	} else {
		p.Addresses = []string{withPort(host, map[string]string{"https": "443"}[scheme])}
	}
	w.found = append(w.found, p)
}

// withPort adds a port to an address that has none.
func withPort(address, port string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), port)
}

// duration reads a time as nginx writes it, such as 60, 60s, 1h30m or 500ms.
func duration(text string) (time.Duration, bool) {
	if text == "" {
		return 0, false
	}
	units := []struct {
		name string
		unit time.Duration
	}{{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour}}
	var sum time.Duration
	for text != "" {
		end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(text)
		}
		n, err := strconv.Atoi(text[:end])
		if err != nil || n > 1_000_000_000 {
			return 0, false
		}
		text = text[end:]
		unit := time.Second
		for _, u := range units {
			if strings.HasPrefix(text, u.name) {
				unit, text = u.unit, strings.TrimSpace(text[len(u.name):])
				break
			}
		}
		if end == 0 {
			return 0, false
		}
		sum += time.Duration(n) * unit
	}
	return sum, true
}
