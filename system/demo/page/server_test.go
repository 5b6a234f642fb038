package page

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"strowger/clients/js"
	"strowger/system/demo"
	"strowger/system/token"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func listen(t *testing.T) (s *Server, tokens string) {
	t.Helper()
	tokens = t.TempDir()
	services := []string{demo.CallsName, demo.ClockName}
	s, err := Listen(Options{
		Address: "127.0.0.1:0", Router: "127.0.0.1:7", Tokens: tokens, Users: demo.Users(services...),
		Services: services, Victims: services[:1], Chaos: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s, tokens
}

// ask sends one request, on a connection of its own.
func ask(t *testing.T, s *Server, method, path, host, origin string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, s.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestWhoGetsWhat(t *testing.T) {
	s, _ := listen(t)
	own := strings.TrimSuffix(s.URL(), "/")
	port := own[strings.LastIndex(own, ":"):]
	tests := map[string]struct {
		method, path, host, origin string
		status                     int
	}{
		"page":                        {"GET", "", "", "", 200},
		"setup":                       {"GET", "setup.json", "", "", 200},
		"token":                       {"POST", "token?user=alice", "", own, 200},
		"token for nobody":            {"POST", "token?user=mallory", "", own, 404},
		"token without origin":        {"POST", "token?user=alice", "", "", 403},
		"token for another site":      {"POST", "token?user=alice", "", "http://evil.example", 403},
		"token for another port":      {"POST", "token?user=alice", "", "http://127.0.0.1:1", 403},
		"token for a page in a file":  {"POST", "token?user=alice", "", "null", 403},
		"token by GET":                {"GET", "token?user=alice", "", own, 405},
		"page under another name":     {"GET", "", "evil.example" + port, "", 421},
		"token under another name":    {"POST", "token?user=alice", "evil.example" + port, "http://evil.example" + port, 421},
		"setup under the local name":  {"GET", "setup.json", "localhost" + port, "", 421},
		"what does not exist":         {"GET", "other", "", "", 404},
		"what lies outside the pages": {"GET", "../server.go", "", "", 404},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			answer, body := ask(t, s, test.method, test.path, test.host, test.origin)
			if answer.StatusCode != test.status {
				t.Errorf("status %d, want %d: %s", answer.StatusCode, test.status, body)
			}
			if answer.StatusCode != 200 && strings.Contains(body, "hash") {
				t.Errorf("a refusal says %s", body)
			}
			if policy := answer.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; ") {
				t.Errorf("content policy is %q", policy)
			}
		})
	}
}

func TestPageIsWhole(t *testing.T) {
	s, _ := listen(t)
	answer, body := ask(t, s, "GET", "", "", "")
	const script = `<script src="/strowger.js"></script>`
	if strings.Count(body, script) != 1 {
		t.Errorf("page does not load the client by %s", script)
	}
	if answer, client := ask(t, s, "GET", js.Name, "", ""); answer.StatusCode != 200 || client != string(js.Script()) {
		t.Errorf("client: status %d, %d bytes", answer.StatusCode, len(client))
	}
	body = strings.Replace(body, script, "", 1)
	for _, outside := range []string{"src=\"", "http://", "https://", "@import", "style=\"", "onclick", "innerHTML"} {
		// The name of SVG's namespace is no address.
		if rest := strings.ReplaceAll(body, "http://www.w3.org/2000/svg", ""); strings.Contains(rest, outside) {
			t.Errorf("page has %q", outside)
		}
	}
	for _, element := range []string{"script", "style"} {
		if n := strings.Count(body, "<"+element); n != 1 {
			t.Errorf("%d elements %s, want one", n, element)
		}
		if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "'sha256-") || !strings.Contains(policy, element+"-src '") {
			t.Errorf("content policy is %q", policy)
		}
	}
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "connect-src 'self' ws://127.0.0.1:7;") {
		t.Errorf("content policy is %q", policy)
	}
}

func TestSetup(t *testing.T) {
	s, _ := listen(t)
	_, body := ask(t, s, "GET", "setup.json", "", "")
	var got setup
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Socket != "ws://127.0.0.1:7/" || got.Chaos != "5s" || len(got.Users) != 5 || len(got.Services) != 2 || len(got.Victims) != 1 {
		t.Errorf("setup is %s", body)
	}
	if need := fmt.Sprint(got.Fields["channel_read_codec_name"]); need != "[call_active_codec]" {
		t.Errorf("the codec needs %s", need)
	}
	if strings.Contains(body, "hash") {
		t.Errorf("setup is %s", body)
	}
}

// TestTokensAreGood claims a token, as the router does.
func TestTokensAreGood(t *testing.T) {
	s, dir := listen(t)
	_, body := ask(t, s, "POST", "token?user=bob", "", strings.TrimSuffix(s.URL(), "/"))
	var made madeToken
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatal(err)
	}
	store, err := token.Open(token.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := store.Claim(made.Name, made.Hash)
	if err != nil {
		t.Fatal(err)
	}
	if claimed.UserName != "bob" || claimed.DomainName != "b.example.com" || len(claimed.Services) != 2 {
		t.Errorf("token is %+v", claimed)
	}
}

// TestUnusedTokensAreBounded asks for more tokens than may be there.
func TestUnusedTokensAreBounded(t *testing.T) {
	dir := t.TempDir()
	m := mint{dir: dir}
	spec := demo.Users(demo.ClockName)[0].Spec
	for range mostTokens + 10 {
		if _, err := m.make(spec); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, dir); n != mostTokens {
		t.Errorf("%d tokens, want %d", n, mostTokens)
	}
	m.discard()
	if n := count(t, dir); n != 0 {
		t.Errorf("%d tokens are left", n)
	}
}

func count(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func TestNoTokenDirectory(t *testing.T) {
	s, dir := listen(t)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	answer, body := ask(t, s, "POST", "token?user=bob", "", strings.TrimSuffix(s.URL(), "/"))
	if answer.StatusCode != 500 || strings.Contains(body, dir) {
		t.Errorf("got %d %s", answer.StatusCode, body)
	}
}

func TestAddresses(t *testing.T) {
	tests := map[string]bool{
		"127.0.0.1:8088": true, "127.9.9.9:1": true, "[::1]:8088": true, "localhost:8088": true, "127.0.0.1:0": true,
		"0.0.0.0:8088": false, ":8088": false, "[::]:8088": false, "192.0.2.1:8088": false, "example.com:8088": false,
		"127.0.0.1": false, "": false, "localhost.example.com:1": false,
	}
	for address, want := range tests {
		if err := CheckLoopback(address); (err == nil) != want {
			t.Errorf("%q: %v, want good: %v", address, err, want)
		}
	}
	if _, err := Listen(Options{Address: "0.0.0.0:0"}); err == nil {
		t.Error("listens for everybody")
	}
	s, _ := listen(t)
	if _, err := Listen(Options{Address: s.host}); err == nil {
		t.Error("listens where somebody else does")
	}
}
