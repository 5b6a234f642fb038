package transport

import (
	"testing"
)

func TestOriginAllowed(t *testing.T) {
	tests := []struct {
		name, origin, host string
		allowed            []string
		want               bool
	}{
		{name: "none", host: "pbx.example", want: true},
		{name: "same host", origin: "https://pbx.example", host: "pbx.example", want: true},
		{name: "same host, other port", origin: "https://pbx.example:8443", host: "pbx.example:8080", want: true},
		{name: "same host, other case", origin: "https://PBX.Example", host: "pbx.example", want: true},
		{name: "PHP service", origin: "ws://127.0.0.1", host: "127.0.0.1:8080", want: true},
		{name: "IPv6", origin: "http://[::1]:80", host: "[::1]:8080", want: true},
		{name: "IPv6 without port", origin: "http://[::1]", host: "[::1]", want: true},
		{name: "other IPv6", origin: "http://[::2]", host: "[::1]"},
		{name: "foreign", origin: "https://evil.example", host: "pbx.example"},
		{name: "foreign below ours", origin: "https://pbx.example.evil.example", host: "pbx.example"},
		{name: "ours as user", origin: "https://pbx.example@evil.example", host: "pbx.example"},
		{name: "listed host", origin: "https://other.example:1", host: "pbx.example", allowed: []string{"x", "other.example"}, want: true},
		{name: "listed host, other case", origin: "https://Other.example", host: "pbx.example", allowed: []string{"oTHER.example"}, want: true},
		{name: "listed origin", origin: "https://other.example:1", host: "pbx.example", allowed: []string{"https://other.example:1"}, want: true},
		{name: "listed origin, other port", origin: "https://other.example:2", host: "pbx.example", allowed: []string{"https://other.example:1"}},
		{name: "listed origin, other scheme", origin: "http://other.example", host: "pbx.example", allowed: []string{"https://other.example"}},
		{name: "all", origin: "https://evil.example", host: "pbx.example", allowed: []string{"*"}, want: true},
		{name: "null", origin: "null", host: "pbx.example"},
		{name: "null, no host", origin: "null", host: ""},
		{name: "null listed", origin: "null", host: "pbx.example", allowed: []string{"null"}, want: true},
		{name: "empty entry", origin: "null", host: "pbx.example", allowed: []string{""}},
		{name: "dot at the end", origin: "https://pbx.example.com.", host: "pbx.example.com", want: true},
		{name: "dot at the end and a port", origin: "https://pbx.example.com.:8443", host: "pbx.example.com", want: true},
		{name: "dot at the end of the host", origin: "https://pbx.example.com", host: "pbx.example.com.:443", want: true},
		{name: "two dots at the end", origin: "https://pbx.example.com..", host: "pbx.example.com"},
		{name: "foreign with a dot", origin: "https://evil.example.", host: "pbx.example"},
		{name: "only a dot", origin: "https://.", host: "."},
		{name: "behind a proxy", origin: "https://pbx.example.com", host: "127.0.0.1:8080"},
		{name: "IPv6 spelled out", origin: "http://[0:0:0:0:0:0:0:1]", host: "[::1]:8080", want: true},
		{name: "IPv6 in capitals", origin: "http://[2001:DB8::A]", host: "[2001:db8::a]", want: true},
		{name: "IDNA", origin: "https://XN--BCHER-KVA.example", host: "xn--bcher-kva.example", want: true},
		{name: "evil as user", origin: "https://evil.example@pbx.example", host: "pbx.example"},
		{name: "two origins", origin: "https://pbx.example https://evil.example", host: "pbx.example"},
		{name: "listed host with a dot", origin: "https://other.example", host: "x", allowed: []string{"other.example."}, want: true},
		{name: "listed host, origin with a dot", origin: "https://other.example.", host: "x", allowed: []string{"other.example"}, want: true},
		{name: "listed origin with a dot", origin: "https://other.example.", host: "x", allowed: []string{"https://other.example"}, want: true},
		{name: "listed origin, default port", origin: "https://other.example", host: "x", allowed: []string{"https://Other.example:443"}, want: true},
		{name: "listed origin, default port sent", origin: "http://other.example:80", host: "x", allowed: []string{"http://other.example"}, want: true},
		{name: "listed origin, the other default port", origin: "http://other.example:443", host: "x", allowed: []string{"http://other.example"}},
		{name: "listed IPv6", origin: "http://[::1]:99", host: "x", allowed: []string{"0:0::1"}, want: true},
		{name: "listed origin with IPv6", origin: "http://[::1]:99", host: "x", allowed: []string{"http://[0::1]:99"}, want: true},
		{name: "file", origin: "file://", host: "x"},
		{name: "file listed", origin: "file://", host: "x", allowed: []string{"file://"}, want: true},
		{name: "file with a path listed", origin: "file:///", host: "x", allowed: []string{"file://"}, want: true},
		{name: "file, null listed", origin: "file://", host: "x", allowed: []string{"null"}},
		{name: "application listed", origin: "capacitor://localhost", host: "x", allowed: []string{"capacitor://localhost"}, want: true},
		{name: "no URL", origin: "http://[", host: "pbx.example"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := OriginAllowed(tt.origin, tt.host, tt.allowed); got != tt.want {
				t.Errorf("OriginAllowed = %t, want %t", got, tt.want)
			}
		})
	}
}
