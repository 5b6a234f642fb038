package client

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"strowger/client/clienttest"
)

// admitWith says that the token is good, and gives a ticket.
func admitWith(p *clienttest.Peer, ticket string) {
	p.Send(clienttest.Object{"service_name": "authentication", "status_code": 200, "request_id": "", "topic": "authenticated",
		"payload": clienttest.Object{"resume": clienttest.Object{"resumed": false, "ticket": ticket, "lifetime": 300}}})
}

// With Resume the latest ticket takes the place of a token, once. After one that is refused a token follows over the same
// connection.
func TestResume(t *testing.T) {
	r := newFakeRouter(t)
	done := r.dialing(t.Context(), tokens(), Options{Resume: true, Reconnect: Reconnect{Max: time.Millisecond}})
	p := r.Accept()
	p.Greet()
	if m := p.Next(); string(m.Payload) != `{"gaps":true,"resume":true,"requests":true}` || m.Token.Name != "name1" {
		t.Errorf("the client sends %+v with payload %s", m.Token, m.Payload)
	}
	admitWith(p, "t1")
	d := <-done
	if d.err != nil {
		t.Fatal(d.err)
	}
	t.Cleanup(func() { r.shut(d.client) })
	p.Send(clienttest.Object{"service_name": "authentication", "status_code": 200, "request_id": "", "topic": "ticket", "payload": clienttest.Object{"ticket": "t2", "lifetime": 300}})
	answered := asking(t.Context(), d.client, nil)
	p.Reply(p.Next(), 200, nil) // so the ticket was read
	if a := <-answered; a.err != nil {
		t.Fatal(a.err)
	}
	p.Conn.Close()

	p = r.Accept()
	p.Greet()
	if token := p.Token(); token != (clienttest.Token{Name: "resume", Hash: "t2"}) {
		t.Errorf("the client comes back with %+v", token)
	}
	p.Conn.Close() // nobody knows whether the ticket was taken
	p = r.Accept()
	p.Greet()
	if token := p.Token(); token.Name != "name2" {
		t.Errorf("the client comes back with %+v", token)
	}
	admitWith(p, "t3")
	p.Conn.Close()

	p = r.Accept()
	p.Greet()
	if token := p.Token(); token.Hash != "t3" {
		t.Errorf("the client comes back with %+v", token)
	}
	p.Refuse()
	if token := p.Token(); token.Name != "name3" {
		t.Errorf("after a refused ticket comes %+v", token)
	}
	p.Admit() // there are no tickets any more
	p.Conn.Close()
	if token := r.Accept().Login(); token.Name != "name4" {
		t.Errorf("without a ticket comes %+v", token)
	}
}

// A fresh ticket that follows the 200 at once is later than the ticket of the 200, however late the 200 is looked at.
func TestTicketRightAfterThe200(t *testing.T) {
	l := &link{opts: Options{Resume: true}}
	s := &socket{control: make(chan *incoming, 4), out: make(chan []byte, 1), ending: make(chan struct{})}
	l.deliver(s, []byte(`{"service_name":"authentication","status_code":200,"topic":"authenticated","payload":{"resume":{"ticket":"t1","requests":[]}}}`))
	l.deliver(s, []byte(`{"service_name":"authentication","status_code":200,"topic":"ticket","payload":{"ticket":"t2"}}`))
	end := time.Unix(1, 0)
	if err := l.present(t.Context(), s, Token{Name: "n", Hash: "h"}, end); err != nil {
		t.Fatal(err)
	}
	if ticket, expires, _ := l.tickets.take(); ticket.Hash != "t2" || !expires.Equal(end) || !s.keeps {
		t.Errorf("the latest ticket is %q of a token that ends at %v, requests are kept: %t", ticket.Hash, expires, s.keeps)
	}
}

// keepingWith says that the token is good, gives a ticket and says which requests go on.
func keepingWith(p *clienttest.Peer, ticket string, ids ...json.RawMessage) {
	p.Send(clienttest.Object{"service_name": "authentication", "status_code": 200, "request_id": "", "topic": "authenticated",
		"payload": clienttest.Object{"resume": clienttest.Object{"resumed": len(ids) > 0, "ticket": ticket, "lifetime": 300, "requests": append([]json.RawMessage{}, ids...)}}})
}

// keeping lets a client in whose requests are kept.
func (r *fakeRouter) keeping() (*clienttest.Peer, *Client) {
	r.t.Helper()
	done := r.dialing(r.t.Context(), tokens(), Options{Resume: true, RequestTimeout: -1, Reconnect: Reconnect{Max: time.Millisecond}})
	p := r.Accept()
	p.Greet()
	p.Next()
	keepingWith(p, "t1")
	d := <-done
	if d.err != nil {
		r.t.Fatal(d.err)
	}
	return p, d.client
}

// lose ends a connection and returns the next one, which has shown its ticket.
func (r *fakeRouter) lose(p *clienttest.Peer) *clienttest.Peer {
	r.t.Helper()
	p.Conn.Close()
	p = r.Accept()
	p.Greet()
	p.Token()
	return p
}

// A request that the router has kept is answered over the new connection, also where the answer follows the 200 at once.
// The others fail as soon as the router has not named them.
func TestRequestsGoOn(t *testing.T) {
	r := newFakeRouter(t)
	p, c := r.keeping()
	t.Cleanup(func() { r.shut(c) })
	var asked []clienttest.Message
	var answers []<-chan answer
	for range 3 {
		answers = append(answers, asking(t.Context(), c, nil))
		asked = append(asked, p.Next())
	}
	p = r.lose(p)
	keepingWith(p, "t2", asked[0].RequestID, asked[2].RequestID)
	p.Reply(asked[2], 200, "two")
	if a := <-answers[2]; a.err != nil {
		t.Errorf("the request whose answer was kept: %v", a.err)
	}
	if a := <-answers[1]; !errors.Is(a.err, ErrDisconnected) {
		t.Errorf("the request that is not named: %v", a.err)
	}
	p = r.lose(p)
	keepingWith(p, "t3", asked[0].RequestID)
	p.Reply(asked[0], 200, "one")
	if a := <-answers[0]; a.err != nil {
		t.Errorf("the request that the service answers after two losses: %v", a.err)
	}

	// Another router has kept nothing, and one that gives no ticket never will.
	last := asking(t.Context(), c, nil)
	p.Next()
	p = r.lose(p)
	admitWith(p, "")
	if a := <-last; !errors.Is(a.err, ErrDisconnected) {
		t.Errorf("a request that another router does not know: %v", a.err)
	}
	last = asking(t.Context(), c, nil)
	p.Next()
	p.Conn.Close()
	if a := <-last; !errors.Is(a.err, ErrDisconnected) {
		t.Errorf("a request without a ticket: %v", a.err)
	}
}

// A request that waits for the next connection ends with the client.
func TestRequestsEndWithTheClient(t *testing.T) {
	r := newFakeRouter(t)
	p, c := r.keeping()
	last := asking(t.Context(), c, nil)
	p.Next()
	p.Conn.Close()
	r.Accept()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if a := <-last; !errors.Is(a.err, ErrClosed) {
		t.Errorf("got %v", a.err)
	}
}

// Without Resume the client asks for no ticket, and one changes nothing.
func TestNoResume(t *testing.T) {
	r := newFakeRouter(t)
	done := r.dialing(t.Context(), tokens(), Options{Reconnect: Reconnect{Max: time.Millisecond}})
	p := r.Accept()
	p.Greet()
	if m := p.Next(); string(m.Payload) != `{"gaps":true}` {
		t.Errorf("the client sends a payload: %s", m.Payload)
	}
	admitWith(p, "t1")
	d := <-done
	if d.err != nil {
		t.Fatal(d.err)
	}
	t.Cleanup(func() { r.shut(d.client) })
	p.Conn.Close()
	if token := r.Accept().Login(); token.Name != "name2" {
		t.Errorf("the client comes back with %+v", token)
	}
}

// A ticket does not hide that the token source fails.
func TestResumeWithoutAToken(t *testing.T) {
	r := newFakeRouter(t)
	calls := 0
	source := func(context.Context) (Token, error) {
		if calls++; calls > 1 {
			return Token{}, ErrUnauthorized
		}
		return Token{Name: "n", Hash: "h"}, nil
	}
	done := r.dialing(t.Context(), source, Options{Resume: true, Reconnect: Reconnect{Max: time.Millisecond, Refusals: 1}})
	p := r.Accept()
	p.Greet()
	p.Token()
	admitWith(p, "t1")
	d := <-done
	if d.err != nil {
		t.Fatal(d.err)
	}
	t.Cleanup(func() { r.shut(d.client) })
	p.Conn.Close()
	p = r.Accept()
	p.Greet()
	p.Token()
	p.Refuse()
	<-d.client.link.done
	if cause := context.Cause(d.client.link.ctx); !errors.Is(cause, ErrUnauthorized) {
		t.Errorf("the client ends with %v", cause)
	}
}
