package e2e

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"strowger/client/clienttest"
	"strowger/clients/js"
	"strowger/system/service"
)

const numbersName = "lab.numbers"

// numbers is the service of the scenarios. It notes which requests it has seen.
type numbers struct {
	noisy bool         // it says more than numbers
	ended atomic.Bool  // it says so
	said  atomic.Int64 // the last number

	mu   sync.Mutex // Protects seen.
	seen map[string]int
}

func (n *numbers) service() *service.Service {
	return &service.Service{Name: numbersName, Setup: func(s service.Setup) error {
		s.Handle("echo", func(r service.Request) error {
			n.mu.Lock()
			n.seen[string(r.Payload())]++
			n.mu.Unlock()
			r.Reply(r.Payload())
			return nil
		})
		s.Handle("refuse", func(r service.Request) error { r.Fail(http.StatusTeapot, "I am a teapot"); return nil })
		s.Handle("many", func(r service.Request) error {
			var most int
			if err := r.Decode(&most); err != nil {
				return err
			}
			for i := 1; i < most; i++ {
				r.Stream("item", i)
			}
			r.Reply(most)
			return nil
		})
		s.Every(2*time.Millisecond, func(c service.Context) {
			c.Broadcast("number", n.said.Add(1))
			if n.noisy {
				c.Broadcast("noise", nil)
			}
			if n.ended.Load() {
				c.Broadcast("end", true)
			}
		})
		return nil
	}}
}

// flakyReport is what a client makes of connections that break.
type flakyReport struct {
	Asked    int               `json:"asked"`
	Outcomes map[string]string `json:"outcomes"` // by the number that was asked for
	States   map[string]int    `json:"states"`
	Called   watched           `json:"called"`
	Iterated watched           `json:"iterated"`
	Fresh    int               `json:"fresh"`
	Again    int               `json:"again"`
	Noise    int               `json:"noise"` // broadcasts that the client has not asked for
}

// watched is what came of the numbers that were broadcast.
type watched struct {
	Received int      `json:"received"`
	Gaps     int      `json:"gaps"`
	Missed   int      `json:"missed"`
	Wrong    []string `json:"wrong"`
}

// TestClientOnAFlakyNetwork has clients ask and listen while their connections are cut, stall and are left half open. They
// listen with a filter, which each connection has.
func TestClientOnAFlakyNetwork(t *testing.T) {
	const kept = "policies: {lab_plain_service: {scopes: [{to: all}], history: {messages: 100000, bytes: 32MiB}}}\n"
	for _, test := range []struct {
		name     string
		run      func(*clientLab) clientReport
		needs    func(*testing.T)
		settings string
		reclaim  bool
		history  bool
		faults   int
		numbers  int64
	}{
		{"node", (*clientLab).inNode, needsNode, "tokens: {reclaim: 5m}\n", true, false, 100, 5_000},
		{"node with a history", (*clientLab).inNode, needsNode, "tokens: {reclaim: 5m}\n" + kept, true, true, 200, 10_000},
		{"browser", (*clientLab).inBrowser, needsBrowser, "", false, false, 60, 3_000},
		{"browser with a history", (*clientLab).inBrowser, needsBrowser, kept, false, true, 60, 3_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.needs(t)
			settings := "listen: {client: true}\n" + test.settings
			d := startDaemon(t, settings)
			n := &numbers{seen: map[string]int{}, noisy: true}
			serveLab(t, d.Addr, d.TokenDir, n.service())
			proxy := startFlaky(t, d.Addr)
			lab := newClientLab(t, clientSetup{Scenario: "flaky", URL: "ws://" + proxy.addr + "/websockets/", Script: scriptAt(t, d.Addr),
				Service: numbersName, Reclaim: test.reclaim}, d.TokenDir, nil)
			broken := make(chan struct{})
			stop := make(chan struct{})
			go func() {
				defer close(broken)
				breakConnections(proxy, n, test.faults, test.numbers, stop)
			}()
			defer func() { close(stop); <-broken }()
			report := test.run(lab)
			checkFlaky(t, n, report.Flaky, test.faults, test.reclaim, test.history)
		})
	}
}

// breakConnections breaks a new connection with each fault, and has the service say that it is the end after the last one.
// It waits for a client that gets messages before every second fault. The others come at any point of the client's work.
func breakConnections(proxy *flaky, n *numbers, faults int, most int64, stop <-chan struct{}) {
	wait := func(until func() bool) bool {
		for !until() {
			select {
			case <-time.After(time.Millisecond):
			case <-stop:
				return false
			}
		}
		return true
	}
	accepted := int64(0)
	for i := range faults {
		if !wait(func() bool { return proxy.accepted.Load() > accepted }) {
			return
		}
		before := n.said.Load()
		if !wait(func() bool {
			return n.said.Load() >= before+int64(i%23) && (i%2 == 0 || proxy.carries(handshakeBytes))
		}) {
			return
		}
		accepted = proxy.accepted.Load()
		switch i % 20 {
		case 7:
			proxy.stall()
		case 13:
			proxy.halfOpen()
		default:
			proxy.cut()
		}
	}
	if wait(func() bool { return n.said.Load() >= most }) {
		n.ended.Store(true)
	}
}

// handshakeBytes is more than the router says to a client before the first broadcast.
const handshakeBytes = 2 << 10

func checkFlaky(t *testing.T, n *numbers, got *flakyReport, faults int, reclaim, history bool) {
	t.Helper()
	if got == nil {
		t.Fatal("no report")
	}
	kinds := map[string]int{}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := 1; i <= got.Asked; i++ {
		key := strconv.Itoa(i)
		outcome, seen := got.Outcomes[key], n.seen[key]
		kinds[outcome]++
		switch {
		case outcome == "answered" && seen == 1, outcome == "disconnected" && seen <= 1:
		case strings.HasSuffix(outcome, ", not sent") && seen == 0:
		default:
			t.Errorf("request %d: outcome %q, and the service has seen it %d times", i, outcome, seen)
		}
	}
	t.Logf("%d faults, numbers to %d; requests: %v; states: %v; called: %+v; tokens: %d fresh, %d used again",
		faults, n.said.Load(), kinds, got.States, got.Called, got.Fresh, got.Again)
	if kinds["answered"] < got.Asked/4 || kinds["answered"] == 0 {
		t.Errorf("only %d of %d requests were answered", kinds["answered"], got.Asked)
	}
	for name, w := range map[string]watched{"callback": got.Called, "iterator": got.Iterated} {
		if len(w.Wrong) > 0 {
			t.Errorf("%s: out of order, or lost without a word: %v", name, w.Wrong)
		}
		if w.Received == 0 || history != (w.Gaps == 0) || w.Missed > 0 {
			t.Errorf("%s: %+v", name, w)
		}
	}
	if got.Called.Received != got.Iterated.Received {
		t.Errorf("the callback got %d, the iterator %d", got.Called.Received, got.Iterated.Received)
	}
	if got.States["online"] < faults/2 || got.States["closed"] != 1 {
		t.Errorf("states: %v", got.States)
	}
	if got.Noise > 0 {
		t.Errorf("the router sent %d broadcasts that a filter does not pass", got.Noise)
	}
	if reclaim != (got.Again > 0) {
		t.Errorf("tokens were used again %d times", got.Again)
	}
}

// codeReport is what a client did after a close code.
type codeReport struct {
	Code  int    `json:"code"`
	End   string `json:"end"`
	Seen  int    `json:"seen"`
	Later bool   `json:"later"`
	Same  bool   `json:"same"`
}

// closing returns what the client has to do after each close code (protocol 8).
func closing() map[int]codeReport {
	all := map[int]codeReport{}
	for _, code := range []int{1000, 1001, 1006, 1011, 4005, 4099} {
		all[code] = codeReport{Code: code, End: "back", Seen: code, Same: true}
	}
	for _, code := range []int{1009, 4001, 4002, 4003} {
		all[code] = codeReport{Code: code, End: "back", Seen: code}
	}
	all[1013] = codeReport{Code: 1013, End: "back", Seen: 1013, Later: true, Same: true}
	for _, code := range []int{1002, 1007} {
		all[code] = codeReport{Code: code, End: fmt.Sprintf("closed, protocol, %d", code)}
	}
	return all
}

// TestClientAfterEachCloseCode has a router of the test's close connections with each code.
func TestClientAfterEachCloseCode(t *testing.T) {
	for name, run := range map[string]func(*clientLab) clientReport{"node": (*clientLab).inNode, "browser": (*clientLab).inBrowser} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "node" {
				needsNode(t)
			} else {
				needsBrowser(t)
			}
			router := clienttest.New(t)
			want := closing()
			lab := newClientLab(t, clientSetup{Scenario: "codes", URL: router.URL, Script: "/strowger.js", Codes: slices.Sorted(maps.Keys(want))}, "", nil)
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				closeEach(router, want)
			}()
			report := run(lab)
			<-closed
			for _, got := range report.Codes {
				if got != want[got.Code] {
					t.Errorf("got %+v, want %+v", got, want[got.Code])
				}
				delete(want, got.Code)
			}
			if len(want) > 0 {
				t.Errorf("nothing was told of %v", want)
			}
		})
	}
}

// closeEach ends the first connection for each code with it, and keeps the second.
func closeEach(router *clienttest.Router, want map[int]codeReport) {
	open := 2 * len(want)
	for _, w := range want {
		if w.End != "back" {
			open--
		}
	}
	ended := map[int]bool{}
	for range open {
		peer := router.Accept()
		code, _ := strconv.Atoi(peer.Request.URL.Path[strings.LastIndexByte(peer.Request.URL.Path, '/')+1:])
		peer.Login()
		if ended[code] {
			continue
		}
		ended[code] = true
		if code != 1006 {
			peer.Frame(8, []byte{byte(code >> 8), byte(code)})
			_, _, _ = peer.ReadFrame() // the client's answer, which it need not give
		}
		_ = peer.Conn.Close()
	}
}

// TestClientOfTheDaemon has the daemon itself refuse and end connections, with the client in a worker, in Node and in Deno.
func TestClientOfTheDaemon(t *testing.T) {
	for _, place := range clientPlaces() {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			place.needs(t)
			const settings = "listen: {client: true}\n"
			d := startDaemon(t, settings)
			n := &numbers{seen: map[string]int{}}
			serveLab(t, d.Addr, d.TokenDir, n.service())
			restart := func() {
				d.stop(t)
				startDaemonAt(t, settings, d.Addr, d.TokenDir)
			}
			lab := newClientLab(t, clientSetup{Scenario: "daemon", URL: "ws://" + d.Addr + "/", Script: scriptAt(t, d.Addr), Worker: place.name == "worker",
				Service: numbersName}, d.TokenDir, restart)
			want := []string{
				`"hello"`, "status 418 0 true", "timeout 0 0 true", "1 2 3",
				"1009 disconnected", "disconnected 0 1009 true", "4001 disconnected", "1001 disconnected", "again",
				"closed 0 0 false", "closed 401 0 false",
			}
			if got := place.run(lab).Events; !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// TestScriptIsServed asks the admin port and the listener for the client, and has a reload turn the latter off.
func TestScriptIsServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDaemonAt(t, "listen: {client: true}\n", "127.0.0.1:0", dir, "--admin", "127.0.0.1:0")
	admin, err := d.AdminAddr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"http://" + admin + "/strowger.js", "http://" + d.Addr + "/strowger.js", "http://" + d.Addr + "/websockets/strowger.js"} {
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != 200 || !bytes.Equal(body, js.Script()) || answer.Header.Get("Etag") == "" {
			t.Errorf("%s: status %d, %d bytes, header %v, %v", url, answer.StatusCode, len(body), answer.Header, err)
		}
	}
	if off := startDaemon(t, ""); scriptAt(t, off.Addr) != "" {
		t.Error("the listener serves the client without listen.client")
	}
}

// TestFlakyProxy: the faults are what they should be.
func TestFlakyProxy(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	ends := make(chan error, 3)
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				_, err := io.Copy(conn, conn)
				_ = conn.Close()
				ends <- err
			}()
		}
	}()
	for name, test := range map[string]struct {
		fault          func(*flaky)
		client, router bool // whether that side notices
	}{
		"cut":       {(*flaky).cut, true, true},
		"stall":     {(*flaky).stall, false, false},
		"half open": {(*flaky).halfOpen, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := startFlaky(t, echo.Addr().String())
			conn, err := net.Dial("tcp", proxy.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			buf := make([]byte, 1)
			say := func() error {
				if _, err := conn.Write([]byte("x")); err != nil {
					return err
				}
				_, err := io.ReadFull(conn, buf)
				return err
			}
			if err := say(); err != nil {
				t.Fatal(err)
			}
			test.fault(proxy)
			if test.router {
				<-ends
			}
			if !test.client {
				_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			}
			if err := say(); err == nil || test.client == os.IsTimeout(err) {
				t.Errorf("the client's side says %v", err)
			}
			_ = conn.Close()
			if !test.router {
				<-ends // the proxy does not keep what its client has left
			}
		})
	}
}
