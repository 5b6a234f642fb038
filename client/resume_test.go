package client

import (
	"context"
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
	if m := p.Next(); string(m.Payload) != `{"gaps":true,"resume":true}` || m.Token.Name != "name1" {
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
