package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"strowger/system/internal/daemontest"
)

// startDemo runs strowger demo until t ends or end is called, and returns the address of its page. end
// ends it with a signal; only its first call does anything.
func startDemo(t *testing.T, args ...string) (page string, end func(syscall.Signal)) {
	t.Helper()
	page, _, end = startDemoAndConsole(t, args...)
	return page, end
}

// startDemoAndConsole is startDemo that returns the address of the console too.
func startDemoAndConsole(t *testing.T, args ...string) (page, console string, end func(syscall.Signal)) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"demo", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir()) // a demo that is killed leaves its tokens there
	daemontest.Group(cmd)
	var log strings.Builder
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addresses, ended := make(chan string, 2), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewReader(stdout); ; {
			line, err := lines.ReadString('\n')
			for _, what := range []string{"Page ", "Console "} {
				if address, ok := strings.CutPrefix(strings.TrimSpace(line), what); ok {
					addresses <- strings.TrimSpace(address)
				}
			}
			if err != nil {
				return
			}
		}
	}()
	var once sync.Once
	end = func(signal syscall.Signal) {
		once.Do(func() {
			_ = cmd.Process.Signal(signal)
			kill := time.AfterFunc(deadline, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
			<-ended
			if err := cmd.Wait(); err != nil && signal != syscall.SIGKILL {
				t.Errorf("demo exited: %v\n%s", err, &log)
			}
			if strings.Contains(log.String(), "DATA RACE") {
				t.Errorf("demo log: %s", &log)
			}
		})
	}
	t.Cleanup(func() { end(syscall.SIGTERM) })
	for _, into := range []*string{&page, &console} {
		select {
		case *into = <-addresses:
		case <-ended:
			t.Fatalf("demo ended: %s", &log)
		case <-time.After(deadline):
			t.Fatal("demo names no page or no console")
		}
	}
	return page, console, end
}

// be chooses a user of the page and waits until it sees calls.
func be(page *devtools, user string) {
	page.t.Helper()
	page.eval(fmt.Sprintf(`document.querySelector("[data-user=%s]").click()`, user))
	page.await(`document.body.dataset.connection === "connected"`)
	page.await(`document.querySelectorAll("tr[data-call]").length > 0`)
}

// column is a script for the distinct texts of a column, hidden cells as "(hidden)".
func column(n int) string {
	return fmt.Sprintf(`[...new Set([...document.querySelectorAll("tr[data-call]")].map((row) =>
		row.cells[%d].classList.contains("hidden") ? "(hidden)" : row.cells[%d].textContent))].sort().join(" ")`, n, n)
}

// The columns of the page's table that tests look at.
const (
	tenantColumn = 4
	codecColumn  = 6
)

// TestDemoPage has a real browser show the demo: what each user sees, and what a crash looks like.
func TestDemoPage(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	address, _ := startDemo(t)
	page := openTools(t, address)
	page.await(`document.body.dataset.connection === "connected"`)

	be(page, "alice")
	checkColumns(page, "a.example.com", "(hidden)")
	breakService(page, "demo.calls", "event")
	page.await(`document.getElementById("log").textContent.includes("chaos answered with 403, needs demo_chaos")`)

	be(page, "bob")
	checkColumns(page, "b.example.com", "(hidden)")

	be(page, "root")
	page.await(column(tenantColumn) + ` === "a.example.com b.example.com"`)
	if got := page.eval(column(codecColumn)).(string); strings.Contains(got, "(hidden)") {
		t.Errorf("superadmin sees the codecs %s", got)
	}
	page.await(`document.getElementById("cpu").textContent.includes("%")`)

	seen := func(states string) string {
		return `document.querySelector("[data-service='demo.calls']").dataset.seen.endsWith("` + states + `")`
	}
	breakService(page, "demo.calls", "event")
	page.await(seen("up restarting up"))
	breakService(page, "demo.calls", "storm")
	page.await(seen(" down restarting up"))
	ask := func(code string) {
		page.eval(`document.getElementById("askbutton").click()`)
		page.await(`document.getElementById("answers").textContent.includes("` + code + ` ")`)
	}
	ask("200")
	breakService(page, "demo.clock", "start")
	page.await(`document.querySelector("[data-service='demo.clock']").dataset.seen.endsWith("restarting up")`)
	page.await(`document.querySelectorAll("tr[data-call]:not(.ended)").length > 0`)
	if got := page.eval(`document.body.dataset.connects + " " + document.body.dataset.connection`); got != "1 connected" {
		t.Errorf("connections: %v", got)
	}
	page.checkQuiet()
}

// checkColumns wants all calls to be of one tenant, and the codecs to be as told.
func checkColumns(page *devtools, tenant, codecs string) {
	page.t.Helper()
	if got := page.eval(column(tenantColumn)); got != tenant {
		page.t.Errorf("sees calls of %v, want %s", got, tenant)
	}
	if got := page.eval(column(codecColumn)); got != codecs {
		page.t.Errorf("sees the codecs %v, want %s", got, codecs)
	}
}

// breakService fills in the page's form.
func breakService(page *devtools, service, fault string) {
	page.t.Helper()
	page.eval(fmt.Sprintf(`document.getElementById("victim").value = %q; document.getElementById("fault").value = %q;
		document.getElementById("breakform").requestSubmit()`, service, fault))
}
