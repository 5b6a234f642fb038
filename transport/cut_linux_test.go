package transport

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strowger/actors"
	"strowger/actors/refusals"
)

const (
	inNamespace  = "STROWGER_TEST_IN_NAMESPACE" // set in a process that has a network of its own
	notPermitted = "may not change its network: "
)

// TestCutNetwork: a service to which data is under way, and a client that is silent, are given up after the time that
// the settings say when the network between them and the router is cut.
func TestCutNetwork(t *testing.T) {
	if os.Getenv(inNamespace) != "" {
		cutNetwork(t)
		return
	}
	output, err := withNetwork(t, "-test.run=^TestCutNetwork$", "-test.v")
	if _, after, found := strings.Cut(output, notPermitted); found {
		reason, _, _ := strings.Cut(after, "\n")
		t.Skip("a process with a network of its own " + notPermitted + reason)
	}
	if err != nil || !strings.Contains(output, "--- PASS: TestCutNetwork") {
		t.Fatalf("%v\n%s", err, output)
	}
}

// withNetwork runs this test binary with a network of its own, and skips the test if this system does not permit that.
func withNetwork(t *testing.T, args ...string) (output string, err error) {
	t.Helper()
	own := func(outside int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: outside, Size: 1}} }
	for _, attr := range []*syscall.SysProcAttr{
		{Cloneflags: syscall.CLONE_NEWNET}, // for root
		{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET, UidMappings: own(os.Getuid()), GidMappings: own(os.Getgid())},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
		cmd.Env = append(os.Environ(), inNamespace+"=1")
		cmd.SysProcAttr = attr
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err = cmd.Start(); err == nil {
			err = cmd.Wait()
			return out.String(), err
		}
	}
	t.Skipf("no process with a network of its own can be started: %v", err)
	return "", nil
}

// loopback switches this network's only interface on or off.
func loopback(t *testing.T, on bool) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	if on {
		lo.SetUint16(unix.IFF_UP)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); errors.Is(err, unix.EPERM) {
		t.Skip(notPermitted + err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
}

func cutNetwork(t *testing.T) {
	loopback(t, true)
	lines := new(journal)
	s := listen(t, slog.New(slog.NewTextHandler(lines, nil)), nil, func(l *Limits) {
		l.TCPKeepAlive, l.WriteTimeout = time.Second, time.Hour
	})
	s.begin()
	service, client := s.login("service:a"), s.login("client")
	client.ping("reachable")
	s.tell("before")
	if m := service.next(); string(m.payload) != "before" {
		t.Fatalf("the service got %q", m.payload)
	}
	loopback(t, false)
	s.tell("never acknowledged")
	eventually(t, "both are given up", func() bool { return s.Live() == 0 })
	if n := s.deps.Refusals().Count(refusals.Unreachable); n != 2 {
		t.Errorf("counted %d, want 2", n)
	}
	for _, role := range []string{"service", "client"} {
		lines.want(t, `level=WARN msg="connection lost because the peer cannot be reached" cause=unreachable remote=127\.0\.0\.1:\d+ role=`+
			role+` setting=keepalive\.tcp subscriber=\w+(?: service=a)? err=".+"\n`)
	}
}

// tell sends a text to all services, as one in the router does.
func (s *server) tell(text string) {
	for _, sh := range s.shards {
		sh.during(func() {
			for socket := range sh.sockets {
				if socket.mayDoNow() == actors.Service {
					socket.Send(framed(text))
				}
			}
		})
	}
	s.settle()
}
