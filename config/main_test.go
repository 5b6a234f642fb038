package config

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// update makes the tests write what they would otherwise compare with.
var update = flag.Bool("update", false, "rewrite docs/configuration.md, schema.json and testdata/config/*.txt")

const testdata = "../testdata/config"

// loadYAML loads a file that is never on disk under the name test.yaml.
func loadYAML(text string) (*Config, error) {
	l := newLoader()
	l.readYAML("test.yaml", []byte(text))
	return l.config()
}

// mustLoadYAML loads a file that has to be right.
func mustLoadYAML(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := loadYAML(text)
	if err != nil {
		t.Fatalf("load: %v\n%s", err, text)
	}
	return cfg
}

// writeFile puts a file into a directory of the test's own.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantError fails unless err is exactly the lines.
func wantError(t *testing.T, err error, lines ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want:\n%s", strings.Join(lines, "\n"))
	}
	if got, want := err.Error(), strings.Join(lines, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// wantEqual fails unless two configurations are the same, secrets included.
func wantEqual(t *testing.T, got, want *Config) {
	t.Helper()
	values := *got
	values.adminDefault, values.origins = want.adminDefault, want.origins // tell sources apart, not values
	if reflect.DeepEqual(&values, want) {
		return
	}
	t.Errorf("configurations differ: %+v\ngot:  %+v\nwant: %+v", Diff(want, got), got, want)
}
