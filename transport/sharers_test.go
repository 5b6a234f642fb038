package transport

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"strowger/actors/refusals"
)

// from opens a connection from another address of this machine.
func (s *server) from(address string) *peer {
	s.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	conn, err := d.Dial("tcp", s.Addr().String())
	if err != nil {
		s.t.Skipf("no second address: %v", err)
	}
	return newPeer(s.t, conn)
}

// answered sends a request and returns the status of its answer.
func (p *peer) answered(request string) int {
	p.t.Helper()
	p.write([]byte(request))
	r, err := http.ReadResponse(p.br, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return r.StatusCode
}

// An address may have so many connections and not one more, whoever reads the request. Others do not notice, and a place
// is free again when a connection ends.
func TestConnectionsOfOneAddress(t *testing.T) {
	pair, _, _ := loadPair(t)
	plain := fmt.Sprintf(upgrade, "x")
	odd := strings.Replace(plain, "GET / ", "GET /%20 ", 1) // a goroutine reads it
	for name, tc := range map[string]struct {
		config *tls.Config
		sent   string
	}{
		"plain": {nil, plain}, "odd": {nil, odd}, "TLS": {pair.Config(), plain},
	} {
		t.Run(name, func(t *testing.T) {
			const most = 3
			s, lines := listenLogged(t, tc.config, func(l *Limits) { l.PerAddress = most })
			open := func(p *peer) *peer {
				if tc.config != nil {
					p.Conn = tls.Client(p.Conn, trusting)
					p.br.Reset(p.Conn)
				}
				return p
			}
			var all []*peer
			for n := range most {
				p := open(s.connect())
				if got := p.answered(tc.sent); got != http.StatusSwitchingProtocols {
					t.Fatalf("connection %d: status %d", n, got)
				}
				all = append(all, p)
			}
			if got := open(s.connect()).answered(tc.sent); got != http.StatusServiceUnavailable {
				t.Fatalf("one more: status %d, want 503", got)
			}
			if n := s.deps.Refusals().Count(refusals.PerAddress); n != 1 {
				t.Errorf("counted %d times, want once", n)
			}
			lines.want(t, `level=WARN msg="connection refused because its address has too many" cause=connections_per_address remote=127\.0\.0\.1:\d+ .*setting=limits\.connections_per_address .*`)
			if got := open(s.from("127.0.0.2")).answered(tc.sent); got != http.StatusSwitchingProtocols {
				t.Errorf("from another address: status %d", got)
			}
			_ = all[0].Close()
			eventually(t, "it has ended", func() bool { return s.Live() == most })
			if got := open(s.connect()).answered(tc.sent); got != http.StatusSwitchingProtocols {
				t.Errorf("in the place of one that has ended: status %d", got)
			}
			for _, p := range all {
				_ = p.Close()
			}
			s.shut()
			if n := len(s.rig.crowds.all); n != 0 {
				t.Errorf("%d addresses are still known", n)
			}
		})
	}
}

// Connections by HTTP count like sockets, and a handshake that fails takes no place.
func TestConnectionsOfOneAddressByHTTP(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.PerAddress, l.HTTP = 1, true })
	if got := s.connect().answered("GET / HTTP/1.1\r\nHost: x\r\n\r\n"); got != http.StatusBadRequest {
		t.Fatalf("no handshake: status %d", got)
	}
	over := func() {
		t.Helper()
		eventually(t, "it has ended", func() bool { return s.Live() == 0 }) // the answer comes before that
	}
	over()
	const request = "POST /request HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
	if got := s.connect().answered(request); got != http.StatusUnauthorized {
		t.Fatalf("no token: status %d, want 401", got)
	}
	over()
	const stream = "GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Y2xpZW50OnM6aGFzaA==\r\n\r\n" // client:s:hash
	if got := s.connect().answered(stream); got != http.StatusOK {
		t.Fatalf("the first one: status %d", got)
	}
	if got := s.connect().answered(request); got != http.StatusServiceUnavailable {
		t.Errorf("the second one: status %d, want 503", got)
	}
}

// Whom a connection counts for. A trusted proxy stands for others; whom it names counts.
func TestSharedAddress(t *testing.T) {
	s := &Server{proxies: prefixes([]string{"10.0.0.1", "fd00::/16"})}
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "192.0.2.1": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::", "2001:db8:1:2:ffff::1": "2001:db8:1:2::", "[2001:db8:1:3::1]:80": "2001:db8:1:3::",
		"[fe80::1%eth0]:80": "fe80::", "10.0.0.1:80": "", "[fd00::1]:80": "", "unknown": "", "": "",
	} {
		a, ok := s.sharedAddress(address(remote))
		if got := a.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s, %t; want %q", remote, got, ok, want)
		}
	}
}

// A client that a trusted proxy names counts, and not the proxy.
func TestConnectionsBehindAProxy(t *testing.T) {
	s := listen(t, nil, nil, func(l *Limits) { l.PerAddress = 1 })
	s.Server.proxies = prefixes([]string{"127.0.0.1"})
	s.begin()
	named := func(client string) string {
		return strings.Replace(fmt.Sprintf(upgrade, "x"), "Upgrade:", "X-Forwarded-For: "+client+"\r\nUpgrade:", 1)
	}
	for _, tc := range []struct {
		request string
		want    int
	}{
		{named("203.0.113.1"), 101}, {named("203.0.113.1"), 503}, {named("203.0.113.2"), 101},
		{fmt.Sprintf(upgrade, "x"), 101}, {fmt.Sprintf(upgrade, "x"), 101}, // the proxy itself, or a service beside it
		{named("2001:db8::1"), 101}, {named("2001:db8::2"), 503},
	} {
		if got := s.connect().answered(tc.request); got != tc.want {
			t.Errorf("%q: status %d, want %d", tc.request, got, tc.want)
		}
	}
}

// Without the setting nothing is counted.
func TestAddressesAreNotCounted(t *testing.T) {
	s := newServer(t, nil, nil)
	s.dial()
	if s.rig.crowds.all != nil {
		t.Error("an address is counted though the setting is 0")
	}
}
