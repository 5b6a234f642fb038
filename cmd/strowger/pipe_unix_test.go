//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A file of settings that has become a pipe is refused, and the daemon stops as ever.
func TestServeRefusesAPipe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "strowger.yaml")
	writeFile(t, file, "limits: {depth: 9}\n")
	r := begin(t, newFakeRouter().install, "serve", "--config", file)
	r.stderr.line(t, `"msg":"listening"`)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	r.signals.send(t, syscall.SIGHUP)
	r.stderr.line(t, `"msg":"settings are wrong, the running ones stay"`, "is a pipe, not a regular file")
	r.signals.send(t, syscall.SIGTERM)
	r.wait(0)
}
