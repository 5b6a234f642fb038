package succession

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

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
