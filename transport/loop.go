package transport

import (
	"fmt"
	"sync/atomic"
	"syscall"

	"strowger/actors/runtime"
)

// loop tells from outside how far a goroutine has come that waits for something and does it, again and again. The zero
// value is that of one that does something.
type loop struct {
	turns atomic.Uint64 // how often it has gone on
	state atomic.Int32
}

// The states of a loop.
const (
	loopWorks = int32(iota)
	loopWaits // for something to do
	loopEnded
)

// wait says that the goroutine is about to wait for something to do.
func (l *loop) wait() { l.state.Store(loopWaits) }

// goOn says that it has something to do.
func (l *loop) goOn() {
	l.turns.Add(1)
	l.state.Store(loopWorks)
}

// end says that it is no more.
func (l *loop) end() { l.state.Store(loopEnded) }

// Loop is one of the goroutines that much passes: one that accepts connections, that reads for many of them, or that
// measures their idle times.
type Loop struct {
	Kind  string // listener, poller or ticker
	Name  string // unlike that of all others
	state *loop
	fd    func(use func(fd int)) // calls use with the descriptor that it waits for; nil: it waits for none
}

// Look returns how often the loop has gone on, and whether it has nothing to do. It hangs if it has something to do and
// does not go on. Look waits for nobody.
func (l *Loop) Look() (turns uint64, idle bool) {
	turns = l.state.turns.Load()
	switch l.state.state.Load() {
	case loopWorks:
		return turns, false
	case loopEnded:
		return turns, true
	}
	idle = true
	if l.fd != nil {
		l.fd(func(fd int) { idle = !readableNow(fd) })
	}
	return turns, idle
}

// Loops returns the loops of the server and its egress.
func (s *Server) Loops() []Loop {
	all := []Loop{{Kind: "listener", Name: "listener", state: &s.accepts, fd: descriptorOf(s.listener)},
		{Kind: "ticker", Name: "ticker", state: &s.egress.ticking}}
	for i, p := range s.pollers {
		all = append(all, p.watched(fmt.Sprintf("poller %d", i)))
	}
	for _, p := range s.lobby {
		all = append(all, p.watched("poller of newcomers"))
	}
	return all
}

// descriptorOf returns how to use the descriptor of v, nil if it has none.
func descriptorOf(v any) func(use func(fd int)) {
	conn, ok := v.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	return func(use func(fd int)) { _ = raw.Control(func(fd uintptr) { use(int(fd)) }) }
}

// Pulse returns the pulse of a shard.
func (e *Egress) Pulse(shard int) runtime.Pulse { return e.shards[shard].inbox.Pulse() }
