package admin

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// reloading returns the handler of a server with /reload, and how often that was reached.
func reloading(t *testing.T, address string) (handler http.Handler, reloads *int) {
	t.Helper()
	reloads = new(int)
	o, err := Options{Address: address, Source: &fake{}, Log: slog.New(slog.DiscardHandler), Reload: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { *reloads++ })}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if handler, err = o.handler(at); err != nil {
		t.Fatal(err)
	}
	return handler, reloads
}

// Only a program of this machine may have something done, and only with a POST.
func TestActions(t *testing.T) {
	for name, test := range map[string]struct {
		method, remote, host, body string
		header                     [2]string
		status                     int
	}{
		"a program":           {"POST", "127.0.0.1:9", "127.0.0.1:8081", "", [2]string{}, 200},
		"by name":             {"POST", "[::1]:9", "localhost:8081", "", [2]string{}, 200},
		"mapped":              {"POST", "[::ffff:127.0.0.1]:9", "127.0.0.1:8081", "", [2]string{}, 200},
		"GET":                 {"GET", "127.0.0.1:9", "127.0.0.1:8081", "", [2]string{}, 405},
		"OPTIONS":             {"OPTIONS", "127.0.0.1:9", "127.0.0.1:8081", "", [2]string{}, 405},
		"a body":              {"POST", "127.0.0.1:9", "127.0.0.1:8081", "x", [2]string{}, 413},
		"another machine":     {"POST", "192.0.2.1:9", "192.0.2.2:8081", "", [2]string{}, 403},
		"a name leading here": {"POST", "127.0.0.1:9", "evil.example:8081", "", [2]string{}, 421},
		"a page":              {"POST", "127.0.0.1:9", "127.0.0.1:8081", "", [2]string{"Origin", "https://evil.example"}, 403},
		"a page without name": {"POST", "127.0.0.1:9", "127.0.0.1:8081", "", [2]string{"Origin", "null"}, 403},
		"a page of another":   {"POST", "127.0.0.1:9", "127.0.0.1:8081", "", [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a proxy":             {"POST", "127.0.0.1:9", "127.0.0.1:8081", "", [2]string{"X-Forwarded-For", "192.0.2.1"}, 403},
		"a proxy of https":    {"POST", "127.0.0.1:9", "127.0.0.1:8081", "", [2]string{"X-Forwarded-Proto", "https"}, 403},
		"a page of ours":      {"POST", "127.0.0.1:9", "127.0.0.1:8081", "", [2]string{"Origin", "http://127.0.0.1:8081"}, 200},
	} {
		for _, address := range []string{"127.0.0.1:8081", "0.0.0.0:8081"} {
			t.Run(fmt.Sprintf("%s, %s", name, address), func(t *testing.T) {
				handler, reloads := reloading(t, address)
				r := httptest.NewRequest(test.method, "http://"+test.host+"/reload", strings.NewReader(test.body))
				r.RemoteAddr = test.remote
				if test.header[0] != "" {
					r.Header.Set(test.header[0], test.header[1])
				}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != test.status {
					t.Errorf("status %d, want %d: %s", w.Code, test.status, w.Body)
				}
				if done := *reloads == 1; done != (test.status == 200) {
					t.Errorf("%d reloads", *reloads)
				}
			})
		}
	}
}

// Without somebody to reload there is no such path.
func TestNoActions(t *testing.T) {
	s := listen(t, &fake{}, nil)
	ask(t, s, http.MethodPost, "/reload", "").want(t, http.StatusMethodNotAllowed, "only GET and HEAD")
	get(t, s, "/reload").want(t, http.StatusNotFound)
}
