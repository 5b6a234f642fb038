//go:build unix

package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"strowger/system/internal/daemontest"
)

// admitting are settings in which pages of c.example may connect, and in which the log's part is silent soon.
const admitting = "log: {format: json, queue_bytes: 64KiB}\nheartbeat: {interval: 100ms, limit: 1s}\nlisten: {origins: [c.example]}\n"

// fetch returns what a page of the admin port says.
func fetch(t *testing.T, method, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// soon waits until something holds of a daemon that is another process, and that tells only who asks.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for late := time.Now().Add(deadline); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// A log that nobody takes is named, but the router stays ready.
func TestStuckLogIsNamed(t *testing.T) {
	q := startQuietWith(t, admitting, "127.0.0.1:0")
	admin := "http://" + q.admin
	note := `"notes":[{"part":"log","reason":"has not answered for`
	stuck := func() bool {
		status, body := fetch(t, http.MethodGet, admin+"/readyz")
		return status == http.StatusOK && strings.Contains(body, `"ready":true`) && strings.Contains(body, note)
	}
	soon(t, "the log is named", func() bool {
		if err := q.login("c.example"); err != nil { // a line for each
			t.Fatalf("login: %v", err)
		}
		return stuck()
	})
	if status, body := fetch(t, http.MethodGet, admin+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d %s", status, body)
	}
	if _, body := fetch(t, http.MethodGet, admin+"/metrics"); !strings.Contains(body, `strowger_heart_silent_parts{part="log"} 1`) {
		t.Error("the metrics do not name the log")
	}
	go func() { _, _ = io.Copy(io.Discard, q.lines) }()
	soon(t, "the log flows again", func() bool {
		_, body := fetch(t, http.MethodGet, admin+"/readyz")
		return strings.Contains(body, `"ready":true`) && !strings.Contains(body, "notes")
	})
	q.stops()
}

// No file can get longer, as on a disk that is full: neither the log nor the audit file. Everybody is served, and whoever
// acts at the admin port too.
func TestFullDisk(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	q := &quiet{t: t, config: filepath.Join(dir, "strowger.yaml"), tokenDir: t.TempDir(), exited: make(chan struct{})}
	audit, log := filepath.Join(dir, "audit"), filepath.Join(dir, "log")
	if err := os.WriteFile(q.config, []byte(admitting), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// 8 blocks of 512 bytes have room for the first lines.
	q.cmd = daemontest.Command("sh", "-c", `ulimit -f 8 && exec "$0" "$@"`, path, "serve", "--listen", "127.0.0.1:0", "--admin=127.0.0.1:0",
		"--token-dir", q.tokenDir, "--config", q.config)
	q.cmd.Env = append(q.cmd.Env, "STROWGER_ADMIN__AUDIT_FILE="+audit)
	q.cmd.Stderr = file
	if err := q.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(q.exited)
		q.err = q.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = q.cmd.Process.Kill() // gone already if all went well
		<-q.exited
	})
	written := func() string {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	admin := ""
	soon(t, "it listens", func() bool {
		for line := range strings.Lines(written()) {
			if addr := daemontest.ListenAddr(strings.TrimSpace(line)); addr != "" {
				q.addr = addr
			}
			if addr := adminAddr(line); addr != "" {
				admin = "http://" + addr
			}
		}
		return q.addr != "" && admin != ""
	})
	lost := func() string {
		_, body := fetch(t, http.MethodGet, admin+"/metrics")
		return regexp.MustCompile(`\nstrowger_log_lines_dropped_total (\S+)`).FindStringSubmatch(body)[1]
	}
	soon(t, "the log is full", func() bool {
		if err := q.login("c.example"); err != nil {
			t.Fatalf("login: %v", err)
		}
		return lost() != "0"
	})
	actions := 0
	soon(t, "the audit file is full", func() bool {
		if status, body := fetch(t, http.MethodPost, admin+"/reload"); status != http.StatusOK {
			t.Fatalf("reload: %d %s", status, body)
		}
		actions++
		info, err := os.Stat(audit)
		return err == nil && info.Size() >= 8*512 && actions > 1
	})
	if status, body := fetch(t, http.MethodPost, admin+"/reload"); status != http.StatusOK {
		t.Errorf("reload with a full audit file: %d %s", status, body)
	}
	for range 20 {
		if err := q.login("c.example"); err != nil {
			t.Fatalf("login: %v", err)
		}
	}
	if status, body := fetch(t, http.MethodGet, admin+"/readyz"); status != http.StatusOK || strings.Contains(body, "notes") {
		t.Errorf("readyz: %d %s", status, body)
	}
	q.stops()
	for _, name := range []string{log, audit} {
		if info, err := os.Stat(name); err != nil || info.Size() > 8*512 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
