package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
)

// guest is a peer that has come by HTTP. It has a connection's actor, as the peer of a socket has, and is the part of its
// outlet that callers and streams have in common.
type guest struct {
	handler *Handler
	conn    Conn
	remote  fmt.Stringer // the client's address
	limits  *Limits      // as they were when it came
	window  runtime.Window
	account account
	actor   actors.Connection

	posting sync.Mutex // Protects the giving of messages to the connection's actor, and following.
	budget  int64      // of the window

	admitted chan struct{} // closed when the token turns out to be good
	ended    chan struct{} // closed when it does not, or the connection's actor ends
	came     chan struct{} // has an element when something waits for the peer

	mu      sync.Mutex   // Protects following.
	peer    *actors.Peer // nil before authentication
	refused bool         // the token is not good
	over    bool         // ended is closed
	why     actors.End   // then
}

func (g *guest) init(h *Handler, s *Session, l *Limits) {
	g.handler, g.conn, g.remote, g.limits, g.budget = h, s.conn, s.from(), l, l.ClientBytes
	g.admitted, g.ended, g.came = make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	g.window.SetBudget(g.budget)
	g.account.handler = h
	h.ledger.add(g)
}

// Seat implements actors.Seater.
func (g *guest) Seat(role actors.Role) error { return g.conn.Seat(role) }

// Spare implements actors.Sparer.
func (g *guest) Spare(busy bool) { g.conn.Spare(busy) }

// Know implements actors.Knower.
func (g *guest) Know(p *actors.Peer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.peer = p
}

// Greet implements actors.Outlet. Before the admission there is the question for a token, which has been sent, and the
// refusal of one.
func (g *guest) Greet(m actors.Message) {
	e, err := envelope.Decode(m.Text(), envelope.MaxDepth)
	if err != nil || string(e.StatusCode) != strconv.Itoa(envelope.Unauthorized.Code) {
		return
	}
	g.mu.Lock()
	g.refused = true
	g.mu.Unlock()
	g.Close(actors.ReadOver)
}

// admit lets the peer send what its role may.
func (g *guest) admit(role actors.Role) {
	g.budget, _ = g.limits.bodyBytes(role)
	g.window.SetLeast(max(g.budget/int64(g.limits.window(role)), 1))
	g.window.SetBudget(g.budget)
	close(g.admitted)
}

// Close implements actors.Outlet.
func (g *guest) Close(why actors.End) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.finish(why)
}

// Window implements actors.Outlet.
func (g *guest) Window() *runtime.Window { return &g.window }

// finish is Close for a caller that holds mu.
func (g *guest) finish(why actors.End) {
	if g.over {
		return
	}
	g.over, g.why = true, why
	g.window.Close()
	close(g.ended)
}

// cutOff ends a peer that does not take what is sent to it. The caller holds mu.
func (g *guest) cutOff(cause refusals.Cause, more ...any) {
	if g.over {
		return
	}
	e := refusals.Event{Cause: cause, Remote: g.remote.String(), More: more}
	if g.peer != nil {
		e.Role, e.More = g.peer.Role.String(), append(g.peer.Who(), e.More...)
	}
	if cause != refusals.WriteTimeout {
		g.handler.deps.Counters.SlowConsumers.Add(1)
	}
	g.handler.deps.Refusals().Add(e)
	g.finish(actors.ReadOver)
	g.account.close()
	g.conn.Cut()
}

// signal says that something waits for the peer.
func (g *guest) signal() {
	select {
	case g.came <- struct{}{}:
	default:
	}
}

// gone reports whether the connection's actor has ended.
func (g *guest) gone() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over
}

// leave ends the connection's actor.
func (g *guest) leave() {
	g.handler.ledger.remove(g)
	g.account.close()
	g.actor.Send(&actors.ReadEnded{})
}

// present shows the token with what the peer asks for, which may be nil. It returns when the peer is admitted, or why it is
// not.
func (g *guest) present(ctx context.Context, t token, wish json.RawMessage) *problem {
	data := []byte(`{"service":"authentication","token":{"name":`)
	data = append(envelope.AppendString(data, t.name), `,"hash":`...)
	data = append(envelope.AppendString(data, t.hash), '}')
	if wish != nil {
		data = append(append(data, `,"payload":`...), wish...)
	}
	data = append(data, '}')
	if !g.conn.Give(func() { g.actor.Send(&actors.Received{Data: data}) }) {
		return handedOver
	}
	select {
	case <-g.admitted:
		return nil
	case <-g.ended:
		return g.refusal()
	case <-ctx.Done():
		return &problem{status: http.StatusServiceUnavailable, text: "the request has ended", last: true}
	}
}

// who returns the peer that has authenticated.
func (g *guest) who() *actors.Peer {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.peer
}

// refusal returns why the connection's actor has ended.
func (g *guest) refusal() *problem {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := &problem{status: http.StatusServiceUnavailable, text: g.why.String(), last: true}
	switch {
	case g.refused:
		p.status, p.text = http.StatusUnauthorized, "the token is not good"
	case g.why == actors.TokenExpired:
		p.status, p.text = http.StatusUnauthorized, "the token has expired"
	case g.why == actors.Crashed:
		p.status, p.text = http.StatusInternalServerError, "an error inside the router"
	}
	return p
}

// handedOver is for whoever has come too late for this process.
var handedOver = &problem{status: http.StatusServiceUnavailable, text: "another process has taken over", last: true}

var errHandedOver = errors.New("another process has taken over")

// post gives a message to the connection's actor, when there is room for it in the window. The error is errHandedOver or
// ctx's.
func (g *guest) post(ctx context.Context, data []byte) error {
	g.posting.Lock()
	defer g.posting.Unlock()
	if err := g.window.Room(ctx); err != nil {
		return err
	}
	given := g.conn.Give(func() {
		cost := g.window.Cost(len(data))
		g.window.Take(cost)
		m := &actors.Received{Data: data}
		m.Begin(&g.window, cost)
		g.actor.Send(m)
	})
	if !given {
		return errHandedOver
	}
	return nil
}

// passed returns when all that was posted has been written to the sockets of those who get it, or waits for them there.
func (g *guest) passed(ctx context.Context) error {
	g.posting.Lock()
	defer g.posting.Unlock()
	g.window.SetBudget(1)
	defer g.window.SetBudget(g.budget)
	return g.window.Room(ctx)
}

// interrupted returns why a message could not be taken, or its answer not be waited for. Err is what post has returned.
func (g *guest) interrupted(err error) *problem {
	if errors.Is(err, errHandedOver) {
		return handedOver
	}
	if g.gone() {
		return g.refusal()
	}
	return &problem{status: http.StatusServiceUnavailable, text: "the request has ended", last: true}
}
