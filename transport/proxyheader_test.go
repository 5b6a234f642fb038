package transport

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"strowger/actors/refusals"
)

// version2 returns a header of version 2.
func version2(command, family byte, body []byte) []byte {
	h := append([]byte(proxySignature), 0x20|command, family)
	h = binary.BigEndian.AppendUint16(h, uint16(len(body)))
	return append(h, body...)
}

// ends returns the addresses of a header of version 2.
func ends(from, to string) []byte {
	a, b := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	body := append(a.Addr().AsSlice(), b.Addr().AsSlice()...)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(body, a.Port()), b.Port())
}

func TestReadProxyHeader(t *testing.T) {
	v4, v6 := ends("203.0.113.9:4711", "10.0.0.1:80"), ends("[2001:db8::9]:4711", "[::1]:80")
	for name, test := range map[string]struct {
		header string
		want   string // an address, empty for none, or what the error says
	}{
		"version 1":                      {"PROXY TCP4 203.0.113.9 10.0.0.1 4711 80\r\n", "203.0.113.9:4711"},
		"version 1, IPv6":                {"PROXY TCP6 2001:db8::9 ::1 4711 80\r\n", "[2001:db8::9]:4711"},
		"version 1, mapped":              {"PROXY TCP6 ::ffff:203.0.113.9 ::1 4711 80\r\n", "203.0.113.9:4711"},
		"version 1, unknown":             {"PROXY UNKNOWN\r\n", ""},
		"version 1, unknown and more":    {"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", ""},
		"version 1, wrong family":        {"PROXY TCP4 2001:db8::9 ::1 4711 80\r\n", "!an address"},
		"version 1, zone":                {"PROXY TCP6 fe80::1%eth0 ::1 4711 80\r\n", "!an address"},
		"version 1, no address":          {"PROXY TCP4 evil 10.0.0.1 4711 80\r\n", "!an address"},
		"version 1, port too large":      {"PROXY TCP4 203.0.113.9 10.0.0.1 65536 80\r\n", "!a port"},
		"version 1, signed port":         {"PROXY TCP4 203.0.113.9 10.0.0.1 +1 80\r\n", "!a port"},
		"version 1, too few":             {"PROXY TCP4 203.0.113.9 10.0.0.1 4711\r\n", "!another form"},
		"version 1, two spaces":          {"PROXY TCP4  203.0.113.9 10.0.0.1 1 2\r\n", "!another form"},
		"version 1, too long":            {"PROXY UNKNOWN " + strings.Repeat("x", 200), "!over 107"},
		"version 1, cut off":             {"PROXY TCP4 203", "!EOF"},
		"version 2":                      {string(version2(1, 0x11, v4)), "203.0.113.9:4711"},
		"version 2, IPv6":                {string(version2(1, 0x21, v6)), "[2001:db8::9]:4711"},
		"version 2, with more":           {string(version2(1, 0x11, append(v4, bytes.Repeat([]byte{4}, 300)...))), "203.0.113.9:4711"},
		"version 2, for itself":          {string(version2(0, 0, nil)), ""},
		"version 2, a socket of Unix":    {string(version2(1, 0x31, make([]byte, 216))), ""},
		"version 2, unknown command":     {string(version2(2, 0x11, v4)), "!command"},
		"version 2, unknown version":     {proxySignature + "\x31\x11\x00\x00", "!version"},
		"version 2, addresses cut off":   {string(version2(1, 0x11, v4[:11])), "!cut off"},
		"version 2, longer than allowed": {string(version2(1, 0x11, make([]byte, maxProxyBytes+1))), "!over 4096"},
		"version 2, cut off":             {string(version2(1, 0x11, v4))[:20], "!unexpected EOF"},
		"neither":                        {"PROXIES AND OTHERS\r\n", "!neither"},
	} {
		t.Run(name, func(t *testing.T) {
			r := strings.NewReader(test.header + "rest")
			if strings.HasSuffix(name, "cut off") {
				r = strings.NewReader(test.header)
			}
			from, err := readProxyHeader(r)
			if want, fails := strings.CutPrefix(test.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("got %v, err %v; want an error with %q", from, err, want)
				}
				return
			}
			if err != nil || test.want == "" && from.IsValid() || test.want != "" && from.String() != test.want {
				t.Fatalf("got %v, err %v; want %q", from, err, test.want)
			}
			if rest, _ := io.ReadAll(r); string(rest) != "rest" {
				t.Errorf("%q is left, want what follows the header", rest)
			}
		})
	}
}

func FuzzReadProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 203.0.113.9 10.0.0.1 4711 80\r\n"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add(version2(1, 0x11, ends("203.0.113.9:4711", "10.0.0.1:80")))
	f.Add(version2(1, 0x21, ends("[2001:db8::9]:4711", "[::1]:80")))
	f.Add(version2(0, 0, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		from, err := readProxyHeader(r)
		read := len(data) - r.Len()
		if most := len(proxySignature) + 4 + maxProxyBytes; read > most {
			t.Fatalf("%d bytes read, want at most %d", read, most)
		}
		if err != nil && from.IsValid() {
			t.Fatalf("%v and %v", from, err)
		}
		if err != nil {
			return
		}
		// The header alone says the same, and one byte less says nothing.
		if again, err := readProxyHeader(bytes.NewReader(data[:read])); err != nil || again != from {
			t.Fatalf("the header alone: %v, %v; want %v", again, err, from)
		}
		if _, err := readProxyHeader(bytes.NewReader(data[:read-1])); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			t.Fatalf("one byte less: %v", err)
		}
	})
}

// behind has a server that has not begun believe the header of the PROXY protocol of its own machine.
func (s *server) behind(p ProxyProtocol, trusted string) {
	s.Server.opts.ProxyProtocol = p
	s.Server.proxies = prefixes([]string{trusted})
}

// remotes returns the addresses of all connections that have shaken hands.
func (s *server) remotes() (all []string) {
	s.door.mu.Lock()
	defer s.door.mu.Unlock()
	for e := s.door.waiting.Front(); e != nil; e = e.Next() {
		if p := e.Value.(*place); p.socket != nil {
			all = append(all, p.socket.remote.String())
		}
	}
	return all
}

func TestProxyHeader(t *testing.T) {
	pair, _, _ := loadPair(t)
	const line = "PROXY TCP4 203.0.113.9 10.0.0.1 4711 80\r\n"
	for name, test := range map[string]struct {
		protocol ProxyProtocol
		trusted  string
		header   string
		want     string // the address; empty: the connection's own
		refused  refusals.Cause
		bad      bool
	}{
		"version 1":             {RequiredProxyHeader, "127.0.0.0/8", line, "203.0.113.9:4711", 0, false},
		"version 2":             {OptionalProxyHeader, "127.0.0.0/8", string(version2(1, 0x11, ends("203.0.113.9:4711", "10.0.0.1:80"))), "203.0.113.9:4711", 0, false},
		"a health check":        {RequiredProxyHeader, "127.0.0.0/8", string(version2(0, 0, nil)), "", 0, false},
		"none, optional":        {OptionalProxyHeader, "127.0.0.0/8", "", "", 0, false},
		"none, required":        {RequiredProxyHeader, "127.0.0.0/8", "", "", refusals.ProxyHeader, true},
		"none, of another peer": {RequiredProxyHeader, "192.0.2.1", "", "", 0, false},
		"of another peer":       {RequiredProxyHeader, "192.0.2.1", line, "", refusals.Handshake, true},
		"off":                   {NoProxyHeader, "127.0.0.0/8", line, "", refusals.Handshake, true},
		"malformed":             {OptionalProxyHeader, "127.0.0.0/8", "PROXY nonsense\r\n", "", refusals.ProxyHeader, true},
	} {
		for wire, config := range map[string]*tls.Config{"plain": nil, "TLS": pair.Config()} {
			if config != nil && test.refused == refusals.Handshake {
				continue // TLS itself makes nothing of it
			}
			t.Run(name+", "+wire, func(t *testing.T) {
				s := listen(t, nil, config, nil)
				s.behind(test.protocol, test.trusted)
				s.begin()
				p := s.connect()
				own := p.LocalAddr().String()
				p.write([]byte(test.header))
				if test.bad {
					if config == nil {
						p.write([]byte(strings.ReplaceAll(upgrade, "%s", "x")))
					}
					if config != nil {
						_ = tls.Client(p.Conn, trusting).Handshake()
					}
					eventually(t, "it is refused", func() bool { return s.deps.Refusals().Count(test.refused) == 1 && s.Live() == 0 })
					return
				}
				if config != nil {
					p = newPeer(t, tls.Client(p.Conn, trusting))
				}
				p.shake()
				want := test.want
				if want == "" {
					want = own
				}
				if got := s.remotes(); len(got) != 1 || got[0] != want {
					t.Errorf("the connection comes from %q, want %s", got, want)
				}
				p.login("client")
			})
		}
	}
}

// A trusted proxy in front of another one: the header names the first proxy's peer, the request's lines its own.
func TestProxyHeaderAndForwardedFor(t *testing.T) {
	s := listen(t, nil, nil, nil)
	s.behind(RequiredProxyHeader, "127.0.0.0/8")
	s.Server.proxies = prefixes([]string{"127.0.0.0/8", "10.0.0.0/8"})
	s.begin()
	p := s.connect()
	p.write([]byte("PROXY TCP4 10.0.0.7 10.0.0.1 4711 80\r\n" + strings.Replace(strings.ReplaceAll(upgrade, "%s", "x"), "Upgrade:", "X-Forwarded-For: 203.0.113.9\r\nUpgrade:", 1)))
	eventually(t, "it has shaken hands", func() bool { return len(s.remotes()) == 1 })
	if got := s.remotes()[0]; got != "203.0.113.9" {
		t.Errorf("the connection comes from %s, want 203.0.113.9", got)
	}
}

// A proxy that does not end its header is not waited for longer than limits.header_timeout says.
func TestProxyHeaderInTime(t *testing.T) {
	for name, sent := range map[string]string{"nothing": "", "a part of a line": "PROXY TCP4 1", "a part of version 2": proxySignature + "\x21\x11\x00\x0c\x01"} {
		t.Run(name, func(t *testing.T) {
			s := listen(t, nil, nil, func(l *Limits) { l.HeaderTimeout = 50 * time.Millisecond })
			s.behind(RequiredProxyHeader, "127.0.0.0/8")
			s.begin()
			conn, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte(sent)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is refused", func() bool { return s.deps.Refusals().Count(refusals.HeaderTimeout) == 1 && s.Live() == 0 })
		})
	}
}
