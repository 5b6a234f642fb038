package daemontest

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// actEnv makes this test binary act as a daemon, see actAsDaemon.
const actEnv = "DAEMONTEST_ACT"

// actAsDaemon is what TestMain runs in place of the tests when actEnv is set: a daemon that logs
// and ends as told, so that the handling of processes is tested without a real one.
func actAsDaemon(act string) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	if act == "dies" {
		fmt.Fprintln(os.Stderr, "cannot bind")
		return 1
	}
	fmt.Fprintln(os.Stderr, `{"level":"INFO","msg":"listening","addr":"127.0.0.1:7"}`)
	switch act {
	case "error":
		fmt.Fprintln(os.Stderr, `{"level":"ERROR","msg":"cannot do it"}`)
	case "panic":
		fmt.Fprintln(os.Stderr, "panic: boom")
	case "race":
		fmt.Fprintln(os.Stderr, "WARNING: DATA RACE")
	}
	<-signals
	if act == "status" {
		return 3
	}
	return 0
}

func TestMain(m *testing.M) {
	if act := os.Getenv(actEnv); act != "" {
		os.Exit(actAsDaemon(act))
	}
	os.Exit(m.Run())
}

// start starts this test binary as a daemon.
func start(act string) (*Daemon, error) {
	cmd := Command(os.Args[0])
	cmd.Env = append(cmd.Env, actEnv+"="+act)
	return Start(cmd, "")
}

func TestDaemonProcess(t *testing.T) {
	for act, complaint := range map[string]string{
		"healthy": "",
		"error":   `daemon log: {"level":"ERROR","msg":"cannot do it"}`,
		"panic":   "daemon log: panic: boom",
		"race":    "daemon log: WARNING: DATA RACE",
		"status":  "daemon exited: exit status 3",
	} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			d, err := start(act)
			if err != nil {
				t.Fatal(err)
			}
			if d.Addr != "127.0.0.1:7" || !d.running() {
				t.Errorf("listens on %q, running %v", d.Addr, d.running())
			}
			err = d.Stop()
			if d.running() {
				t.Error("still running after stop")
			}
			if complaint == "" && err != nil || complaint != "" && (err == nil || !strings.HasPrefix(err.Error(), complaint)) {
				t.Errorf("stop: %v, want %q", err, complaint)
			}
			if again := d.Stop(); again != err {
				t.Errorf("stop again: %v, want %v", again, err)
			}
		})
	}
}

func TestDaemonThatDiesAtOnce(t *testing.T) {
	d, err := start("dies")
	if err == nil || !strings.Contains(err.Error(), "cannot bind") {
		t.Fatalf("started %+v, %v; want its last words", d, err)
	}
}
