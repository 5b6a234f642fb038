package conformance

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// actEnv makes this test binary act as a daemon, see actAsDaemon.
const actEnv = "CONFORMANCE_ACT"

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
			d, err := startDaemon([]string{os.Args[0]}, t.TempDir(), actEnv+"="+act)
			if err != nil {
				t.Fatal(err)
			}
			if d.addr != "127.0.0.1:7" || !d.running() {
				t.Errorf("listens on %q, running %v", d.addr, d.running())
			}
			err = d.stop()
			if d.running() {
				t.Error("still running after stop")
			}
			if complaint == "" && err != nil || complaint != "" && (err == nil || !strings.HasPrefix(err.Error(), complaint)) {
				t.Errorf("stop: %v, want %q", err, complaint)
			}
		})
	}
}

func TestDaemonThatDiesAtOnce(t *testing.T) {
	d, err := startDaemon([]string{os.Args[0]}, t.TempDir(), actEnv+"=dies")
	if err == nil || !strings.Contains(err.Error(), "cannot bind") {
		t.Fatalf("started %+v, %v; want its last words", d, err)
	}
}
