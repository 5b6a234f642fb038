package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/system/apikey"
	"strowger/system/jwt"
)

// printed runs a verb and returns what it prints.
func printed(t *testing.T, args ...string) map[string]string {
	t.Helper()
	r := begin(t, nil, args...)
	r.wait(0)
	got := map[string]string{}
	if err := json.Unmarshal([]byte(r.stdout.String()), &got); err != nil {
		t.Fatalf("%q: %v", r.stdout, err)
	}
	return got
}

func TestTokenJWT(t *testing.T) {
	key := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(key, []byte(strings.Repeat("s", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := printed(t, "token", "jwt", "--key", key, "--subject", "42", "--issuer", "https://a.example", "--audience", "pbx", "--user", "ada",
		"--permission", "b", "--permission", "a", "--subscribe", "weather", "--domain-name", "a.example.com", "--extension", "1@a", "--claim", `role={"x":["admin"]}`)
	v, err := jwt.New(jwt.Options{Keys: []string{"HS256 " + key}, MaxBytes: 4096, Issuers: []string{"https://a.example"}, Audiences: []string{"pbx"}, Waiting: 1,
		Bounds: jwt.Bounds{Permissions: 9, Services: 9, Extensions: 9},
		Claims: jwt.Claims{UserName: "preferred_username", Permissions: "permissions", Services: "role.x", DomainName: "domain_name", Extensions: "extensions"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	g, err := v.Verify(got["hash"])
	if err != nil || got["name"] != "jwt" {
		t.Fatalf("%v: %v", got, err)
	}
	if g.Subject != "42" || g.UserName != "ada" || strings.Join(g.Permissions, " ") != "a b" || strings.Join(g.Services, " ") != "admin" ||
		g.DomainName != "a.example.com" || got["expires_at"] != g.ExpiresAt.UTC().Format(time.RFC3339) {
		t.Errorf("%+v, %v", g, got)
	}
}

func TestTokenAPIKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	one := printed(t, "token", "apikey", "--file", file, "--service", "weather", "--class", "weather_service")
	two := printed(t, "token", "apikey", "--file", file, "--service", "weather", "--service", "news", "--limit", "1h", "--comment", "host-a")
	if one["name"] != "apikey" || one["expires_at"] != "never" || two["name"] != "apikey:weather" || two["file"] != file {
		t.Errorf("%v, %v", one, two)
	}
	s, err := apikey.Open(apikey.Options{File: file, MaxKeys: 10, Checks: 1, Verified: 1})
	if err != nil {
		t.Fatal(err)
	}
	if e, name, err := s.Verify(one["hash"], ""); err != nil || name != "weather" || e.Class != "weather_service" || e.ID != one["id"] {
		t.Errorf("%+v, %q, %v", e, name, err)
	}
	if e, name, err := s.Verify(two["hash"], "news"); err != nil || name != "news" || e.ExpiresAt.IsZero() {
		t.Errorf("%+v, %q, %v", e, name, err)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), one["hash"][25:]) || strings.Count(string(text), "\n") != 2 {
		t.Errorf("%s, %v", text, err)
	}
}
