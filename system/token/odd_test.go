package token

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"strowger/system/token/internal/php"
)

// siteToken returns a PHP token with n extensions, each with the columns that a session's row has.
func siteToken(n int) []byte {
	rows := &php.Array{}
	for i := range n {
		row := &php.Array{}
		row.Set("domain_uuid", "11111111-1111-4111-8111-111111111111")
		row.Set("extension_uuid", fmt.Sprintf("9a2b3c4d-0000-4000-8000-%012d", i))
		row.Set("user", fmt.Sprint(100000+i))
		row.Set("number_alias", "")
		row.Set("destination", fmt.Sprint(100000+i))
		row.Set("outbound_caller_id_name", "The Company of the Example")
		row.Set("outbound_caller_id_number", "0123456789")
		row.Set("user_context", "one.example")
		row.Set("description", "A phone on a desk")
		rows.Append(php.IntKey(int64(i)), row)
	}
	t := &Token{Kind: User, Name: testName, Hash: testHash, IssuedAt: issued, Services: []string{"active.calls"}}
	root := phpUserFile(t)
	root.At("user").(*php.Array).Set("extension", rows)
	return php.Print(root)
}

func TestALargeSiteFitsTheDefaults(t *testing.T) {
	data := siteToken(10_000)
	dir := t.TempDir()
	putFile(t, dir, testName+".php", data)
	token, err := openStore(t, Options{Dir: dir}).Claim(testName, testHash)
	if err != nil {
		t.Fatalf("%d bytes: %v", len(data), err)
	}
	if len(token.Extensions) != 10_000 || len(token.Odd) > 0 {
		t.Errorf("got %d extensions, odd %q", len(token.Extensions), token.Odd)
	}
}

func TestTooLargeNamesTheSetting(t *testing.T) {
	data := siteToken(100)
	want := fmt.Sprintf("the file has %d bytes, tokens.max_bytes allows 4096", len(data))
	dir := t.TempDir()
	path := putFile(t, dir, testName+".php", data)
	_, err := openStore(t, Options{Dir: dir, MaxBytes: 4096}).Claim(testName, testHash)
	if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if !exists(t, path) {
		t.Error("the file was deleted")
	}
}

// TestOddFieldsAreLogged wants a warning that names the field and no value, once a minute for each kind.
func TestOddFieldsAreLogged(t *testing.T) {
	var out bytes.Buffer
	now := issued
	dir := t.TempDir()
	s := openStore(t, Options{Dir: dir, Log: slog.New(slog.NewTextHandler(&out, nil)), Now: func() time.Time { return now }})
	claim := func(body string) string {
		t.Helper()
		out.Reset()
		putFile(t, dir, testName+".json", fmt.Appendf(nil, `{"name":%q,"hash":%q,"issued_at":"2026-01-31T09:00:00Z",%s}`, testName, testHash, body))
		if _, err := s.Claim(testName, testHash); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	const secret = "sesame"
	first := claim(`"services":"sesame","user":{"name":"alice","extensions":[1,2,3,["sesame"]]}`)
	for _, want := range []string{"level=WARN", "services: want an array, got a string", "user.extensions.0: integer read as text", "user.extensions.3: want a string, got an array"} {
		if !strings.Contains(first, want) {
			t.Errorf("the log does not say %q: %s", want, first)
		}
	}
	for _, hidden := range []string{secret, "extensions.1:", testHash, testName} {
		if strings.Contains(first, hidden) {
			t.Errorf("the log says %q: %s", hidden, first)
		}
	}
	if again := claim(`"services":"x"`); again != "" {
		t.Errorf("logged again: %s", again)
	}
	if other := claim(`"services":"x","permissions":true`); !strings.Contains(other, "permissions: want an array, got a boolean") {
		t.Errorf("another field: %s", other)
	}
	if got := s.OddTokens(); got != 3 {
		t.Errorf("%d odd tokens counted, want 3", got)
	}
	if claim(`"services":["x"]`); s.OddTokens() != 3 {
		t.Error("a token without an odd field is counted")
	}
	now = now.Add(oddInterval)
	if later := claim(`"services":"x"`); !strings.Contains(later, "services:") {
		t.Errorf("a minute later: %q", later)
	}
}
