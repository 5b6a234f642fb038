package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRootCallsRouterOfAnotherUser has root call a router that runs as nobody. The router cannot read the token that root
// makes, and both say so. The same call as nobody gets further.
func TestRootCallsRouterOfAnotherUser(t *testing.T) {
	const nobody = 65534
	if os.Geteuid() != 0 {
		t.Skip("only root can start a program as another user")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go tool")
	}
	dir := t.TempDir()
	for path := dir; path != filepath.Clean(os.TempDir()) && len(path) > 1; path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	binary, tokens := filepath.Join(dir, "strowger"), filepath.Join(dir, "tokens")
	if out, err := exec.CommandContext(t.Context(), goTool, "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(tokens, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	asNobody := func(args ...string) *exec.Cmd {
		cmd := exec.Command(binary, args...)
		cmd.Dir = tokens
		cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // the tests' own STROWGER_ variables are no settings
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd
	}

	log := newOutput()
	router := asNobody("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--token-dir", tokens)
	router.Stderr = log
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = router.Process.Signal(syscall.SIGTERM)
		if err := router.Wait(); err != nil {
			t.Errorf("router: %v\n%s", err, log)
		}
	})
	var listening struct{ Addr string }
	if err := json.Unmarshal([]byte(log.line(t, `"msg":"listening"`)), &listening); err != nil {
		t.Fatal(err)
	}
	call := []string{"call", "--url", "ws://" + listening.Addr + "/", "--token-dir", tokens, "absent", "now", "--timeout", "20s"}

	root := begin(t, nil, call...)
	root.wait(3)
	root.stderr.line(t, "a router that does not run as root cannot read what root makes (sudo -u USER)")
	log.line(t, "permission denied")
	out, err := asNobody(call...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), `"absent"`) || strings.Contains(string(out), "401") {
		t.Errorf("as nobody: %v, %s; want that nobody offers the service", err, out)
	}
	left, err := os.ReadDir(tokens)
	if err != nil || len(left) > 0 {
		t.Errorf("tokens are left: %v, %v", left, err)
	}
}
