package e2e

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/internal/daemontest"
	"strowger/system/token"
)

// TestSecondSignalDuringDrain stops a router slowly, and then at once.
func TestSecondSignalDuringDrain(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	tokens := t.TempDir()
	cmd := daemontest.Command(path, "serve", "--listen", "127.0.0.1:0", "--admin=", "--token-dir", tokens)
	cmd.Env = append(cmd.Env, "STROWGER_SHUTDOWN__PACE=1", "STROWGER_SHUTDOWN__TIMEOUT=10m")
	started, err := daemontest.Start(cmd, tokens)
	if err != nil {
		t.Fatal(err)
	}
	r := &reloadable{daemon: &daemon{started}, t: t, binary: path}
	var clients []*client.Client
	for range 300 { // more than go within two minutes
		clients = append(clients, r.connect(token.Spec{Kind: token.User}))
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for late := time.After(deadline); clients[299].State() != client.StateClosed; {
		select {
		case <-late:
			t.Fatal("nobody is sent away")
		case <-time.After(time.Millisecond):
		}
	}
	if state := clients[0].State(); state != client.StateOnline {
		t.Errorf("the oldest client is %v before its turn", state)
	}
	// Stop sends the second signal. A third one might end the process before it has ended itself.
	if err := r.Stop(); err == nil {
		t.Error("the process ended with status 0")
	} else if ended := new(exec.ExitError); !errors.As(err, &ended) || ended.ExitCode() != 1 {
		t.Errorf("the process ended with %v, want status 1", err)
	}
}
