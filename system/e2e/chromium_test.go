package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
	"time"

	"strowger/system/internal/daemontest"
)

// browse opens url in a headless browser of its own until t ends. The channel is closed when the
// browser is gone. The browser inherits files as descriptors from 3 on.
func browse(t *testing.T, url string, files ...*os.File) <-chan struct{} {
	t.Helper()
	chromium := lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	// Not t.TempDir: its removal would fail t for a file that a dying process of the browser writes.
	profile, err := os.MkdirTemp("", "strowger-e2e-profile-")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-breakpad",
		"--disable-dev-shm-usage", "--no-proxy-server", "--user-data-dir=" + profile, url}
	if len(files) > 0 {
		args = append(args, "--remote-debugging-pipe")
	}
	cmd := exec.Command(chromium, args...)
	cmd.ExtraFiles = files
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = 5 * time.Second // for processes of the browser that outlive it
	daemontest.Group(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start browser: %v", err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		// It is killed in the end, so its status tells nothing.
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		if err := daemontest.KillGroup(cmd); err != nil {
			t.Errorf("end browser: %v", err)
		}
		<-exited
		if err := os.RemoveAll(profile); err != nil {
			t.Logf("remove the browser's profile: %v", err)
		}
		if t.Failed() {
			t.Logf("the browser said:\n%s", &stderr)
		}
	})
	return exited
}
