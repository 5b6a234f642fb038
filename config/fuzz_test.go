package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// seedFiles adds the files of testdata that match to the seeds.
func seedFiles(f *testing.F, pattern string) {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join(testdata, pattern))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no files for %s, error %v", pattern, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// wantOnlyErrors fails unless err is a list of *Error, each from the source.
func wantOnlyErrors(t *testing.T, err error, source string) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("error is a %T: %v", err, err)
	}
	for _, one := range joined.Unwrap() {
		var problem *Error
		if !errors.As(one, &problem) || problem.Source != source || problem.Line < 1 || problem.Msg == "" {
			t.Errorf("error is %#v", one)
		}
	}
}

func FuzzLoadFile(f *testing.F) {
	seedFiles(f, "*.yaml")
	for _, seed := range []string{
		every, "policies: {a.b: {keys: [\"\\u0007\"]}}", "policies: {a: {scopes: [{to: all}, x], absent: {pass: maybe}}}",
		"", "---\n", "limits: {depth: 9}", "limits: {depth: 9, depth: 9}", "a: &a [*a]", "? [a]\n: b", "- a", "log: *l", "\xff\x00",
		"a: &a [x, x]\nb: &b [*a, *a]\nlimits: *b", "<<: {log: {level: warn}}", "limits:\n  header_timeout: 3\n", "[[[[[[[[", "\ufeff{}",
		"listen: {origins: [\"\\u200b\", '*', h], tls_key: \"\\\\ \\\"\", tls_certificate: '~'}", "keepalive: {idle_timeout: 100000000ns}",
		"tokens: {owners: [33, a], directory: /a b}", "%YAML 1.1\n--- !!map\nlog: !x {}\n...\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLoader()
		l.readYAML("fuzz.yaml", data)
		cfg, err := l.config()
		if err != nil {
			wantOnlyErrors(t, err, "fuzz.yaml")
			return
		}
		if err := cfg.Validate(); err != nil {
			t.Fatalf("loaded and not valid: %v", err)
		}
		wantEqual(t, mustLoadYAML(t, written(t, cfg)), cfg)
	})
}

func FuzzFusionPBX(f *testing.F) {
	seedFiles(f, "*.conf")
	for _, test := range iniTexts {
		f.Add([]byte(test.text))
	}
	for _, seed := range []string{
		"websocket.host = ::1\nwebsocket.port = 1", "websocket.host = \"a\\\"b\"", "database.0.password = 'x\ny'", "[a\n", "a = \"", "= 1",
		"event_socket.port = 65536", "document.root = ${x}", "websocket.port = 1 ; x", "\ufeff[x];\r\rwebsocket.port=2\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLoader()
		l.readINI("config.conf", data)
		cfg, err := l.config()
		if err != nil {
			wantOnlyErrors(t, err, "config.conf")
			return
		}
		if err := cfg.Validate(); err != nil {
			t.Fatalf("loaded and not valid: %v", err)
		}
		want := Default()
		want.FusionPBX, want.Warnings, want.origins = cfg.FusionPBX, cfg.Warnings, cfg.origins
		want.Listen.Address = cfg.Listen.Address
		if !reflect.DeepEqual(cfg, want) {
			t.Errorf("changed %v", Diff(want, cfg))
		}
	})
}
