package system

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"strowger/client"
	"strowger/system/service"
	serving "strowger/system/service/remote"
)

// serveVariable makes the test binary a remote service: URL, token and the instance's name, separated
// by spaces.
const serveVariable = "TEST_SERVE"

func TestMain(m *testing.M) {
	if text := os.Getenv(serveVariable); text != "" {
		os.Exit(serveAlone(strings.Fields(text)))
	}
	if dir := os.Getenv(routerVariable); dir != "" {
		os.Exit(routeAlone(dir))
	}
	if at := os.Getenv(serviceVariable); at != "" {
		os.Exit(workAlone(at))
	}
	if dir := os.Getenv(heirVariable); dir != "" {
		os.Exit(inheritAlone(dir))
	}
	goleak.VerifyTestMain(m)
}

// serveAlone runs a service that says who it is and holds some requests for ever. It ends with its
// standard input, so that none outlives the test.
func serveAlone(words []string) int {
	url, made, name := words[0], client.Token{Name: words[1], Hash: words[2]}, words[3]
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		}
	}()
	// What it holds for ever must not hold up its end.
	stops := service.Supervision{StopTimeout: 50 * time.Millisecond}
	svc := &service.Service{Name: "remote", Supervision: stops, Setup: func(s service.Setup) error {
		s.Handle("who", func(r service.Request) error { r.Reply(name); return nil })
		s.Handle("wait", func(service.Request) error { fmt.Println("asked"); return nil })
		return nil
	}}
	source := func(context.Context) (client.Token, error) { return made, nil }
	if err := serving.Serve(ctx, url, source, svc, serving.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a remote service in a process of its own.
type process struct {
	cmd *exec.Cmd
	out *bufio.Scanner
}

func spawn(t *testing.T, s *System, name string) *process {
	t.Helper()
	made := mint(t, s.running.Load().Tokens.Directory, remote("remote", "remote_service"))
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=ws://%s/ %s %s %s", serveVariable, s.Addr(), made.Name, made.Hash, name))
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	before := s.counters().Authentic.Load()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = p.cmd.Wait() // killed, most of them
	})
	eventually(t, "the remote service is in", func() bool { return s.counters().Authentic.Load() > before })
	return p
}

// kill ends the process as if the power went out.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if !p.out.Scan() || p.out.Text() != "asked" {
		t.Fatalf("the service said %q, want that it was asked", p.out.Text())
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
}

// awaits asks until an instance answers, which takes as long as it takes to be known.
func (p *peer) awaits(instance string) {
	p.t.Helper()
	eventually(p.t, "requests find the "+instance+" instance", func() bool {
		p.sendf(`{"service":"remote","topic":"who","request_id":"?"}`)
		return string(p.next().Payload) == strconv.Quote(instance)
	})
}

func TestRemoteServiceIsKilled(t *testing.T) {
	for _, test := range []struct {
		instances string
		another   bool
		want      string
	}{
		{"all", false, `503 remote/wait #"1" null`},
		{"balanced", true, `503 remote/wait #"1" null`},
		{"failover", false, `503 remote/wait #"1" null`},
		{"failover", true, ""}, // the other one has it now, and holds it
	} {
		t.Run(fmt.Sprintf("%s, another %v", test.instances, test.another), func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Routing.DefaultPolicy, cfg.Routing.Instances = "allow", test.instances
			cfg.Routing.UnknownService = "503"
			s := start(t, cfg)
			first := spawn(t, s, "first")
			c := join(t, s, user("a.example", nil))
			c.awaits("first")
			c.sendf(`{"service":"remote","topic":"wait","request_id":"1"}`)
			var second *process
			if test.another {
				second = spawn(t, s, "second")
				// The first one has an open request, so the second one is asked as soon as it is known.
				c.awaits("second")
			}
			killed := time.Now()
			first.kill(t)
			if test.want != "" {
				c.gets(test.want)
				t.Logf("answered %v after the kill", time.Since(killed))
			}
			if second == nil {
				return
			}
			if test.want == "" && (!second.out.Scan() || second.out.Text() != "asked") {
				t.Errorf("the second instance said %q, want that it was asked", second.out.Text())
			}
			c.sendf(`{"service":"remote","topic":"who","request_id":"2"}`)
			c.gets(`200 remote/who #"2" "second"`)
		})
	}
}
