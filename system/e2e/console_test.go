package e2e

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
)

// openConsole runs the demo and opens its console, and a page of the demo that is connected as one who may do everything.
func openConsole(t *testing.T) (console, page *devtools, end func(syscall.Signal)) {
	t.Helper()
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	pageURL, consoleURL, end := startDemoAndConsole(t)
	page = openTools(t, pageURL)
	page.await(`document.body.dataset.connection === "connected"`)
	be(page, "root")
	awaitPage(t, consoleURL)
	console = openTools(t, consoleURL)
	console.await(`document.querySelector("[data-linkstate]")?.dataset.linkstate === "live"`)
	console.eval(look)
	return console, page, end
}

// awaitPage waits until there is a page at url. The admin port opens after the router.
func awaitPage(t *testing.T, url string) {
	t.Helper()
	get := func() error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %s", response.Status)
		}
		return nil
	}
	for late := time.After(deadline); ; {
		err := get()
		if err == nil {
			return
		}
		select {
		case <-late:
			t.Fatalf("%s: %v", url, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// visit goes to a view of the console.
func visit(console *devtools, view, title string) {
	console.t.Helper()
	console.eval(fmt.Sprintf(`location.hash = "#/%s"`, view))
	console.await(fmt.Sprintf(`document.querySelector("main h1")?.textContent === %q && !document.querySelector("main .empty[role=status]")`, title))
}

// click clicks what a selector finds, once it is there.
func click(d *devtools, selector string) {
	d.t.Helper()
	d.await(fmt.Sprintf(`document.querySelector(%q)`, selector))
	d.eval(fmt.Sprintf(`document.querySelector(%q).click()`, selector))
}

// confirm answers the question that is open, and waits until it is closed again.
func confirm(console *devtools) {
	console.t.Helper()
	click(console, `dialog.box [data-confirm]`)
	console.await(`!document.querySelector("dialog.box")`)
}

// TestConsoleSeesACrash breaks a service before the eyes of the console, which shows the crash, what it was, and the recovery.
func TestConsoleSeesACrash(t *testing.T) {
	console, page, _ := openConsole(t)
	visit(console, "tree", "Tree")
	const node = `[data-path="root/services/demo.calls"]`
	click(console, node)
	console.await(fmt.Sprintf(`document.querySelector('%s').dataset.state === "running"`, node))
	console.eval(fmt.Sprintf(`window.seen = []; new MutationObserver(() => {
		const state = document.querySelector('%s')?.dataset.state;
		if (state && window.seen.at(-1) !== state) window.seen.push(state);
	}).observe(document.body, { subtree: true, childList: true, attributes: true })`, node))
	console.screen(1280, "dark")
	breakService(page, "demo.calls", "storm")
	console.await(`window.seen.some((state) => state !== "running")`)
	console.shoot("console-crash")
	console.await(`window.seen.at(-1) === "running" && window.seen.length > 1`)
	console.await(`document.querySelector(".detail .reason")?.textContent.includes("chaos")`)
	click(console, `.detail button[aria-expanded="false"]`)
	console.await(`document.querySelector(".detail .code").textContent.includes("goroutine ")`)
	console.await(fmt.Sprintf(`/[1-9]\d* restart/.test(document.querySelector('%s').textContent)`, node))
	visit(console, "log", "Log")
	console.await(`[...document.querySelectorAll(".of-error")].some((line) => line.textContent.includes("demo.calls"))`)
	console.checkQuiet()
}

// TestConsoleActs disconnects, restarts and replays, and finds all of it in the audit log.
func TestConsoleActs(t *testing.T) {
	console, page, _ := openConsole(t)

	visit(console, "connections?role=client", "Connections")
	console.await(`document.querySelector("[data-search]")`)
	console.eval(`(() => { const search = document.querySelector("[data-search]"); search.value = "root"; search.dispatchEvent(new Event("input", { bubbles: true })); })()`)
	console.await(`document.querySelectorAll("tbody tr").length === 1 && document.querySelector("tbody td.lead").textContent.includes("root")`)
	number := console.eval(`document.querySelector("tbody tr").dataset.row`)
	before := page.eval(`Number(document.body.dataset.connects)`).(float64)
	click(console, `tbody button.link`)
	console.await(`document.querySelector("dialog.drawer .plainlist")?.textContent.includes("demo.calls")`)
	click(console, `[data-disconnect]`)
	click(console, `dialog.box [autofocus]`) // not yet
	console.await(`!document.querySelector("dialog.box")`)
	click(console, `[data-disconnect]`)
	confirm(console)
	console.await(fmt.Sprintf(`!document.querySelector('tbody tr[data-row="%v"]')`, number))
	page.await(fmt.Sprintf(`Number(document.body.dataset.connects) > %v && document.body.dataset.connection === "connected"`, before))

	visit(console, "services", "Services")
	const service = `[data-service="demo.clock"]`
	console.await(fmt.Sprintf(`document.querySelector('%s')?.dataset.state === "up"`, service))
	page.eval(`window.clock = document.querySelector("[data-service='demo.clock']").dataset.seen`)
	click(console, `button[aria-label="Restart demo.clock"]`)
	confirm(console)
	page.await(`document.querySelector("[data-service='demo.clock']").dataset.seen !== window.clock`)
	click(console, `button[aria-label="Stop demo.clock"]`)
	confirm(console)
	console.await(fmt.Sprintf(`document.querySelector('%s').dataset.state === "stopped"`, service))
	click(console, `button[aria-label="Start demo.clock"]`)
	confirm(console)
	console.await(fmt.Sprintf(`document.querySelector('%s').dataset.state === "up"`, service))

	visit(console, "deadletters", "Dead letters")
	// The request that breaks the service is the dead letter, so a replay breaks it again.
	breakService(page, "demo.calls", "request")
	const letter = `[...document.querySelectorAll("tbody tr")].find((row) => /request.*demo\.calls.*possible/.test(row.textContent))`
	console.await(letter)
	console.eval(letter + `.querySelector("[data-letter]").click()`)
	console.await(`document.querySelector("dialog.drawer [data-replay]") && document.querySelector("dialog.drawer .code")?.textContent.includes("fault")`)
	page.eval(`window.calls = document.querySelector("[data-service='demo.calls']").dataset.seen`)
	click(console, `[data-replay]`)
	confirm(console)
	console.await(`document.querySelector("[data-answer]")?.dataset.answer === "500"`)
	page.await(`document.querySelector("[data-service='demo.calls']").dataset.seen !== window.calls`)
	console.await(`!document.querySelector("[data-replay]")`)
	click(console, `dialog.drawer header button`)

	visit(console, "audit", "Audit")
	for _, action := range []string{"connection.disconnect", "service.restart", "service.stop", "service.start", "deadletter.replay"} {
		console.await(fmt.Sprintf(`document.querySelector('[data-audit="%s"]')?.closest("tr").querySelector(".state.good")`, action))
	}
	console.checkQuiet()
}

// TestConsoleReconnects ends the daemon: the console says that what it shows is old, and tries again.
func TestConsoleReconnects(t *testing.T) {
	console, _, end := openConsole(t)
	visit(console, "services", "Services")
	console.await(`document.querySelector("[data-service='demo.clock']")`)
	end(syscall.SIGTERM)
	console.await(`document.querySelector("[data-linkstate]").dataset.linkstate === "waiting"`)
	console.await(`document.querySelector(".old")?.textContent.includes("What you see is from")`)
	if console.eval(`document.querySelector("[data-service='demo.clock']") !== null`) != true {
		t.Error("the services that were seen are not shown any more")
	}
	checkNone(console, "without a daemon", `overflows()`)
}

// TestConsoleByKeyboard goes through the tree without a mouse.
func TestConsoleByKeyboard(t *testing.T) {
	console, _, _ := openConsole(t)
	console.await(`document.querySelector("main h1")`)
	console.press(key{"g", 71, "g"})
	console.press(key{"t", 84, "t"})
	console.await(`document.querySelector("main h1").textContent === "Tree" && document.activeElement.tagName === "H1" && document.querySelector("[role=tree]")`)
	console.press(key{"Tab", 9, ""})
	at := func(path string) { console.await(fmt.Sprintf(`document.activeElement.dataset.path === %q`, path)) }
	at("root")
	console.press(key{"ArrowDown", 40, ""})
	console.await(`document.activeElement.dataset.path !== "root" && document.activeElement.getAttribute("aria-level") === "2"`)
	console.press(key{"ArrowLeft", 37, ""})
	at("root")
	console.press(key{"ArrowLeft", 37, ""})
	console.await(`document.querySelectorAll("[role=treeitem]").length === 1`)
	console.press(key{"ArrowRight", 39, ""})
	console.await(`document.querySelectorAll("[role=treeitem]").length > 5`)
	console.press(key{"?", 191, "?"})
	console.await(`document.querySelector("dialog.box:modal")?.textContent.includes("Keyboard shortcuts")`)
	console.press(key{"Escape", 27, ""})
	console.await(`!document.querySelector("dialog")`)
	at("root")
	console.eval(`document.querySelector("[data-theme-switch]").click()`)
	console.await(`document.documentElement.dataset.theme === "light"`)
	console.checkQuiet()
}

// TestConsoleAsksForThePassword logs in with a wrong password and the right one, and out again.
func TestConsoleAsksForThePassword(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	const password = "correct horse battery staple"
	salt := []byte("salt of a test")
	encode := base64.RawStdEncoding.EncodeToString
	hash := fmt.Sprintf("$argon2id$v=%d$m=8192,t=1,p=1$%s$%s", argon2.Version, encode(salt), encode(argon2.IDKey([]byte(password), salt, 1, 8192, 1, 32)))
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := probe.Addr().String()
	if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	startDaemonAt(t, "admin:\n  trust_loopback: false\n  password_hash: "+hash+"\n", "127.0.0.1:0", t.TempDir(), "--admin", address)
	url := "http://" + address + "/console/"
	awaitPage(t, url)
	console := openTools(t, url)
	send := func(text string) {
		console.await(`document.activeElement.type === "password" && !document.querySelector("form button").disabled`)
		console.call("Input.insertText", map[string]any{"text": text}, nil)
		console.press(key{"Enter", 13, "\r"})
	}
	send("wrong")
	console.await(`document.querySelector("[role=alert]")?.textContent === "The password is wrong."`)
	console.screen(390, "light")
	console.eval(look)
	checkNone(console, "login", `overflows()`)
	console.shoot("console-login-390-light")
	send(password)
	console.await(`document.querySelector("[data-linkstate]")?.dataset.linkstate === "live"`)
	console.reload() // the browser has a session
	console.await(`document.querySelector("[data-linkstate]")?.dataset.linkstate === "live"`)
	console.await(`[...document.querySelectorAll("header button")].some((b) => b.textContent === "Log out")`)
	console.eval(`[...document.querySelectorAll("header button")].find((b) => b.textContent === "Log out").click()`)
	console.await(`document.querySelector("input[type=password]")`)
}

// TestConsoleLook looks at every view on narrow and wide screens, light and dark: nothing overflows, and axe-core finds
// nothing serious.
func TestConsoleLook(t *testing.T) {
	console, page, _ := openConsole(t)
	breakService(page, "demo.calls", "event")
	page.eval(`document.getElementById("askbutton").click()`)
	axe, err := os.ReadFile(filepath.Join("..", "internal", "console", "page", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Run("axe-core", func(t *testing.T) { t.Skipf("npm ci in system/internal/console/page brings it: %v", err) })
	}
	views := [][2]string{{"overview", "Overview"}, {"tree", "Tree"}, {"connections", "Connections"}, {"slow", "Slow subscribers"}, {"topics", "Topics"},
		{"services", "Services"}, {"cluster", "Cluster"}, {"deadletters", "Dead letters"}, {"log", "Log"}, {"explain", "Explain"}, {"audit", "Audit"}}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int{390, 1280} {
			console.screen(width, scheme)
			for _, view := range views {
				visit(console, view[0], view[1])
				checkConsole(console, fmt.Sprintf("console-%s-%d-%s", view[0], width, scheme), string(axe))
			}
			visit(console, "connections", "Connections")
			click(console, `tbody button.link`)
			console.await(`document.querySelector("dialog.drawer .plainlist, dialog.drawer .quiet")`)
			checkConsole(console, fmt.Sprintf("console-drawer-%d-%s", width, scheme), string(axe))
			click(console, `dialog.drawer header button`)
			console.await(`!document.querySelector("dialog")`)
		}
	}
	console.checkQuiet()
}

// checkConsole looks at what the console shows now. Without axe-core it looks at the size only.
func checkConsole(console *devtools, what, axe string) {
	console.t.Helper()
	checkNone(console, what, `overflows()`)
	if axe != "" {
		console.eval(`if (!window.axe) { ` + axe + ` } 0`)
		checkNone(console, what, `axe.run(document).then((found) => found.violations.filter((v) => v.impact === "serious" || v.impact === "critical").
			map((v) => v.id + ": " + v.nodes.map((n) => n.html).join(" ")))`)
	}
	console.shoot(what)
}

// TestConsoleInTheBackground opens the console in a tab that nobody sees: it connects once somebody does.
func TestConsoleInTheBackground(t *testing.T) {
	console, _, _ := openConsole(t)
	console.call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": `window.sockets = 0;
		window.WebSocket = class extends WebSocket { constructor(...args) { super(...args); window.sockets++; } };
		window.visible = "hidden";
		Object.defineProperty(document, "visibilityState", { get: () => window.visible });`}, nil)
	console.reload()
	console.await(`document.querySelector("[data-linkstate]")?.dataset.linkstate === "paused"`)
	if n := console.eval(`window.sockets`); n != 0.0 {
		t.Errorf("a tab in the background opens %v connections", n)
	}
	console.eval(`window.visible = "visible"; document.dispatchEvent(new Event("visibilitychange"))`)
	console.await(`document.querySelector("[data-linkstate]")?.dataset.linkstate === "live"`)
	console.checkQuiet()
}
