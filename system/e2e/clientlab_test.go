package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/client"
	"strowger/clients/js"
	"strowger/system/internal/daemontest"
	"strowger/system/service"
	"strowger/system/service/remote"
	"strowger/system/token"
)

// clientSetup is what a scenario in testdata/client asks for before it begins.
type clientSetup struct {
	Scenario string `json:"scenario"`
	URL      string `json:"url"`    // of the router
	Script   string `json:"script"` // address of strowger.js
	Worker   bool   `json:"worker"` // the browser runs it in a worker
	Service  string `json:"service"`
	Reclaim  bool   `json:"reclaim"` // tokens are used again
	Codes    []int  `json:"codes"`
}

// clientPlace is where the client runs.
type clientPlace struct {
	name  string
	run   func(*clientLab) clientReport
	needs func(*testing.T)
}

func clientPlaces() []clientPlace {
	return []clientPlace{
		{"node", (*clientLab).inNode, needsNode},
		{"deno", (*clientLab).inDeno, needsDeno},
		{"worker", (*clientLab).inBrowser, needsBrowser},
	}
}

// clientReport is what a scenario posts.
type clientReport struct {
	Error  string       `json:"error"`
	Flaky  *flakyReport `json:"flaky"`
	Codes  []codeReport `json:"codes"`
	Events []string     `json:"events"`
	Pages  *pagesReport `json:"pages"`
}

// clientLab serves a scenario what it needs.
type clientLab struct {
	t       *testing.T
	setup   clientSetup
	tokens  string // directory
	restart func() // of the daemon, or of its connections; nil: the scenario does not ask for it
	reports chan clientReport
	server  *httptest.Server
}

func newClientLab(t *testing.T, setup clientSetup, tokens string, restart func()) *clientLab {
	t.Helper()
	l := &clientLab{t: t, setup: setup, tokens: tokens, restart: restart, reports: make(chan clientReport, 1)}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(filepath.Join("..", "..", "testdata", "client"))))
	mux.Handle("GET /strowger.js", js.Handler())
	mux.HandleFunc("GET /setup.json", func(w http.ResponseWriter, _ *http.Request) { l.write(w, l.setup) })
	mux.HandleFunc("POST /token", l.token)
	mux.HandleFunc("POST /restart", func(http.ResponseWriter, *http.Request) { l.restart() })
	mux.HandleFunc("POST /result", func(_ http.ResponseWriter, r *http.Request) {
		var report clientReport
		if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
			report.Error = "read report: " + err.Error()
		}
		select {
		case l.reports <- report:
		default: // only the first counts
		}
	})
	l.server = httptest.NewServer(mux)
	t.Cleanup(l.server.Close)
	return l
}

func (l *clientLab) write(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		l.t.Logf("answer the scenario: %v", err)
	}
}

// token makes a token for the client, with the limit that the query names.
func (l *clientLab) token(w http.ResponseWriter, r *http.Request) {
	limit, _ := time.ParseDuration(r.URL.Query().Get("limit"))
	made, _, err := token.Create(l.tokens, token.Spec{Services: []string{l.setup.Service}, UserName: "ada", Limit: limit}, token.JSON)
	if err != nil {
		l.t.Errorf("make token: %v", err)
		http.Error(w, "no token", http.StatusInternalServerError)
		return
	}
	l.write(w, pageToken{made.Name, made.Hash})
}

// inBrowser runs the scenario in Chromium.
func (l *clientLab) inBrowser() clientReport {
	l.t.Helper()
	return l.await(browse(l.t, l.server.URL+"/"))
}

// inNode runs the scenario with the package as it is published.
func (l *clientLab) inNode() clientReport {
	l.t.Helper()
	node := lookPath(l.t, "STROWGER_REQUIRE_NODE", "node")
	return l.run(node, "--experimental-websocket", "--no-warnings")
}

// inDeno does the same in Deno, which may read the package and use the network and nothing else.
func (l *clientLab) inDeno() clientReport {
	l.t.Helper()
	return l.run(denoPath(l.t), "run", "--no-prompt", "--allow-net", "--allow-read")
}

func (l *clientLab) run(program string, arguments ...string) clientReport {
	l.t.Helper()
	cmd := exec.Command(program, append(arguments, filepath.Join("..", "..", "testdata", "client", "node.mjs"),
		filepath.Join("..", "..", "clients", "js", "dist", "index.js"), l.server.URL)...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	daemontest.Group(cmd)
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // it is killed if the test fails
	}()
	l.t.Cleanup(func() {
		_ = daemontest.KillGroup(cmd)
		<-exited
		if l.t.Failed() {
			l.t.Logf("%s said:\n%s", filepath.Base(program), &said)
		}
	})
	return l.await(exited)
}

// await waits for the report.
func (l *clientLab) await(gone <-chan struct{}) clientReport {
	l.t.Helper()
	var report clientReport
	select {
	case report = <-l.reports:
	case <-gone:
		select {
		case report = <-l.reports:
		default:
			l.t.Fatal("the scenario ended without a report")
		}
	case <-time.After(3 * deadline):
		l.t.Fatalf("no report for %v", 3*deadline)
	}
	if report.Error != "" {
		l.t.Fatalf("scenario: %s", report.Error)
	}
	return report
}

// serveLab connects a service of the tests with the router until t ends, and comes back with it.
func serveLab(t *testing.T, addr, tokens string, s *service.Service) {
	t.Helper()
	mint := &token.Mint{Dir: tokens, Spec: token.Spec{ServiceName: s.Name, ServiceClass: "lab_plain_service"}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- remote.Serve(ctx, "ws://"+addr+"/", func(context.Context) (client.Token, error) {
			made, err := mint.Make()
			if err != nil {
				return client.Token{}, err
			}
			return client.Token{Name: made.Name, Hash: made.Hash}, nil
		}, s, remote.Options{Client: client.Options{Reconnect: client.Reconnect{Min: 10 * time.Millisecond, Max: 100 * time.Millisecond, Refusals: -1}}})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && !strings.Contains(err.Error(), context.Canceled.Error()) {
			t.Errorf("service: %v", err)
		}
		mint.Close()
	})
}

// scriptAt returns the address of the client at the listener of a daemon, and "" if there is none.
func scriptAt(t *testing.T, addr string) string {
	t.Helper()
	url := "http://" + addr + "/websockets/strowger.js"
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return ""
	}
	return url
}

// needsNode skips t where there is no node, before the work for a scenario is done.
func needsNode(t *testing.T) {
	t.Helper()
	node := lookPath(t, "STROWGER_REQUIRE_NODE", "node")
	if out, err := exec.Command(node, "--experimental-websocket", "-e", "process.exit(typeof WebSocket === 'function' ? 0 : 1)").CombinedOutput(); err != nil {
		t.Skipf("this node has no WebSocket: %v\n%s", err, out)
	}
}

// denoPath returns the Deno that is on the machine, or the one that the client's own tests run in.
func denoPath(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"deno", filepath.Join("..", "..", "clients", "js", "node_modules", ".bin", "deno")} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no deno: npm ci in clients/js brings one")
	return ""
}

func needsDeno(t *testing.T) { denoPath(t) }

func needsBrowser(t *testing.T) {
	t.Helper()
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
}
