package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackagesInPage(t *testing.T) {
	for name, test := range map[string]struct {
		lock  string
		kept  []string
		want  string // the packages, or a part of the error
		fails bool
	}{
		"two, and one that builds": {
			`{"packages":{"":{},"node_modules/b":{"version":"2"},"node_modules/@x/a":{"version":"1"},"node_modules/c":{"version":"3","dev":true}}}`,
			[]string{"b", "@x/a"}, "npm @x/a 1, npm b 2", false,
		},
		"one inside another": {`{"packages":{"node_modules/a/node_modules/b":{"version":"1"}}}`, []string{"b"}, "npm b 1", false},
		"no licence":         {`{"packages":{"node_modules/b":{"version":"2"}}}`, nil, "b is in the console's page: copy its licence to", true},
		"nothing":            {`{"packages":{"":{}}}`, nil, "is the reading wrong", true},
		"no JSON":            {`{`, nil, "package-lock.json", true},
		"what is no package": {`{"packages":{"elsewhere":{}}}`, nil, `"elsewhere" is no package`, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "package-lock.json"), []byte(test.lock), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, kept := range test.kept {
				if err := os.MkdirAll(filepath.Join(dir, "licences", filepath.FromSlash(kept)), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			found, err := inPage(dir)
			if (err != nil) != test.fails {
				t.Fatalf("error %v", err)
			}
			var texts []string
			for _, m := range found {
				texts = append(texts, fmt.Sprint(m.path, " ", m.version))
			}
			got := strings.Join(texts, ", ")
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	if _, err := inPage(filepath.Join(t.TempDir(), "gone")); err == nil {
		t.Error("a page that is not there has packages")
	}
}

// TestOwnPage reads the licences of the page that is released.
func TestOwnPage(t *testing.T) {
	packages, err := inPage(filepath.Join("..", "..", filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range packages {
		if found, err := m.licences(); err != nil || names(found) != "MIT" {
			t.Errorf("%s: %v, %v", m.path, names(found), err)
		}
	}
}
