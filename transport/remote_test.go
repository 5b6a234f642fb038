package transport

import (
	"net"
	"net/netip"
	"testing"
)

func TestRemoteOf(t *testing.T) {
	const own = "127.0.0.1:4711"
	tests := []struct {
		name      string
		peer      string
		forwarded []string // X-Forwarded-For
		standard  []string // Forwarded
		untrusted bool     // nobody is believed
		want      string
	}{
		{name: "no header", want: own},
		{name: "client", forwarded: []string{"203.0.113.9"}, want: "203.0.113.9"},
		{name: "client, nobody is believed", forwarded: []string{"203.0.113.9"}, untrusted: true, want: own},
		{name: "peer that is no proxy", peer: "198.51.100.1:5", forwarded: []string{"203.0.113.9"}, want: "198.51.100.1:5"},
		{name: "spoofed on the left", forwarded: []string{"127.0.0.1, 8.8.8.8, 203.0.113.9"}, want: "203.0.113.9"},
		{name: "spoofed in a line of its own", forwarded: []string{"8.8.8.8", "203.0.113.9"}, want: "203.0.113.9"},
		{name: "two proxies", forwarded: []string{"8.8.8.8, 203.0.113.9, 10.1.2.3"}, want: "203.0.113.9"},
		{name: "only proxies", forwarded: []string{"10.0.0.1, 10.0.0.2"}, want: "10.0.0.1"},
		{name: "with a port", forwarded: []string{"203.0.113.9:80"}, want: "203.0.113.9"},
		{name: "IPv6", forwarded: []string{"2001:db8::1"}, want: "2001:db8::1"},
		{name: "IPv6 with a port", forwarded: []string{"[2001:db8::1]:80"}, want: "2001:db8::1"},
		{name: "mapped proxy", peer: "[::ffff:127.0.0.1]:5", forwarded: []string{"::ffff:203.0.113.9"}, want: "203.0.113.9"},
		{name: "no address", forwarded: []string{"unknown"}, want: own},
		{name: "no address on the right", forwarded: []string{"8.8.8.8, evil\x1b[2J"}, want: own},
		{name: "no address behind a proxy", forwarded: []string{"8.8.8.8, nonsense, 10.1.2.3"}, want: "10.1.2.3"},
		{name: "empty", forwarded: []string{""}, want: own},
		{name: "Forwarded", standard: []string{`for=203.0.113.9;proto=https`}, want: "203.0.113.9"},
		{name: "Forwarded with IPv6", standard: []string{`by=x;For="[2001:db8::1]:80"`}, want: "2001:db8::1"},
		{name: "Forwarded, spoofed on the left", standard: []string{"for=8.8.8.8", "for=203.0.113.9, for=10.1.2.3"}, want: "203.0.113.9"},
		{name: "Forwarded without for", standard: []string{"for=8.8.8.8, proto=http"}, want: own},
		{name: "both agree", forwarded: []string{"203.0.113.9"}, standard: []string{"for=203.0.113.9"}, want: "203.0.113.9"},
		{name: "both disagree", forwarded: []string{"203.0.113.9"}, standard: []string{"for=8.8.8.8"}, want: own},
	}
	trusted := prefixes([]string{"127.0.0.1", "10.0.0.0/8"})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.peer == "" {
				tt.peer = own
			}
			peer := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(tt.peer))
			proxies := trusted
			if tt.untrusted {
				proxies = nil
			}
			if got := remoteOf(peer.String(), tt.forwarded, tt.standard, proxies); got != tt.want {
				t.Errorf("remote is %q, want %q", got, tt.want)
			}
		})
	}
}
