package actors

import (
	"net"
	"testing"
	"time"

	"strowger/actors/runtime"
)

// state returns what another process would get to know of a connection.
func (p *peer) state() *ConnectionState {
	p.w.t.Helper()
	got := make(chan *ConnectionState, 1)
	p.w.deps.send(p.pid, &describe{func(s *ConnectionState) { got <- s }})
	select {
	case s := <-got:
		return s
	case <-time.After(patience):
		p.w.t.Fatal("the connection does not say what it is")
		return nil
	}
}

// take over what a connection in another world was.
func (w *world) adopt(from *peer, peers map[string]*Peer) *peer {
	w.t.Helper()
	state := from.state()
	p := &peer{w: w, socket: newFakeSocket(), window: new(runtime.Window)}
	p.window.SetBudget(1 << 40)
	p.socket.admitted = state.Credentials != nil
	ready := make(chan *Peer, 1)
	p.pid = AdoptConnection(w.deps, w.router, p.socket, &net.TCPAddr{}, state, func(p *Peer) { ready <- p }).PID()
	w.peers = append(w.peers, p)
	select {
	case known := <-ready:
		if known != nil {
			peers[known.ID] = known
		}
	case <-time.After(patience):
		w.t.Fatal("a connection is not adopted")
	}
	return p
}

// tables takes over the tables of services.
func (w *world) tables(from *world, peers map[string]*Peer) {
	w.t.Helper()
	got := make(chan []*ServiceTable, 1)
	from.deps.CaptureServices(func(all []*ServiceTable) { got <- all })
	for _, table := range <-got {
		done := make(chan struct{})
		w.deps.AdoptService(table, peers, func() { close(done) })
		await(w.t, "table of "+table.Name, done)
	}
}

// TestRequestsAreHandedOver: a reply in the new world reaches the client that asked in the old one, and requests that
// nobody can answer any more are answered with 503.
func TestRequestsAreHandedOver(t *testing.T) {
	old, fresh := newWorld(t), newWorld(t)
	local, _ := old.local("inside")
	asker, other, svc := old.client("s"), old.client(), old.service("s")
	asker.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	id := svc.asked(` s/x #"1" null`)
	asker.writef(`{"service":"s","topic":"x","request_id":"2"}`)
	svc.asked(` s/x #"2" null`)
	svc.reply("2", id, "200")
	asker.gets(`200 s/x #"2" 200`)
	// An id that is used again while the first request waits.
	other.writef(`{"service":"s","topic":"x","request_id":"3","payload":1}`)
	another := svc.asked(` s/x #"3" 1`)
	other.writef(`{"service":"s","topic":"x","request_id":"3","payload":2}`)
	svc.asked(` s/x #"3" 2`)
	other.writef(`{"service":"inside","topic":"x","request_id":"4"}`)
	r := <-local.asked
	r.Release()
	old.settleName(other, "inside")

	peers := map[string]*Peer{}
	newSvc, newAsker, newOther := fresh.adopt(svc, peers), fresh.adopt(asker, peers), fresh.adopt(other, peers)
	// The service inside is there again, and has not been asked.
	again, _ := fresh.local("inside")
	fresh.tables(old, peers)
	newOther.gets(`503 inside/x #"4" null`)
	if len(again.asked) > 0 {
		t.Error("the service inside is asked again, although it may have done what was asked")
	}
	newSvc.reply("1", id, "200")
	newAsker.gets(`200 s/x #"1" 200`)
	newSvc.reply("2", id, "200") // one more reply to a request that was answered
	newAsker.gets(`200 s/x #"2" 200`)
	newSvc.reply("3", another, "200")
	newSvc.reply("3", another, "201")
	newOther.gets(`200 s/x #"3" 200`, `201 s/x #"3" 201`)
	newSvc.writef(`{"service":"s","topic":"news"}`)
	newAsker.gets(` s/news #"" null`)
	newOther.writef(`{"service":"s","topic":"x","request_id":"5"}`)
	if got := newSvc.asked(` s/x #"5" null`); got != another {
		t.Errorf("who has asked is %s, want %s as before", got, another)
	}
	newOther.silent()
}

// TestOpenRequestsOfOneThatLeaves: when the instance that has a request leaves in the new world, its asker is told.
func TestOpenRequestsOfOneThatLeaves(t *testing.T) {
	old, fresh := newWorld(t), newWorld(t)
	asker, svc := old.client(), old.service("s")
	asker.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	svc.asked(` s/x #"1" null`)
	peers := map[string]*Peer{}
	newSvc, newAsker := fresh.adopt(svc, peers), fresh.adopt(asker, peers)
	fresh.tables(old, peers)
	fresh.gone(newSvc)
	newAsker.gets(`503 s/x #"1" null`)
}

// TestUnauthenticatedIsHandedOver: one that has not authenticated keeps its attempts and its time.
func TestUnauthenticatedIsHandedOver(t *testing.T) {
	old, fresh := newWorld(t), newWorld(t)
	p := old.connect()
	p.gets(hello)
	for range 2 {
		p.present("no such token")
		p.gets(`401 authentication/unauthorized #"a" null`)
	}
	old.clock.Advance(10 * time.Second)
	if state := p.state(); state.Attempts != 2 || state.Left != 20*time.Second {
		t.Errorf("%d attempts, %v left; want 2 and 20s", state.Attempts, state.Left)
	}
	next := fresh.adopt(p, map[string]*Peer{})
	next.silent()
	fresh.clock.Advance(20 * time.Second)
	if why := <-next.socket.codes; why != AuthTimeout {
		t.Errorf("closed because of %v, want %v", why, AuthTimeout)
	}
	last := fresh.adopt(p, map[string]*Peer{})
	last.present("no such token")
	last.gets(`401 authentication/unauthorized #"a" null`)
	if why := <-last.socket.codes; why != TooManyAttempts {
		t.Errorf("closed because of %v, want %v", why, TooManyAttempts)
	}
}

// TestClosingIsNotHandedOver: a connection that is being closed has no state.
func TestClosingIsNotHandedOver(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	p.gets(hello)
	w.clock.Advance(time.Minute)
	<-p.socket.codes
	if state := p.state(); state != nil {
		t.Errorf("got %+v, want nothing", state)
	}
}
