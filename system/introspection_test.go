package system

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/internal/introspect"
	"strowger/system/service"
	"strowger/system/token"
)

// get asks the admin pages of a running system.
func get(t *testing.T, s *System, path string, want int) []byte {
	t.Helper()
	eventually(t, "the admin pages listen", func() bool { return s.AdminAddr() != nil })
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get("http://" + s.AdminAddr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != want {
		t.Fatalf("%s: status %d, want %d: %s", path, r.StatusCode, want, body)
	}
	return body
}

func find(t *testing.T, s *System, path string) introspect.Node {
	t.Helper()
	tree := s.source().Tree()
	for at, node := range tree.All() {
		if at == path {
			return *node
		}
	}
	t.Fatalf("%s is not in the tree", path)
	return introspect.Node{}
}

func TestAdminPages(t *testing.T) {
	cfg := testConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	needed := parrot("needed")
	needed.Required = true
	needed.Supervision = service.Supervision{Intensity: -1, CoolDown: time.Hour}
	s := start(t, cfg, needed, parrot("other"))
	c := member(t, s, token.Spec{Kind: token.User})
	wantReply(t, c, "needed", "count", nil, "1")

	get(t, s, "/healthz", http.StatusOK)
	eventually(t, "ready", func() bool { return len(s.source().Ready()) == 0 })
	get(t, s, "/readyz", http.StatusOK)
	eventually(t, "all actors run", func() bool {
		tree := s.source().Tree()
		for _, node := range tree.All() {
			if node.State != introspect.Running {
				return false
			}
		}
		return true
	})
	var tree introspect.Node
	if err := json.Unmarshal(get(t, s, "/tree", http.StatusOK), &tree); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for path, node := range tree.All() {
		paths = append(paths, path)
		if node.State != introspect.Running {
			t.Errorf("%s is %s", path, node.State)
		}
	}
	for _, want := range []string{"root", "root/router", "root/connections", "root/services/needed", "root/services/other",
		"root/janitors/token_check", "root/janitors/token_sweep", "root/listener", "root/admin", "root/egress/0", fmt.Sprint("root/egress/", s.egress.Shards()-1)} {
		if !slices.Contains(paths, want) {
			t.Errorf("%s is not in the tree: %v", want, paths)
		}
	}
	metrics := string(get(t, s, "/metrics", http.StatusOK))
	for _, want := range []string{"strowger_transport_open_connections 1\n", "strowger_routing_requests_total 1\n", `strowger_supervisor_mailbox_messages{actor="root/router"} 0` + "\n"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %q in:\n%s", want, metrics)
		}
	}

	if _, err := ask(t, c, "needed", "crash", map[string]string{"secret": "of somebody"}); err == nil {
		t.Fatal("a crash was answered well")
	}
	if _, err := ask(t, c, "needed", "count", nil); err == nil {
		t.Fatal("a service that is down answered")
	}
	if got := string(get(t, s, "/readyz", http.StatusServiceUnavailable)); !strings.Contains(got, "service needed") {
		t.Errorf("not ready, and says %s", got)
	}
	node := find(t, s, "root/services/needed")
	if node.State != introspect.Waiting || node.Breaker != introspect.Open || node.Failures != 1 || node.Backoff <= 0 ||
		node.Last == nil || !strings.Contains(node.Last.Reason, "told to") {
		t.Errorf("the tree says %+v", node)
	}
	letters := string(get(t, s, "/deadletters", http.StatusOK))
	if !strings.Contains(letters, `"topic":"crash"`) || strings.Contains(letters, "somebody") {
		t.Errorf("dead letters: %s", letters)
	}
}

func TestAdminExplains(t *testing.T) {
	cfg := testConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	s := start(t, cfg, parrot("a"))
	member(t, s, token.Spec{Kind: token.User, Services: []string{"a"}})
	eventually(t, "the admin pages listen", func() bool { return s.AdminAddr() != nil })
	for _, test := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/explain?subscriber=nobody&service=a", `{"topic":"x","payload":{"k":1}}`, http.StatusNotFound, ErrNoMember.Error()},
		{"/explain?subscriber=nobody&service=b", `{"topic":"x","payload":{"k":1}}`, http.StatusNotFound, ErrUnknownService.Error()},
		{"/explain?subscriber=nobody&service=a", `{}`, http.StatusBadRequest, "empty object"},
		{"/tree", `{}`, http.StatusMethodNotAllowed, "only GET and HEAD"},
	} {
		r, err := http.Post("http://"+s.AdminAddr().String()+test.path, "application/json", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != test.status || !strings.Contains(string(body), test.want) {
			t.Errorf("%s: status %d, %s, %v; want %d and %q", test.path, r.StatusCode, body, err, test.status, test.want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// The router goes on without its admin pages.
func TestAdminPortTaken(t *testing.T) {
	cfg := testConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	first := start(t, cfg)
	eventually(t, "the admin pages listen", func() bool { return first.AdminAddr() != nil })
	taken := testConfig(t)
	taken.Admin.Address = first.AdminAddr().String()
	s := start(t, taken, parrot("a"))
	c := member(t, s, token.Spec{Kind: token.User})
	wantReply(t, c, "a", "count", nil, "1")
	eventually(t, "the tree says that the pages failed", func() bool { return find(t, s, "root/admin").Failures > 0 })
}

func TestTokensCannotBeClaimed(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	eventually(t, "ready", func() bool { return len(s.source().Ready()) == 0 })
	if err := os.RemoveAll(cfg.Tokens.Directory); err != nil {
		t.Fatal(err)
	}
	if err := s.checkTokens(); err == nil {
		t.Error("the directory is gone and the check found nothing wrong")
	}
	if p := s.source().Ready(); len(p) != 1 || p[0].Part != "tokens" {
		t.Errorf("ready: %v, want a problem with tokens", p)
	}
}

// eventually polls for what no event tells of.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
