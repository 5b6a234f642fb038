package token

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestExpiry(t *testing.T) {
	forEver := &Token{IssuedAt: issued}
	if !forEver.ExpiresAt().IsZero() || forEver.Expired(issued.AddDate(1000, 0, 0)) {
		t.Error("a token without limit expires")
	}
	limited := &Token{IssuedAt: issued, Limit: time.Minute}
	if got := limited.ExpiresAt(); !got.Equal(issued.Add(time.Minute)) {
		t.Errorf("expires at %s", got)
	}
	if limited.Expired(issued.Add(time.Minute-1)) || !limited.Expired(issued.Add(time.Minute)) {
		t.Error("the limit itself is the first moment a token is not good")
	}
}

// TestTokenHidesItsHash prints a token in every way it is likely to be printed.
func TestTokenHidesItsHash(t *testing.T) {
	tokens := []*Token{
		{Kind: User, Name: testName, Hash: testHash, UserName: "alice", DomainName: "a.example.com", Permissions: []string{"p"}},
		{Kind: Service, Name: testName, Hash: testHash, ServiceName: "weather", ServiceClass: "weather_service", Limit: time.Minute},
	}
	for _, token := range tokens {
		t.Run(token.Kind.String(), func(t *testing.T) {
			var out bytes.Buffer
			slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "token", token)
			slog.New(slog.NewTextHandler(&out, nil)).Info("text", "token", token)
			fmt.Fprintf(&out, "%v %+v %#v %s %q", token, token, token, token, token)
			shown := out.String()
			if strings.Contains(shown, testHash) || strings.Contains(shown, testName) {
				t.Errorf("shows too much:\n%s", shown)
			}
			if !strings.Contains(shown, testName[:8]+"...") || !strings.Contains(shown, token.UserName+token.ServiceName) {
				t.Errorf("shows too little:\n%s", shown)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		User.String(): "user", Service.String(): "service", Kind(0).String(): "kind(0)",
		PHP.String(): "php", JSON.String(): "json", Format(9).String(): "format(9)",
		shortName("short"): "short", shortName("123456789"): "12345678...",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, text := range []string{"", "PHP", "yaml"} {
		if format, err := ParseFormat(text); err == nil {
			t.Errorf("%q was taken for %s", text, format)
		}
	}
}
