package succession

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/token"
)

// asks shows a token, asks for tickets and returns the one that it gets.
func (r *running) asks(made client.Token) (w *raw, ticket client.Token) {
	r.t.Helper()
	w = r.open()
	w.text(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"resume":true}}`, made.Name, made.Hash))
	m := w.message()
	var said struct{ Resume struct{ Ticket string } }
	if err := json.Unmarshal(m.Payload, &said); err != nil || said.Resume.Ticket == "" {
		r.t.Fatalf("the token is answered with %+v", m)
	}
	return w, client.Token{Name: "resume", Hash: said.Resume.Ticket}
}

// TestSessionsCross: a client whose connection has crossed comes back with the ticket that it got before, the connection
// that crossed is closed then, and what was used before stays used.
func TestSessionsCross(t *testing.T) {
	r := run(t, open+fmt.Sprintf("tokens: {tickets: 5m, ticket_key_file: %s}\n", filepath.Join(t.TempDir(), "key")))
	lost, first := r.asks(r.mint(token.Spec{}))
	lost.cut()
	crosses, second := r.asks(first)
	r.upgrade()
	r.open().login(first, 401)
	r.metric("strowger_tokens_ticket_connections", 1)
	_, third := r.asks(second)
	crosses.closed(4006)
	r.upgrade()
	r.open().login(second, 401)
	r.asks(third)
}

// keeps shows a token, asks for tickets and for its requests to be kept, and returns the ticket and what the 200 says of
// requests.
func (r *running) keeps(made client.Token) (w *raw, ticket client.Token, open string) {
	r.t.Helper()
	w = r.open()
	w.text(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"resume":true,"requests":true}}`, made.Name, made.Hash))
	m := w.message()
	var said struct {
		Resume struct {
			Ticket   string
			Requests json.RawMessage
		}
	}
	if err := json.Unmarshal(m.Payload, &said); err != nil || said.Resume.Ticket == "" {
		r.t.Fatalf("the token is answered with %+v", m)
	}
	return w, client.Token{Name: "resume", Hash: said.Resume.Ticket}, string(said.Resume.Requests)
}

// waits waits until the daemon waits for a client.
func (r *running) waits() {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if strings.Contains(r.metrics(), "\nstrowger_tokens_resume_waiting_connections 1\n") {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatal("the daemon waits for nobody")
		}
	}
}

// TestRequestsAcrossAnUpgrade: requests of a client that is away do not cross, and it is told. Those of a client that is
// connected go on, and it may lose its connection afterwards.
func TestRequestsAcrossAnUpgrade(t *testing.T) {
	r := run(t, open+fmt.Sprintf("tokens: {tickets: 5m, resume_wait: 5m, ticket_key_file: %s}\n", filepath.Join(t.TempDir(), "key")))
	svc := r.service("weather")
	away, first, _ := r.keeps(r.mint(token.Spec{}))
	away.text(request("weather", "1", "away"))
	svc.message()
	away.cut()
	r.waits()
	stays, second, _ := r.keeps(r.mint(token.Spec{}))
	stays.text(request("weather", "2", "stays"))
	asked := svc.message()
	r.upgrade()
	if _, _, open := r.keeps(first); open != "[]" {
		t.Errorf("to the client that was away the router says %s of requests", open)
	}
	stays.cut()
	r.waits()
	back, _, open := r.keeps(second)
	if open != `["2"]` {
		t.Errorf("to the client that has crossed the router says %s of requests", open)
	}
	svc.reply(asked, "sun")
	if m := back.message(); m.RequestID != "2" || string(m.Payload) != `"sun"` {
		t.Errorf("got %+v", m)
	}
}
