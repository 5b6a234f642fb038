package transport

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"strowger/transport/frame"
)

// TestFloodHoldsUpNobodyElse: a reader that waits for room does not keep its poller from others.
func TestFloodHoldsUpNobodyElse(t *testing.T) {
	const window, messages = 8, 2000
	s := newServer(t, nil, func(l *Limits) {
		l.ServiceBytes, l.ServiceInboundMessages = 8<<10, window
		// All that comes may wait for the client, whose test reads it more slowly than the services send.
		l.OutboundMessages, l.OutboundBytes = 2*runtime.GOMAXPROCS(0)*messages, 64<<20
	})
	var floods, calm []*peer
	for range 2 * len(s.pollers) {
		// One service for all, of which every shard and so every poller has some.
		floods, calm = append(floods, s.login("service:flood")), append(calm, s.login("service:calm"))
	}
	client := s.login("client:flood")
	unblock := s.block()
	var sent []<-chan error
	for _, p := range floods {
		sent = append(sent, p.broadcasts("flood", messages))
	}
	taken := func(n int) func() bool {
		return func() bool { return s.deps.Counters.Broadcasts.Load() == int64(n) }
	}
	full := window * len(floods)
	eventually(t, "windows full", taken(full))
	for i, p := range calm {
		p.text(broadcast("calm", i))
		eventually(t, "others' messages taken", taken(full+i+1))
	}
	unblock()
	next := make(map[int]int) // how many senders have come to a number
	for range messages * len(floods) {
		var got int
		if err := json.Unmarshal(client.envelope().Payload, &got); err != nil {
			t.Fatal(err)
		}
		if next[got]++; got > 0 && next[got] > next[got-1] {
			t.Fatalf("message %d overtook one before it", got)
		}
	}
	for _, sent := range sent {
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
	for _, p := range floods {
		p.ping("read again")
	}
}

// TestReaderWithoutPoller: a connection that cannot be polled is read all the same.
func TestReaderWithoutPoller(t *testing.T) {
	s := newServer(t, nil, nil)
	for _, p := range s.everyPoller() {
		p.epoll.Store(-1)
	}
	p := s.login("client")
	p.ping("heard")
	p.write(masked(bye, []byte("\x03\xe8")))
	p.closed(frame.CloseNormal)
}

// flood has a service send messages to a client, of which the window lets in some while the shards are
// stopped.
func (s *server) flood(messages int) (client *peer, unblock func(), sent <-chan error) {
	s.t.Helper()
	client, service := s.login("client:a"), s.login("service:a")
	polled := s.polled()
	unblock = s.block()
	sent = service.broadcasts("a", messages)
	eventually(s.t, "the window is full, and the reader waits by itself", func() bool {
		return s.deps.Counters.Broadcasts.Load() == floodWindow && s.polled() == polled-1
	})
	return client, unblock, sent
}

func (s *server) everyPoller() []*poller { return slices.Concat(s.lobby, s.pollers) }

// polled is how many readers the pollers know.
func (s *server) polled() (n int) {
	for _, p := range s.everyPoller() {
		n += p.slots.count()
	}
	return n
}

const floodWindow = 8

func floodLimits(l *Limits) {
	l.ServiceBytes, l.ServiceInboundMessages = 8<<10, floodWindow
	l.OutboundMessages, l.OutboundBytes = 1<<16, 64<<20
}

// TestAbortOfAParted: a reader that waits for room on a goroutine of its own ends with its connection.
func TestAbortOfAParted(t *testing.T) {
	s := newServer(t, nil, floodLimits)
	_, unblock, sent := s.flood(1_000_000)
	s.AbortAll()
	unblock()
	eventually(t, "the connection ends", func() bool { return s.Live() == 0 })
	if err := <-sent; err == nil {
		t.Error("everything was sent to a connection that was cut off")
	}
}

// TestReaderCannotComeBack: one that parted and cannot be polled again is read all the same.
func TestReaderCannotComeBack(t *testing.T) {
	const messages = 2000
	s := newServer(t, nil, floodLimits)
	client, unblock, sent := s.flood(messages)
	for _, p := range s.everyPoller() {
		p.epoll.Store(-1)
	}
	unblock()
	client.counts(messages)
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

// TestAuthenticatedDoNotWaitForOthers: what keeps those busy who read for peers that have not authenticated, or who
// enter such peers, keeps nobody else from being read.
func TestAuthenticatedDoNotWaitForOthers(t *testing.T) {
	s := newServer(t, nil, nil)
	service, client := s.login("service:a"), s.login("client:a")
	service.ping("handed over to the poller of the authenticated")
	client.ping("handed over to the poller of the authenticated")
	strangers := []*peer{s.dial(), s.dial(), s.dial()}
	lobby := &s.lobby[0].slots
	eventually(t, "only strangers are in the lobby", func() bool { return lobby.count() == len(strangers) })
	lobby.mu.Lock()
	for _, p := range strangers {
		_ = p.Close() // the lobby's poller waits for the lock to forget it
		// And whoever accepts waits to enter this one.
		s.connect().write(fmt.Appendf(nil, upgrade, "x"))
	}
	for i := range 10 {
		service.text(broadcast("a", i))
		client.envelope()
		client.ping("still served")
	}
	lobby.mu.Unlock()
	eventually(t, "those who left are forgotten", func() bool { return s.Live() == 5 && lobby.count() == 3 })
}

// TestPollerReadsWhileReadersEnter: a poller looks its readers up although thousands wait to enter new ones.
func TestPollerReadsWhileReadersEnter(t *testing.T) {
	s := newServer(t, nil, nil)
	client := s.login("client")
	client.ping("handed over to the poller of the authenticated")
	eventually(t, "it is handed over", func() bool { return s.lobby[0].slots.count() == 0 && s.polled() == 1 })
	for _, p := range s.everyPoller() {
		p.slots.mu.Lock()
	}
	client.ping("read")
	for _, p := range s.everyPoller() {
		p.slots.mu.Unlock()
	}
}

func TestSlots(t *testing.T) {
	var s slots
	var all []*reader
	for range 3 * pageSize {
		r := new(reader)
		s.add(r)
		all = append(all, r)
	}
	for i, r := range all {
		if s.get(r.slot) != r {
			t.Fatalf("slot %d of reader %d has another", r.slot, i)
		}
	}
	for _, r := range all[:pageSize] {
		s.remove(r.slot)
		if s.get(r.slot) != nil {
			t.Fatalf("slot %d is not empty", r.slot)
		}
	}
	for range pageSize {
		s.add(new(reader))
	}
	if s.count() != 3*pageSize || s.made != 3*pageSize {
		t.Errorf("%d of %d slots are taken, want all of %d", s.count(), s.made, 3*pageSize)
	}
}
