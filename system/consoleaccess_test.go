package system

import (
	"net/http"
	"strings"
	"testing"

	"strowger/system/internal/console"
)

// On the admin port itself: a name that leads here and a page of another origin get nothing, and neither does a token
// of the router.
func TestConsoleAccess(t *testing.T) {
	s := start(t, consoleConfig(t))
	eventually(t, "the admin pages listen", func() bool { return s.AdminAddr() != nil })
	at := s.AdminAddr().String()
	for name, test := range map[string]struct {
		method, path, host, origin string
		status                     int
	}{
		"a program":                   {"POST", "token", at, "", 200},
		"a page of ours":              {"POST", "token", at, "http://" + at, 200},
		"a name that leads here":      {"POST", "token", "evil.example:8081", "", 421},
		"a page of another origin":    {"POST", "token", at, "http://evil.example", 403},
		"a socket of another origin":  {"GET", "ws", at, "http://evil.example", 403},
		"a socket of another port":    {"GET", "ws", at, "http://127.0.0.1:1", 403},
		"a socket without an upgrade": {"GET", "ws", at, "", 400},
		"the page":                    {"GET", "", at, "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, "http://"+at+console.Path+test.path, strings.NewReader(strings.Repeat("{}", len(test.method)/4)))
			if err != nil {
				t.Fatal(err)
			}
			request.Host = test.host
			request.Header.Set("Content-Type", "application/json")
			if test.origin != "" {
				request.Header.Set("Origin", test.origin)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != test.status {
				t.Errorf("status %d, want %d", response.StatusCode, test.status)
			}
		})
	}

	stranger := connectAt(t, at+"/console/ws?")
	made := mint(t, s.running.Load().Tokens.Directory, user("Oslo", nil, console.Name))
	stranger.sendf(`{"service":%q,"topic":"tree","request_id":"1"}`, console.Name)
	stranger.gets(`407 authentication/authenticate #"1" null`)
	stranger.sendf(`{"service":"authentication","request_id":"2","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash)
	stranger.gets(`401 authentication/unauthorized #"2" null`)

	// The router does not know the console's service.
	page := join(t, s, user("Oslo", nil, console.Name))
	page.sendf(`{"service":"strowger","topic":"offered","request_id":"3","payload":{"service":%q}}`, console.Name)
	page.gets(`200 strowger/offered #"3" {"offered":false}`)
}
