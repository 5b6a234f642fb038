package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"testing"
)

// TestRestartInBrowser restarts the daemon while clients that behave as FusionPBX's pages are connected from a
// real browser. They come back with the tokens that they have used, and go on. One that logs out does not.
func TestRestartInBrowser(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	yaml := "tokens:\n  reclaim: 5m\n  reclaim_file: " + filepath.Join(t.TempDir(), "reclaim") + "\n"
	d := startDaemon(t, yaml)
	startPageService(t, d, pageServiceName)
	tools := openTools(t, servePages(t, newSetup(t, d))+"/restart.html")
	tools.await("window.pages && pages.every((page) => page.admitted === 1)")
	call := func() { tools.eval("Promise.all(pages.map((page) => page.call())).then(() => true)") }
	call()
	d.stop(t)

	next := startDaemonAt(t, yaml, d.Addr, d.TokenDir)
	tools.await("pages.every((page) => page.admitted === 2)")
	startPageService(t, next, pageServiceName)
	call()
	want := map[string]any{"codes": []any{1001.0}, "admitted": 2.0, "refused": 0.0, "replies": 2.0}
	for _, variant := range pageVariants() {
		script := "(({codes, admitted, refused, replies}) => ({codes, admitted, refused, replies}))(pages.find((page) => page.name === '" + variant.name + "'))"
		if got := tools.eval(script); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", variant.name, got, want)
		}
	}

	tools.eval("pages.forEach((page) => page.client.socket.close(1000))")
	tools.await("pages.every((page) => page.refused === 1)")
	if got := tools.eval("pages.every((page) => page.admitted === 2)"); got != true {
		t.Error("a page that has logged out is let in with its old token")
	}
}

// servePages serves the pages and what they ask for, and returns where.
func servePages(t *testing.T, setup pageSetup) (url string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(filepath.Join("..", "..", "testdata", "browser"))))
	mux.HandleFunc("GET /setup.json", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(setup); err != nil {
			t.Errorf("send setup: %v", err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}
