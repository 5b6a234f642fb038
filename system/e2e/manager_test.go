package e2e

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"strowger/system/internal/daemontest"
)

// TestServiceManager runs the daemon as systemd does, with a socket on which it says how it is.
func TestServiceManager(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "notify") // a short name: the kernel takes 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The kernel has room for a few messages only, and the daemon drops one that finds none, so all are read at once.
	said := make(chan string, 100_000)
	go func() {
		for buffer := make([]byte, 4096); ; {
			n, err := conn.Read(buffer)
			if err != nil {
				return // closed
			}
			said <- string(buffer[:n])
		}
	}()
	// hears waits for a message that matches. Others that come before it may only be the ones that may come at any time.
	hears := func(want string) {
		t.Helper()
		for late := time.After(deadline); ; {
			select {
			case got := <-said:
				if regexp.MustCompile("^" + want + "$").MatchString(got) {
					return
				}
				if got != "WATCHDOG=1" && !strings.HasPrefix(got, "STATUS=") {
					t.Fatalf("the manager hears %q, want %s", got, want)
				}
			case <-late:
				t.Fatalf("the manager does not hear %s", want)
			}
		}
	}

	tokens := t.TempDir()
	cmd := daemontest.Command(path, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--token-dir", tokens)
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=100000")
	started, err := daemontest.Start(cmd, tokens)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{started}
	t.Cleanup(func() { d.stop(t) })
	hears("READY=1\nSTATUS=0 connections, (0 services|1 service)")
	for range 3 {
		hears("WATCHDOG=1")
	}
	r := &reloadable{daemon: d, t: t, binary: path}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if r.admin, err = d.AdminAddr(ctx); err != nil {
		t.Fatal(err)
	}
	r.says("nothing has changed")
	hears(`RELOADING=1\nMONOTONIC_USEC=\d+`)
	hears("READY=1\nSTATUS=0 connections, 1 service")
	hears("WATCHDOG=1")
	d.stop(t)
	hears("STOPPING=1\nSTATUS=stopping")
}
