package system

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"strowger/config"
	"strowger/system/token"
)

// routerVariable makes the test binary a router whose tokens are in the directory it names.
const routerVariable = "TEST_ROUTER"

// routeAlone is a router with short deadlines. It says where it listens, and ends with its standard input.
func routeAlone(dir string) int {
	cfg := config.Default()
	cfg.Listen.Address, cfg.Admin.Address, cfg.Dashboard.Enabled = "127.0.0.1:0", "", false
	cfg.Tokens.Directory = dir
	cfg.Keepalive.PingInterval, cfg.Keepalive.IdleTimeout = time.Second, 8*time.Second
	cfg.Limits.AuthenticationTimeout = 8 * time.Second
	s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// TestProcessIsStopped stops the process of a router for longer than its deadlines. Those who are connected
// are not made to pay for it.
func TestProcessIsStopped(t *testing.T) {
	const pause, after = 10 * time.Second, 3 * time.Second
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), routerVariable+"="+dir), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = in.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the router does not say where it listens")
	}
	addr := lines.Text()
	silent, speaks := joinAt(t, addr, dir, user("a.example", nil)), joinAt(t, addr, dir, user("a.example", nil))
	late := connectAt(t, addr)
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	made := mint(t, dir, token.Spec{Kind: token.User})
	speaks.sendf(`{"request_id":"1"}`)
	<-time.After(pause) // the pause itself is what is tested
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	speaks.gets(`400 INVALID/ #"1" null`)
	late.authenticate(made)
	<-time.After(after) // some looks for those who are silent
	for _, p := range []*peer{silent, speaks, late} {
		p.sendf(`{"request_id":"2"}`)
		p.gets(`400 INVALID/ #"2" null`)
	}
}
