package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"strowger/system/fusionpbx/database/databasetest"
	"strowger/system/token"
)

// person is somebody who looks at a page.
type person struct {
	Who    string    `json:"who"`
	Domain string    `json:"domain"`
	Token  pageToken `json:"token"`
}

const (
	tenantA = "a.example.com"
	tenantB = "b.example.com"
)

// openPageOf has a browser show a page of testdata/browser for the administrators of two tenants, in two views beside
// each other.
func openPageOf(t *testing.T, d *daemon, page, service string, permissions ...string) *devtools {
	t.Helper()
	people := []person{{Who: "a", Domain: tenantA}, {Who: "b", Domain: tenantB}}
	for i := range people {
		created, _, err := token.Create(d.TokenDir, token.Spec{
			Services: []string{service}, Permissions: permissions, DomainName: people[i].Domain,
		}, token.PHP)
		if err != nil {
			t.Fatal(err)
		}
		people[i].Token = pageToken{created.Name, created.Hash}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(filepath.Join("..", "..", "testdata", "browser"))))
	mux.HandleFunc("GET /setup.json", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(map[string]any{"url": "ws://" + d.Addr + "/websockets/", "people": people}); err != nil {
			t.Errorf("send setup: %v", err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return openTools(t, server.URL+"/"+page)
}

// answered waits until both views of the page have had an answer to a request of a topic.
func answered(page *devtools, topic string) {
	page.t.Helper()
	page.await(`window.views && Object.values(views).every((view) => view.seen.some((each) => each.topic === "` + topic + `" && each.request_id !== ""))`)
}

// TestCallsPage has a browser show the calls of two tenants that call at the same time: each sees its own appear,
// be answered and end, and a click ends one at the switch.
func TestCallsPage(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	s := startStage(t, "calls-two-domains", header("Event-Name", "CHANNEL_CREATE"), header("Answer-State", "answered"), header("Answer-State", "hangup"))
	d := s.startInside(nil)
	page := openPageOf(t, d, "calls.html", "active.calls",
		"call_active_view", "call_active_domain", "call_active_hangup", "call_active_codec")
	page.await(`window.views && Object.values(views).every((view) => view.lastId === 2)`) // both are admitted and have asked
	rows := func(who, want string) {
		t.Helper()
		page.await(`[...document.querySelectorAll("#` + who + ` tr")].map((row) => row.dataset.uuid.slice(0, 4) + " " + row.dataset.state).sort().join(", ") === "` + want + `"`)
	}
	rows("a", "")
	s.goes()
	rows("a", "081c ringing, 14ef early")
	rows("b", "8157 ringing, deda early")
	s.goes()
	rows("a", "081c answered, 14ef answered")
	rows("b", "8157 answered, deda answered")
	page.eval(`document.querySelector("#a tr[data-uuid^='081c'] button").click()`)
	s.gets("api uuid_kill 081c21da-a4ec-46b1-84c3-634211605356")
	s.goes()
	rows("a", "")
	rows("b", "")
	page.checkQuiet()
}

// TestConferencePage has a browser show a conference: members appear, one is muted by a click, all leave. The other
// tenant, whose conference has the same extension, sees nothing of it.
func TestConferencePage(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	s := startStage(t, "conf-three", header("Event-Name", "CHANNEL_CREATE"), header("Action", "mute-member"), header("Action", "unmute-member"),
		header("Action", "deaf-member"))
	d := s.startInside(nil)
	page := openPageOf(t, d, "conferences.html", "active.conferences",
		"conference_active_view", "conference_interactive_view", "conference_interactive_mute")
	answered(page, "in_progress")
	members := func(want string) {
		t.Helper()
		page.await(`[...document.querySelectorAll("#a tr")].map((row) => row.dataset.member + " " + row.dataset.speaks).sort().join(", ") === "` + want + `"`)
	}
	members("")
	s.goes()
	members("1 true, 2 true, 3 true")
	page.eval(`document.querySelector("#a tr[data-member='1'] button").click()`)
	s.gets("api conference 3001@a.example.com mute 1")
	s.goes()
	members("1 false, 2 true, 3 true")
	page.eval(`document.querySelector("#a tr[data-member='1'] button").click()`)
	s.gets("api conference 3001@a.example.com unmute 1")
	s.goes()
	members("1 true, 2 true, 3 true")
	s.goes()
	members("")
	if got := page.eval(`views.b.pushes.length`); got != 0.0 {
		t.Errorf("the other tenant was pushed %v messages: %v", got, page.eval(`views.b.pushes`))
	}
	page.checkQuiet()
}

// TestPanelPage has a browser show the operator panel: the extensions of the database, a call between two of them, and
// a click that ends it at the switch.
func TestPanelPage(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	site := databasetest.Start(t).Database()
	s := startStage(t, "panel-call", header("Event-Name", "CHANNEL_CREATE"), header("Answer-State", "answered"), header("Answer-State", "hangup"))
	d := s.startInside(&site)
	page := openPageOf(t, d, "panel.html", "active.operator.panel",
		"operator_panel_view", "operator_panel_manage", "operator_panel_hangup", "operator_panel_extensions", "operator_panel_calls")
	answered(page, "extensions_active")
	cards := func(who, want string) {
		t.Helper()
		page.await(`["1001", "1002"].map((extension) => document.querySelector("#` + who + ` [data-extension='" + extension + "']")?.dataset.state).join(" ") === "` + want + `"`)
	}
	cards("a", "idle idle")
	cards("b", "idle idle")
	s.goes()
	cards("a", "early ringing")
	s.goes()
	cards("a", "answered answered")
	page.eval(`document.querySelector("#a [data-extension='1002'] button").click()`)
	s.gets("api uuid_kill 8b8f51e5-8cd5-43a5-aa7c-64a52f3133b9")
	page.await(`document.querySelector("#a p").textContent === "Call terminated"`)
	s.goes()
	cards("a", "idle idle")
	cards("b", "idle idle")
	if got := page.eval(`views.b.pushes.filter((push) => push.payload.unique_id).length`); got != 0.0 {
		t.Errorf("the other tenant was pushed %v messages of calls", got)
	}
	page.checkQuiet()
}
