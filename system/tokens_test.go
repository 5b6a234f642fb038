package system

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/actors"
	"strowger/system/token"
)

// tokenFile writes a token by the name of 64 characters and returns name and hash.
func tokenFile(t *testing.T, dir, body string) (name, hash string) {
	t.Helper()
	name, hash = strings.Repeat("a", 64), strings.Repeat("b", 64)
	text := fmt.Sprintf(`{"name":%q,"hash":%q,"issued_at":%q,%s}`, name, hash, time.Now().UTC().Format(time.RFC3339), body)
	if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name, hash
}

// Each list of a token has a setting that bounds it, which the refusal names; explain goes by them too.
func TestTokenBounds(t *testing.T) {
	cfg := testConfig(t)
	cfg.Tokens.Directory = t.TempDir()
	cfg.Tokens.MaxPermissions, cfg.Tokens.MaxServices, cfg.Tokens.MaxExtensions = 100, 16, 101
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := openTokens(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	list := func(n int) string { return "[" + strings.Repeat(`"x",`, n-1) + `"x"]` }
	admit := func(actors.Role) error { return nil }
	for name, test := range map[string]struct {
		body string
		most int
		want string
	}{
		"permissions": {`"permissions":%s`, 100, "permissions: 101 entries, tokens.max_permissions allows 100"},
		"services":    {`"services":%s`, 16, "services: 17 entries, tokens.max_services allows 16"},
		"extensions":  {`"user":{"extensions":%s}`, 101, "user.extensions: 102 entries, tokens.max_extensions allows 101"},
	} {
		t.Run(name, func(t *testing.T) {
			tokenName, hash := tokenFile(t, cfg.Tokens.Directory, fmt.Sprintf(test.body, list(test.most+1)))
			if _, err := s.Claim(tokenName, hash, admit); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("claimed: %v, want %s", err, test.want)
			}
			path := filepath.Join(cfg.Tokens.Directory, tokenName+".json")
			if _, err := token.Read(path, TokenBounds(cfg)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("read: %v, want %s", err, test.want)
			}
			if _, err := token.Read(path, TokenBounds(nil)); err != nil {
				t.Errorf("read by the defaults: %v", err)
			}
			tokenFile(t, cfg.Tokens.Directory, fmt.Sprintf(test.body, list(test.most)))
			if _, err := s.Claim(tokenName, hash, admit); err != nil {
				t.Errorf("at the bound: %v", err)
			}
		})
	}
}

// A token with a field of the wrong type is counted.
func TestOddTokensAreCounted(t *testing.T) {
	cfg := testConfig(t)
	cfg.Tokens.Directory = t.TempDir()
	s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	name, hash := tokenFile(t, cfg.Tokens.Directory, `"permissions":7`)
	if _, err := s.tokens.Claim(name, hash, func(actors.Role) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if got := s.source().Metrics().OddTokens; got != 1 {
		t.Errorf("%d odd tokens, want 1", got)
	}
}

// TestUnknownClassIsNamed has the token of a service whose class is not known make its holder a client.
func TestUnknownClassIsNamed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Services.UnknownClass = "client"
	s, j := startJournal(t, cfg)
	join(t, s, remote("texts", "texts_service"))
	if line := j.await(t, "unknown_class"); line["class"] != "texts_service" || line["service"] != "texts" || line["setting"] == nil {
		t.Errorf("the log says %v", line)
	}
}
