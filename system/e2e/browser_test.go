package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"strowger/system/token"
)

const pageServiceName = "lab.page"

type pageToken struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
}

// pageSetup is what the page asks for before it begins.
type pageSetup struct {
	URL     string               `json:"url"`
	Service string               `json:"service"`
	Tokens  map[string]pageToken `json:"tokens"` // by variant
}

// pageReport is what the page posts in the end.
type pageReport struct {
	Error    string                   `json:"error"`
	Variants map[string]variantReport `json:"variants"`
	Burnt    variantReport            `json:"burnt"`
}

type variantReport struct {
	Authentication outcome          `json:"authentication"`
	Reply          outcome          `json:"reply"`   // to call
	Refusal        outcome          `json:"refusal"` // to refuse
	Seen           []map[string]any `json:"seen"`
	Pushes         []push           `json:"pushes"`
	Open           bool             `json:"open"`
}

// outcome is how a promise of the page ended.
type outcome struct {
	Resolved bool           `json:"resolved"`
	Envelope map[string]any `json:"envelope"`
}

// push is what a handler of the page got.
type push struct {
	Name    string         `json:"name"`
	Payload map[string]any `json:"payload"`
}

// pageVariant is what a client of the page has to make of the same conversation (protocol 9.2).
type pageVariant struct {
	name         string
	refusalTaken bool     // it takes a refusal for success
	pushes       []string // in order; those of announcements once for each
}

func pageVariants() []pageVariant {
	return []pageVariant{
		{name: "active_calls", pushes: []string{"CALL", "ANNOUNCEMENT", "ANNOUNCEMENT", "ANNOUNCEMENT", "ANNOUNCEMENT"}},
		{name: "dashboard", refusalTaken: true,
			pushes: []string{"call", "announcement", "announcement", "announcement", "announcement"}},
		{name: "active_conferences", refusalTaken: true,
			pushes: []string{"ANNOUNCEMENT", "*", "ANNOUNCEMENT", "*", "ANNOUNCEMENT", "*", "ANNOUNCEMENT", "*"}},
		{name: "operator_panel",
			pushes: []string{"announcement", "*", "announcement", "*", "announcement", "*", "announcement", "*"}},
	}
}

// TestBrowser has a page whose clients behave as the four kinds of FusionPBX's pages do connect from
// a real browser, with the origin of another port of the same host.
func TestBrowser(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	d := startDaemon(t, "")
	startPageService(t, d, pageServiceName)
	report := openPage(t, newSetup(t, d))
	if report.Error != "" {
		t.Fatalf("page: %s", report.Error)
	}
	for _, variant := range pageVariants() {
		t.Run(variant.name, func(t *testing.T) { checkVariant(t, variant, report.Variants[variant.name]) })
	}
	t.Run("burnt token", func(t *testing.T) { checkBurnt(t, report.Burnt) })
}

func newSetup(t *testing.T, d *daemon) pageSetup {
	t.Helper()
	setup := pageSetup{URL: "ws://" + d.Addr + "/websockets/", Service: pageServiceName, Tokens: map[string]pageToken{}}
	for _, variant := range pageVariants() {
		created, _, err := token.Create(d.TokenDir, token.Spec{
			Services:    []string{pageServiceName},
			Permissions: []string{"lab_view"},
			DomainName:  labDomain,
			DomainUUID:  "11111111-1111-4111-8111-111111111111",
			UserName:    "admin",
		}, token.PHP)
		if err != nil {
			t.Fatal(err)
		}
		setup.Tokens[variant.name] = pageToken{created.Name, created.Hash}
	}
	return setup
}

// openPage serves the page to a browser and waits for its report.
func openPage(t *testing.T, setup pageSetup) pageReport {
	t.Helper()
	type result struct {
		report pageReport
		err    error
	}
	results := make(chan result, 1)
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(filepath.Join("..", "..", "testdata", "browser"))))
	mux.HandleFunc("GET /setup.json", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(setup); err != nil {
			t.Errorf("send setup: %v", err)
		}
	})
	mux.HandleFunc("POST /result", func(_ http.ResponseWriter, r *http.Request) {
		var res result
		res.err = json.NewDecoder(r.Body).Decode(&res.report)
		select {
		case results <- res:
		default: // only the first counts
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	gone := browse(t, server.URL+"/")
	select {
	case res := <-results:
		if res.err != nil {
			t.Fatalf("read the page's report: %v", res.err)
		}
		return res.report
	case <-gone:
		t.Fatal("browser ended before the page reported")
	case <-time.After(3 * deadline): // a browser starts slowly on a busy machine
		t.Fatalf("page reports nothing for %v", 3*deadline)
	}
	return pageReport{}
}

func checkVariant(t *testing.T, want pageVariant, got variantReport) {
	if len(got.Seen) == 0 {
		t.Fatal("page saw no envelope")
	}
	for _, envelope := range got.Seen {
		checkKeys(t, envelope)
	}
	checkFields(t, got.Seen[0], map[string]any{
		"service_name": "authentication", "topic": "authenticate", "status_code": 407.0,
		"status_string": "Authentication Required", "request_id": "", "payload": nil,
	})
	checkOutcome(t, "authentication", got.Authentication, true, map[string]any{
		"service_name": "authentication", "topic": "authenticated", "status_code": 200.0,
		"status_string": "OK", "request_id": "1",
	})
	asked := map[string]any{"variant": want.name}
	checkOutcome(t, "reply", got.Reply, true, map[string]any{
		"service_name": pageServiceName, "topic": "call", "status_code": 200.0, "status_string": "ok",
		"request_id": "2", "resource_id": "", "payload": labPayload("CALL", asked),
	})
	checkOutcome(t, "refusal", got.Refusal, want.refusalTaken, map[string]any{
		"service_name": pageServiceName, "topic": "refuse", "status_code": 403.0, "status_string": "error",
		"request_id": "3", "resource_id": "", "payload": nil,
	})
	checkPushes(t, want, got)
	if !got.Open {
		t.Error("socket is not open in the end")
	}
}

func labPayload(event string, asked map[string]any) map[string]any {
	return map[string]any{"event_name": event, "domain_name": labDomain, "asked": asked}
}

func checkOutcome(t *testing.T, what string, got outcome, resolved bool, want map[string]any) {
	t.Helper()
	if got.Resolved != resolved {
		t.Errorf("%s: resolved is %v, want %v", what, got.Resolved, resolved)
	}
	t.Run(what, func(t *testing.T) { checkFields(t, got.Envelope, want) })
}

// checkPushes wants every variant's announcement exactly once at each of the handlers.
func checkPushes(t *testing.T, want pageVariant, got variantReport) {
	t.Helper()
	var names []string
	seen := map[string]map[string]int{} // handler, then variant
	for _, p := range got.Pushes {
		names = append(names, p.Name)
		asked, _ := p.Payload["asked"].(map[string]any)
		if p.Payload["event_name"] == "ANNOUNCEMENT" {
			if seen[p.Name] == nil {
				seen[p.Name] = map[string]int{}
			}
			seen[p.Name][fmt.Sprint(asked["variant"])]++
		}
		if isReply := p.Name == "call"; isReply != (p.Payload["__from_request"] == true) {
			t.Errorf("push %s has __from_request %v", p.Name, p.Payload["__from_request"])
		}
	}
	if !slices.Equal(names, want.pushes) {
		t.Errorf("handlers were called in the order %v, want %v", names, want.pushes)
	}
	once := map[string]int{}
	for _, variant := range pageVariants() {
		once[variant.name] = 1
	}
	for handler, counts := range seen {
		if !reflect.DeepEqual(counts, once) {
			t.Errorf("handler %s got announcements %v, want %v", handler, counts, once)
		}
	}
}

// checkBurnt wants a used token refused twice, and the socket open all the same (protocol 9.3).
func checkBurnt(t *testing.T, got variantReport) {
	refused := map[string]any{
		"service_name": "authentication", "topic": "unauthorized", "status_code": 401.0, "status_string": "",
		"request_id": "1", "payload": nil,
	}
	checkOutcome(t, "authentication", got.Authentication, false, refused)
	var codes []any
	for _, envelope := range got.Seen {
		checkKeys(t, envelope)
		codes = append(codes, envelope["status_code"])
	}
	if want := []any{407.0, 401.0, 407.0, 401.0}; !reflect.DeepEqual(codes, want) {
		t.Errorf("page saw the codes %v, want %v", codes, want)
	}
	if !got.Open {
		t.Error("socket is not open in the end")
	}
}
