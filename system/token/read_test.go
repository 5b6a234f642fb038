package token

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestReadLeavesTheFile(t *testing.T) {
	for _, format := range []Format{PHP, JSON} {
		t.Run(format.String(), func(t *testing.T) {
			dir := t.TempDir()
			made, path, err := Create(dir, Spec{Kind: User, UserName: "a", DomainName: "a.x", Permissions: []string{"p"}}, format)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got, err := Read(path, Options{})
				if err != nil {
					t.Fatal(err)
				}
				if got.Name != made.Name || got.DomainName != "a.x" || !reflect.DeepEqual(got.Permissions, []string{"p"}) {
					t.Errorf("got %v", got)
				}
			}
			store, err := Open(Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.Claim(made.Name, made.Hash); err != nil {
				t.Errorf("the token was used up: %v", err)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.Mkdir(filepath.Join(dir, "d.php"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		write("a.txt", "{}"):                                    "must end in .php or .json",
		write("noend", "{}"):                                    "must end in .php or .json",
		filepath.Join(dir, "x.php"):                             "no such file",
		filepath.Join(dir, "d.php"):                             "no regular file",
		write("b.json", "{"):                                    "b.json: ",
		write("c.json", strings.Repeat(" ", defaultMaxBytes+1)): "larger than",
	} {
		if _, err := Read(path, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	_, path, err := Create(dir, Spec{Services: []string{"a", "b", "c"}, Permissions: []string{"a", "b", "c"}, Extensions: []string{"a@x", "b@x", "c@x"}}, PHP)
	if err != nil {
		t.Fatal(err)
	}
	for want, opts := range map[string]Options{
		"a bound is negative":             {MaxServices: -1},
		"larger than 10 bytes":            {MaxBytes: 10},
		"tokens.max_depth allows 1":       {MaxDepth: 1},
		"tokens.max_services allows 2":    {MaxServices: 2},
		"tokens.max_permissions allows 2": {MaxPermissions: 2},
		"tokens.max_extensions allows 2":  {MaxExtensions: 2},
	} {
		if _, err := Read(path, opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", opts, err, want)
		}
	}
}
