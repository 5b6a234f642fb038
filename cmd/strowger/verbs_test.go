package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/config"
	"strowger/system/token"
)

// succeed runs a command line that must end with status 0 and no word on stderr.
func succeed(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	var out, stderr bytes.Buffer
	if status := run(args, strings.NewReader(""), &out, &stderr, nil); status != 0 || stderr.Len() > 0 {
		t.Fatalf("%s: exit status %d, stderr %s", args, status, &stderr)
	}
	return out.String()
}

func TestConfigDefaultsAreGood(t *testing.T) {
	file := filepath.Join(t.TempDir(), "strowger.yaml")
	if err := os.WriteFile(file, []byte(succeed(t, "config", "defaults")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := succeed(t, "config", "check", file), file+": ok\n"; got != want {
		t.Errorf("check says %q, want %q", got, want)
	}
	cfg, err := config.Load(config.Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	if changes := config.Diff(config.Default(), cfg); len(changes) > 0 {
		t.Errorf("the file differs from the defaults: %v", changes)
	}
}

// created is what token create prints.
type created struct{ Name, Hash, File string }

// createToken makes a token in dir.
func createToken(t *testing.T, dir string, args ...string) created {
	t.Helper()
	var c created
	out := succeed(t, append([]string{"token", "create", "--dir", dir}, args...)...)
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	return c
}

func TestTokenCreate(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		ext  string
		want token.Token
	}{
		"user": {
			[]string{"--user", "alice", "--permission", "p2", "--permission", "p1", "--subscribe", "s1", "--subscribe", "s2",
				"--extension", "1001@a.example", "--domain-name", "a.example", "--domain-uuid", "u", "--limit", "30m", "--claim-within", "1m"},
			".json",
			token.Token{Kind: token.User, UserName: "alice", Permissions: []string{"p1", "p2"}, Services: []string{"s1", "s2"},
				Extensions: []string{"1001@a.example"}, DomainName: "a.example", DomainUUID: "u", Limit: 30 * time.Minute, ClaimWithin: time.Minute},
		},
		"service as FusionPBX writes it": {
			[]string{"--service", "weather", "--class", "weather_service", "--format", "php"},
			".php",
			token.Token{Kind: token.Service, ServiceName: "weather", ServiceClass: "weather_service"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c := createToken(t, dir, test.args...)
			if c.File != filepath.Join(dir, c.Name+test.ext) {
				t.Errorf("file is %s", c.File)
			}
			store, err := token.Open(token.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			got, err := store.Claim(c.Name, c.Hash)
			if err != nil {
				t.Fatal(err)
			}
			want := test.want
			same := got.Kind == want.Kind && got.UserName == want.UserName && got.Limit == want.Limit && got.ClaimWithin == want.ClaimWithin &&
				got.DomainName == want.DomainName && got.DomainUUID == want.DomainUUID &&
				got.ServiceName == want.ServiceName && got.ServiceClass == want.ServiceClass &&
				slices.Equal(got.Permissions, want.Permissions) && slices.Equal(got.Services, want.Services) &&
				slices.Equal(got.Extensions, want.Extensions)
			if !same {
				t.Errorf("token is\n%+v, want\n%+v", *got, want)
			}
		})
	}
}

// No token is good for ever without a word.
func TestTokenCreateSaysHowLong(t *testing.T) {
	for name, test := range map[string]struct {
		flags              []string
		claimWithin, limit string
	}{
		"for ever":            {nil, "for ever", "for ever"},
		"PHP":                 {[]string{"--format", "php"}, "for ever", "for ever"},
		"limit":               {[]string{"--limit", "30m"}, "30m0s", "30m0s"},
		"claim within":        {[]string{"--claim-within", "1m"}, "1m0s", "for ever"},
		"both":                {[]string{"--claim-within", "1m", "--limit", "30m"}, "1m0s", "30m0s"},
		"both, limit earlier": {[]string{"--claim-within", "1h", "--limit", "30m"}, "30m0s", "30m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"token", "create", "--token-dir", t.TempDir(), "--user", "alice"}, test.flags...)
			var said struct {
				ClaimWithin string `json:"claim_within"`
				Limit       string `json:"limit"`
			}
			if err := json.Unmarshal([]byte(succeed(t, args...)), &said); err != nil {
				t.Fatal(err)
			}
			if said.ClaimWithin != test.claimWithin || said.Limit != test.limit {
				t.Errorf("got %+v, want %s and %s", said, test.claimWithin, test.limit)
			}
		})
	}
}
