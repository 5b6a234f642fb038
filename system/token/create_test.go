package token

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCreateMakesWhatClaimReads(t *testing.T) {
	specs := map[string]Spec{
		"empty": {},
		"user": {
			IssuedAt: issued.Add(time.Millisecond), Limit: 30 * time.Minute,
			Services: []string{"b", "a", "b"}, Permissions: []string{"z", "5", "a", "z", "it's \\"},
			DomainName: "a.example.com", DomainUUID: "u-1", UserUUID: "u-2", UserName: "Zo\u00eb\n\x00<>&",
			Extensions: []string{"1001@a.example.com", "1002@b@c", "1001@a.example.com"},
		},
		"service":            {Kind: Service, ServiceName: "weather", ServiceClass: "weather_service", IssuedAt: issued},
		"subscribed service": {ServiceName: "weather", Services: []string{"a"}, Permissions: []string{"p"}, DomainName: "d", IssuedAt: issued},
	}
	for name, spec := range specs {
		for _, format := range []Format{PHP, JSON} {
			t.Run(name+" "+format.String(), func(t *testing.T) {
				dir := t.TempDir()
				made, path, err := Create(dir, spec, format)
				if err != nil {
					t.Fatal(err)
				}
				if path != filepath.Join(dir, made.Name+format.extension()) {
					t.Errorf("path is %s", path)
				}
				info, err := os.Stat(path)
				if err != nil || info.Mode() != 0o600 {
					t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
				}
				claimed, err := openStore(t, Options{Dir: dir}).Claim(made.Name, made.Hash)
				if err != nil {
					t.Fatal(err)
				}
				if !claimed.IssuedAt.Equal(made.IssuedAt) {
					t.Errorf("issued at %s, made at %s", claimed.IssuedAt, made.IssuedAt)
				}
				claimed.IssuedAt = made.IssuedAt
				if !reflect.DeepEqual(claimed, made) {
					t.Errorf("claimed %+v\nmade    %+v", *claimed, *made)
				}
				if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
					t.Errorf("%d files left, %v", len(left), err)
				}
			})
		}
	}
}

func TestCreateNeverRepeats(t *testing.T) {
	dir := t.TempDir()
	seen := make(map[string]bool)
	for range 50 {
		token, _, err := Create(dir, Spec{Mode: 0o644}, PHP)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{token.Name, token.Hash} {
			if seen[text] || len(text) != 64 || strings.Trim(text, "0123456789abcdef") != "" {
				t.Errorf("name or hash %s", text)
			}
			seen[text] = true
		}
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.php"))
	if err != nil || len(paths) != 50 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	if info, err := os.Stat(paths[0]); err != nil || info.Mode() != 0o644 {
		t.Errorf("mode %v, %v, want the one asked for", info.Mode(), err)
	}
}

func TestCreateRefuses(t *testing.T) {
	tests := []struct {
		name   string
		spec   Spec
		format Format
		want   string
	}{
		{"unknown format", Spec{}, 0, "unknown format format(0)"},
		{"unknown kind", Spec{Kind: 9}, PHP, "unknown kind kind(9)"},
		{"service without a name", Spec{Kind: Service}, PHP, "a service token wants a service name"},
		{"user with a class", Spec{ServiceClass: "c"}, PHP, "a user token has no service name or class"},
		{"user with a service name", Spec{Kind: User, ServiceName: "s"}, JSON, "a user token has no service name or class"},
		{"service with a user", Spec{ServiceName: "s", UserName: "alice"}, JSON, "a service token has no user or extensions"},
		{"negative limit", Spec{Limit: -1}, JSON, "limit is negative"},
		{"negative time to claim", Spec{ClaimWithin: -1}, JSON, "claim within is negative"},
		{"time to claim in PHP", Spec{ClaimWithin: time.Minute}, PHP, "claim within: the PHP format cannot say it"},
		{"seconds in PHP", Spec{Limit: 90 * time.Second}, PHP, "limit is not in whole minutes, as the PHP format wants it"},
		{"writable by its group", Spec{Mode: 0o660}, PHP, "mode 0660: want one the owner can read and nobody else can write"},
		{"writable by others", Spec{Mode: 0o602}, PHP, "mode 0602: want one the owner can read and nobody else can write"},
		{"not readable", Spec{Mode: 0o200}, PHP, "mode 0200: want one the owner can read and nobody else can write"},
		{"before 1970", Spec{IssuedAt: time.Unix(-1, 0)}, PHP, "issued at: want a time from 1970 to 9999"},
		{"after 9999", Spec{IssuedAt: time.Unix(maxUnix+1, 0)}, JSON, "issued at: want a time from 1970 to 9999"},
		{"extension without context", Spec{Extensions: []string{"1001"}}, PHP, `extension "1001": want user@context`},
		{"extension without user", Spec{Extensions: []string{"@a"}}, PHP, `extension "@a": want user@context`},
		{"empty extension", Spec{Extensions: []string{""}}, PHP, `extension "": want user@context`},
		{"not UTF-8", Spec{DomainName: "\xff"}, JSON, `"\xff": not valid UTF-8`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			token, path, err := Create(dir, test.spec, test.format)
			if err == nil || err.Error() != "create token: "+test.want {
				t.Errorf("got %v, %s, %v\nwant %s", token, path, err, test.want)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("%d files left, %v", len(left), err)
			}
		})
	}
	if _, _, err := Create(filepath.Join(t.TempDir(), "none"), Spec{}, PHP); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: got %v", err)
	}
}

// TestCreateLeavesNoTemporaryFile makes the last step fail.
func TestCreateLeavesNoTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.Mkdir(target, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeWhole(target, []byte("x"), 0o600); err == nil {
		t.Error("a directory was replaced")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%d entries left, %v, want the target alone", len(left), err)
	}
}
