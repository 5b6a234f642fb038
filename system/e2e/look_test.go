package e2e

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// look is a script that defines what the tests below ask of a page.
//
//go:embed testdata/look.js
var look string

// openDemo opens the page of a demo as a user who sees calls, with the functions of look.js.
func openDemo(t *testing.T, args ...string) (page *devtools, end func(syscall.Signal)) {
	t.Helper()
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	address, end := startDemo(t, args...)
	page = openTools(t, address)
	page.await(`document.body.dataset.connection === "connected"`)
	page.eval(look)
	return page, end
}

// checkNone wants a script to return an empty list of texts.
func checkNone(page *devtools, where, script string) {
	page.t.Helper()
	if faults, _ := page.eval(script).([]any); len(faults) > 0 {
		page.t.Errorf("%s: %s:\n%s", where, script, strings.TrimSpace(strings.ReplaceAll(fmt.Sprintln(faults...), "; ", "\n")))
	}
}

// checkLook looks at the page as it stands on narrow and wide screens, light and dark: it does not overflow,
// its connection state can be seen, its text has contrast, and what a mouse reaches a keyboard reaches too.
func checkLook(page *devtools, what string, widths ...int) {
	page.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range widths {
			page.screen(width, scheme)
			page.await(fmt.Sprintf(`innerWidth === %d && document.documentElement.dataset.theme === %q`, width, scheme))
			where := fmt.Sprintf("%s, %d pixels, %s", what, width, scheme)
			checkNone(page, where, `overflows()`)
			checkNone(page, where, `outside(["linkstate", "linkfacts", "theme", "users", "askbutton", "victim"])`)
			checkNone(page, where, `outside([...document.querySelectorAll("tr:not(.ended) .drop")].slice(0, 1))`)
			checkNone(page, where, `faint(4.5)`)
			checkNone(page, where, `unreachable()`)
			checkNone(page, where, `unscrollable()`)
			page.shoot(fmt.Sprintf("%s-%d-%s", what, width, scheme))
		}
	}
}

// TestDemoLook looks at the page as users who see much and little, and with a service that is down.
func TestDemoLook(t *testing.T) {
	page, _ := openDemo(t, "--chaos", "--chaos-interval", "1h")
	page.eval(`document.getElementById("askbutton").click()`)
	page.await(`document.getElementById("answers").textContent.includes("200 ")`)
	for _, user := range []string{"alice", "root"} {
		be(page, user)
		breakService(page, "demo.calls", "event")
		page.await(`document.getElementById("log").textContent.includes("demo.calls")`)
		checkLook(page, user, 320, 390, 620, 768, 1080, 1280, 1920)
	}
	breakService(page, "demo.calls", "storm")
	page.await(`document.querySelector("[data-service='demo.calls']").dataset.seen.endsWith(" down")`)
	checkLook(page, "down", 390, 1280)
	page.checkQuiet()
}

// TestDemoByKeyboard hangs a call up without a mouse, and does not lose its place when the row goes.
func TestDemoByKeyboard(t *testing.T) {
	page, _ := openDemo(t)
	be(page, "root")
	page.await(`document.querySelectorAll("tr[data-call]:not(.ended)").length > 2`)
	page.eval(`document.getElementById("callscroll").focus()`)
	page.press(key{"Tab", 9, ""})
	page.await(`document.activeElement.textContent === "Hang up"`)
	page.eval(`window.chosen = document.activeElement.closest("tr").dataset.call`)
	page.press(key{"Enter", 13, "\r"})
	page.await(`!document.querySelector("tr[data-call='" + window.chosen + "']:not(.ended)")`)
	page.await(`!document.querySelector("tr[data-call='" + window.chosen + "']")`)
	if page.eval(`document.getElementById("callscroll").contains(document.activeElement)`) != true {
		t.Errorf("the focus is at %v", page.eval(`document.activeElement.outerHTML`))
	}
	page.checkQuiet()
}

// TestDemoStopIsNoCrash ends the demo in good order before the eyes of the page, after one crash.
func TestDemoStopIsNoCrash(t *testing.T) {
	page, end := openDemo(t)
	be(page, "root")
	crashes := func(service string) any {
		return page.eval(fmt.Sprintf(`document.querySelector("[data-service='%s'] .facts").lastChild.textContent`, service))
	}
	breakService(page, "demo.clock", "event")
	page.await(`document.querySelector("[data-service='demo.clock']").dataset.seen.endsWith("restarting up")`)
	end(syscall.SIGTERM)
	page.await(`document.body.dataset.connection !== "connected"`)
	page.await(`document.querySelector("[data-service='demo.calls']").dataset.seen.endsWith("stopped")`)
	page.await(`document.body.dataset.connection === "offline"`)
	if got := crashes("demo.clock"); got != "1 crash seen" {
		t.Errorf("the service that crashed once shows %q", got)
	}
	for _, service := range []string{"demo.calls", "dashboard.system.information"} {
		if got := crashes(service); got != "no crash seen" {
			t.Errorf("%s was stopped in good order and shows %q", service, got)
		}
	}
	checkLook(page, "stopped", 390, 1280)
}

// TestDemoRouterGone kills the demo: what became of its services is unknown, and the page says so.
func TestDemoRouterGone(t *testing.T) {
	page, end := openDemo(t)
	be(page, "root")
	page.await(`document.querySelector("[data-service='demo.calls']").dataset.state === "up"`)
	end(syscall.SIGKILL)
	page.await(`document.body.dataset.connection === "offline"`)
	for _, service := range []string{"demo.calls", "demo.clock", "dashboard.system.information"} {
		if got := page.eval(fmt.Sprintf(`document.querySelector("[data-service='%s']").innerText`, service)); !strings.Contains(fmt.Sprint(got), "unknown") {
			t.Errorf("without a connection the page shows %v", got)
		}
	}
	page.await(`document.getElementById("callcount").textContent.includes("when the connection was lost")`)
	checkLook(page, "gone", 390, 1280)
}

// shoot writes a picture of the page into the directory STROWGER_SCREENSHOTS, if it is set.
func (d *devtools) shoot(name string) {
	d.t.Helper()
	dir := os.Getenv("STROWGER_SCREENSHOTS")
	if dir == "" {
		return
	}
	clip, _ := d.eval(`({ x: 0, y: 0, width: innerWidth, height: document.documentElement.scrollHeight, scale: 1 })`).(map[string]any)
	var picture struct{ Data []byte }
	d.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true, "clip": clip}, &picture)
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture.Data, 0o644); err != nil {
		d.t.Fatal(err)
	}
}
