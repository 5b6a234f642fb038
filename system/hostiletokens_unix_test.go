//go:build unix

package system

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"strowger/system/token"
)

// Whatever somebody has put into the directory of tokens, and whatever path a peer asks for, the answer is 401, no file
// is touched, and others are let in meanwhile.
func TestHostileTokens(t *testing.T) {
	cfg := testConfig(t)
	cfg.Tokens.MaxBytes = 1 << 20
	cfg.Limits.AuthenticationAttempts = 1000
	s := start(t, cfg)
	dir := cfg.Tokens.Directory
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Mkdir(outside, 0o700); err != nil {
		t.Fatal(err)
	}
	hash := strings.Repeat("h", 64)
	nameOf := func(kind string) string { return kind + strings.Repeat("-", 32-len(kind)) }
	// A good token that is not in the directory.
	made, path, err := token.Create(outside, token.Spec{Kind: token.User}, token.PHP)
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// in is a good token under that name, which each kind then spoils.
	in := func(kind string) (file string) {
		file = filepath.Join(dir, nameOf(kind)+".php")
		must(os.WriteFile(file, bytes.ReplaceAll(bytes.ReplaceAll(good, []byte(made.Name), []byte(nameOf(kind))), []byte(made.Hash), []byte(hash)), 0o600))
		return file
	}
	planted := map[string]func(kind string) string{
		"symlink": func(kind string) string {
			file := in(kind)
			elsewhere := filepath.Join(outside, kind)
			must(os.Rename(file, elsewhere))
			must(os.Symlink(elsewhere, file))
			return file
		},
		"hardlink": func(kind string) string {
			file := in(kind)
			must(os.Link(file, filepath.Join(outside, kind)))
			return file
		},
		"groupwrites": func(kind string) string { file := in(kind); must(os.Chmod(file, 0o660)); return file },
		"allwrite":    func(kind string) string { file := in(kind); must(os.Chmod(file, 0o606)); return file },
		"giant":       func(kind string) string { file := in(kind); must(os.Truncate(file, 1<<40)); return file },
		"alittlelong": func(kind string) string { file := in(kind); must(os.Truncate(file, 1<<20+1)); return file },
		"empty":       func(kind string) string { file := in(kind); must(os.Truncate(file, 0)); return file },
		"half":        func(kind string) string { file := in(kind); must(os.Truncate(file, 60)); return file },
		"program": func(kind string) string {
			file := in(kind)
			must(os.WriteFile(file, []byte("<?php file_put_contents('/tmp/x', 'y'); return ['token' => []];"), 0o600))
			return file
		},
		"othername": func(kind string) string { file := in(kind); must(os.WriteFile(file, good, 0o600)); return file },
		"deep": func(kind string) string {
			file := in(kind)
			must(os.WriteFile(file, []byte("<?php return "+strings.Repeat("array(0 => ", 10_000)+"1"+strings.Repeat(",)", 10_000)+";"), 0o600))
			return file
		},
		"directory": func(kind string) string {
			file := filepath.Join(dir, nameOf(kind)+".php")
			must(os.Mkdir(file, 0o700))
			return file
		},
		"fifo": func(kind string) string {
			file := filepath.Join(dir, nameOf(kind)+".php")
			must(syscall.Mkfifo(file, 0o600))
			return file
		},
		"device": func(kind string) string {
			file := filepath.Join(dir, nameOf(kind)+".php")
			must(os.Symlink("/dev/zero", file))
			return file
		},
	}
	attacker := connectAt(t, s.Addr().String())
	refused := func(name string) {
		t.Helper()
		quoted, err := json.Marshal(name)
		must(err)
		attacker.sendf(`{"service":"authentication","token":{"name":%s,"hash":%q}}`, quoted, hash)
		attacker.gets(`401 authentication/unauthorized #"" null`)
	}
	for kind, plant := range planted {
		file := plant(kind)
		before, err := os.Lstat(file)
		must(err)
		refused(nameOf(kind))
		after, err := os.Lstat(file)
		if err != nil || !os.SameFile(before, after) || before.Size() != after.Size() {
			t.Errorf("%s: the file was touched: %v", kind, err)
		}
	}
	for _, name := range []string{
		"../outside/" + made.Name, path, strings.TrimSuffix(path, ".php"), "..", ".", "/", "/etc/passwd", "....//....//etc/passwd", `..\..\` + made.Name, "%2e%2e%2f" + made.Name,
		made.Name + "\x00", made.Name + ".php", made.Name + "\n", "./" + made.Name, nameOf("x") + "/", strings.Repeat("a", 129), strings.Repeat("a", 15), "ｆｕｌｌｗｉｄｔｈｆｕｌｌｗｉｄｔｈ", "php://filter/x" + nameOf("y"), "jwt", "apikey", "apikey:texts",
	} {
		refused(name)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("a file outside of the directory was touched: %v", err)
	}
	join(t, s, user("a.example", nil))
}
