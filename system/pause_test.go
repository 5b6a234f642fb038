package system

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/client"
	"strowger/config"
	"strowger/system/service"
	serving "strowger/system/service/remote"
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
	cfg.Routing.DefaultPolicy = "allow"
	s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, busy())
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

// busy is a service that says when it begins to work, and works for three seconds in which its process runs.
func busy() *service.Service {
	return &service.Service{Name: "busy", Supervision: service.Supervision{PingEvery: 100 * time.Millisecond, PingTimeout: 8 * time.Second},
		Setup: func(s service.Setup) error {
			s.Handle("work", func(r service.Request) error {
				r.Stream("begun", nil)
				for range 30 {
					<-time.After(100 * time.Millisecond)
				}
				r.Reply(nil)
				return nil
			})
			return nil
		}}
}

// serviceVariable makes the test binary a process of the service busy. It holds the router's address, a
// space and the directory of tokens.
const serviceVariable = "TEST_SERVICE"

// workAlone says what becomes of its connection, and ends with its standard input.
func workAlone(at string) int {
	addr, dir, _ := strings.Cut(at, " ")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	tokens := func(context.Context) (client.Token, error) {
		made, _, err := token.Create(dir, remote("busy", "busy_service"), token.JSON)
		if err != nil {
			return client.Token{}, err
		}
		return client.Token{Name: made.Name, Hash: made.Hash}, nil
	}
	err := serving.Serve(ctx, "ws://"+addr+"/", tokens, busy(), serving.Options{Client: client.Options{PingInterval: 4 * time.Second,
		OnState: func(state client.State, cause error) { fmt.Println(state, cause) }}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// alone runs the test binary as another process until the test ends, and returns the lines it says.
func alone(t *testing.T, variable, value string) (*os.Process, *bufio.Scanner) {
	t.Helper()
	needStop(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), variable+"="+value), os.Stderr
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
		_ = cmd.Process.Signal(goOn)
		_ = in.Close()
		_ = cmd.Wait()
	})
	return cmd.Process, bufio.NewScanner(out)
}

// pause stops a process for longer than its own time limits; the pause itself is what is tested.
func pause(t *testing.T, p *os.Process) {
	t.Helper()
	stop(t, p)
	wake(t, p)
}

// wake has a stopped process go on when it has stood still for longer than its own time limits.
func wake(t *testing.T, p *os.Process) {
	t.Helper()
	<-time.After(10 * time.Second)
	if err := p.Signal(goOn); err != nil {
		t.Fatal(err)
	}
}

// TestServiceInStoppedRouter: a service that is at work when the process is stopped is not taken for one that
// hangs.
func TestServiceInStoppedRouter(t *testing.T) {
	dir := t.TempDir()
	process, lines := alone(t, routerVariable, dir)
	if !lines.Scan() {
		t.Fatal("the router does not say where it listens")
	}
	p := joinAt(t, lines.Text(), dir, user("a.example", nil))
	p.sendf(`{"service":"busy","topic":"work","request_id":"1"}`)
	p.gets(`200 busy/begun #"1" null`)
	<-time.After(time.Second) // the service is pinged meanwhile
	pause(t, process)
	p.gets(`200 busy/work #"1" null`)
}

// TestStoppedService: a service in a process of its own keeps its connection and its work when the process is
// stopped.
func TestStoppedService(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.DefaultPolicy = "allow"
	s := start(t, cfg)
	process, lines := alone(t, serviceVariable, s.Addr().String()+" "+cfg.Tokens.Directory)
	for lines.Scan() && lines.Text() != "online <nil>" {
	}
	p := join(t, s, user("a.example", nil))
	p.sendf(`{"service":"busy","topic":"work","request_id":"1"}`)
	p.gets(`200 busy/begun #"1" null`)
	<-time.After(time.Second) // the service is pinged meanwhile
	pause(t, process)
	p.gets(`200 busy/work #"1" null`)
	p.sendf(`{"service":"busy","topic":"work","request_id":"2"}`)
	p.gets(`200 busy/begun #"2" null`)
	p.gets(`200 busy/work #"2" null`)
	if err := process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		t.Errorf("the connection became %s", lines.Text())
	}
}

// TestProcessIsStopped stops the process of a router for longer than its deadlines. Those who are connected
// are not made to pay for it.
func TestProcessIsStopped(t *testing.T) {
	const after = 3 * time.Second
	dir := t.TempDir()
	process, lines := alone(t, routerVariable, dir)
	if !lines.Scan() {
		t.Fatal("the router does not say where it listens")
	}
	addr := lines.Text()
	silent, speaks := joinAt(t, addr, dir, user("a.example", nil)), joinAt(t, addr, dir, user("a.example", nil))
	late := connectAt(t, addr)
	stop(t, process)
	made := mint(t, dir, token.Spec{Kind: token.User})
	speaks.sendf(`{"request_id":"1"}`)
	wake(t, process)
	speaks.gets(`400 INVALID/ #"1" null`)
	late.authenticate(made)
	<-time.After(after) // some looks for those who are silent
	for _, p := range []*peer{silent, speaks, late} {
		p.sendf(`{"request_id":"2"}`)
		p.gets(`400 INVALID/ #"2" null`)
	}
}
