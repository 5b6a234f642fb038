package transport

import (
	"net/http"
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
		{name: "no URL", origin: "http://[", host: "pbx.example"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{Host: tt.host, Header: http.Header{}}
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if got := originAllowed(r, tt.allowed); got != tt.want {
				t.Errorf("originAllowed = %t, want %t", got, tt.want)
			}
		})
	}
}
