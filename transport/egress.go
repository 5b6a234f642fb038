package transport

import (
	"crypto/tls"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// Egress owns the write side of all connections.
type Egress struct {
	shards []*shard
	next   atomic.Uint64 // sockets so far
	door   door
	crowds crowds
	// exchanges are connections beside the sockets. No shard knows them.
	exchanges exchanges
	live      atomic.Int64 // connections, from accept to close
	// descriptors is how many files the process may have open, 0 if any number. The server sets it.
	descriptors atomic.Int64
	early       atomic.Int64 // bytes held by unauthenticated connections
	relieving   atomic.Int32 // shards that have been told to make room and have not
	paused      atomic.Int64 // readers that wait for room in their window
	pauses      atomic.Int64 // how often one began to
	outside     outside
	inbound     inbound
	open        sync.WaitGroup // sockets attached and not detached
	drains      sync.WaitGroup
	ending      sync.Mutex // protects ended
	ended       bool       // Stop was called, so drains must not grow but by the shards
	ticks       sync.WaitGroup
	stop        chan struct{}
	ticking     loop
	looks       chan time.Duration // the time between two looks for those who are stuck, once

	// gate is held for reading by whoever handles what a peer has sent, and while a handshake becomes a connection.
	// Whoever holds it alone knows that nothing is read.
	gate sync.RWMutex
	// handed says that another process has the connections. It changes under the gate.
	handed atomic.Bool

	deps      *actors.Deps
	refusals  *refusals.Log
	limits    *atomic.Pointer[Limits]
	deflating deflating
}

// NewEgress starts the shards. Deps.Egress is the caller's to set.
func NewEgress(d *actors.Deps, limits *atomic.Pointer[Limits]) (*Egress, error) {
	e := &Egress{stop: make(chan struct{}), looks: make(chan time.Duration, 1), deps: d, refusals: d.Refusals(), limits: limits}
	d.Beat()
	for i := range runtime.GOMAXPROCS(0) {
		sh := newShard(i, e, d, limits)
		props := sh.inbox.Props(d.Props("egress", func() actor.Actor { return sh }, actor.WithGuardian(d.Permanent)))
		pid, err := d.System.Root.SpawnNamed(props, fmt.Sprintf("egress%d", i))
		if err != nil {
			return nil, fmt.Errorf("start egress: %w", err)
		}
		sh.pid = pid
		e.shards = append(e.shards, sh)
	}
	e.ticks.Add(1)
	go e.tick()
	return e, nil
}

// Shards returns how many egress shards share the connections: as many as can run at once. More would join less
// into one write, and with fewer a broadcast could not use every processor.
func (e *Egress) Shards() int { return len(e.shards) }

// Waiting returns how many messages wait for one of the shards.
func (e *Egress) Waiting(shard int) int { return e.shards[shard].inbox.Waiting() }

func (e *Egress) tick() {
	defer e.ticks.Done()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var looking <-chan time.Time
	looks := e.looks
	for {
		e.ticking.wait()
		select {
		case <-e.stop:
			e.ticking.end()
			return
		case <-ticker.C:
			e.ticking.goOn()
			e.beat()
			e.refusals.Sweep()
		case interval := <-looks:
			e.ticking.goOn()
			e.lookForStuck()
			look := time.NewTicker(interval)
			defer look.Stop()
			looks, looking = nil, look.C
		case <-looking:
			e.ticking.goOn()
			e.lookForStuck()
		}
	}
}

// beat has the shards see to those who are silent. The pause of the process, if there was one, is not
// their fault.
func (e *Egress) beat() {
	slept := e.deps.Beat()
	if slept > 0 {
		e.deps.Log.Warn("the process did not run; idle times begin anew, deadlines are extended", "for", slept.Round(time.Millisecond).String())
	}
	now := e.deps.Awake()
	for _, sh := range e.shards {
		sh.post(&tick{now, slept > 0})
	}
}

// NewGroup implements actors.Egress.
func (e *Egress) NewGroup() actors.Group {
	return &group{shards: e.shards, in: make(map[*socket]struct{}), counts: make([]int, len(e.shards)), members: make([][]*socket, len(e.shards))}
}

// Encode implements actors.Egress. The form is the one frame that carries the envelope.
func (e *Egress) Encode(envelope *envelope.Envelope, more envelope.Raw) actors.Message {
	room := make([]byte, frame.MaxHeader, frame.MaxHeader+envelope.Size()+len(more))
	form, begin := frame.InPlace(envelope.AppendWith(room, more), frame.OpText)
	m := actors.Message{Form: form, Begin: begin}
	e.packable(&m)
	return m
}

// Live returns how many connections are open.
func (e *Egress) Live() int { return int(e.live.Load()) }

// WaitingBytes returns how many bytes wait for peers that read slowly.
func (e *Egress) WaitingBytes() int64 {
	bytes := e.outside.bytes.Load()
	for _, sh := range e.shards {
		bytes += sh.waiting.Load()
	}
	return bytes
}

// Clients returns how many clients are connected.
func (e *Egress) Clients() int { return e.door.seated() }

// UnauthenticatedBytes returns how many bytes unauthenticated connections hold: unfinished messages,
// messages under way and answers that they have not read.
func (e *Egress) UnauthenticatedBytes() int64 { return e.early.Load() }

// newSocket returns the write side of conn, owned by one of the shards.
func (e *Egress) newSocket(conn net.Conn, l *Limits) *socket {
	number := e.next.Add(1)
	s := &socket{shard: e.shards[number%uint64(len(e.shards))], conn: conn, fd: descriptor(conn), remote: farEnd(conn),
		number: number, opened: time.Now().UnixNano()}
	s.reader = &reader{socket: s, alone: true, last: frame.CloseNormal}
	s.reader.window.CountIn(&e.early)
	s.allow(actors.Unauthenticated, l)
	s.heard()
	return s
}

// descriptor returns conn's file descriptor, -1 if reads and writes must go through conn.
func descriptor(conn net.Conn) int {
	fd := -1 // also if it is closed
	if _, secure := conn.(*tls.Conn); nonBlocking && !secure {
		control(conn, func(d int) { fd = d })
	}
	return fd
}

// control calls f with the descriptor of a TCP connection, under TLS or not, unless it is closed.
func control(conn net.Conn, f func(fd int)) {
	switch c := underlying(conn).(type) {
	case interface{ control(f func(fd int)) }:
		c.control(f)
	case *net.TCPConn:
		if raw, err := c.SyscallConn(); err == nil {
			_ = raw.Control(func(d uintptr) { f(int(d)) })
		}
	}
}

// attach makes the socket known to its shard. The caller has counted it in live.
func (e *Egress) attach(s *socket) {
	e.open.Add(1)
	s.shard.post(&attach{s})
}

// Wait returns when every connection is closed, and all that waited for it written. No new ones may
// come meanwhile.
func (e *Egress) Wait() { e.open.Wait() }

// CloseAll closes every connection, and every one that still comes, because the daemon stops.
func (e *Egress) CloseAll() {
	e.exchanges.each(func(x *exchange) { x.session.Close(actors.GoingAway) })
	for _, sh := range e.shards {
		sh.post(&closeAll{})
	}
}

// Probe has done called once every shard has handled what was posted to it before. Done is called on the goroutine
// of a shard, and must not block.
func (e *Egress) Probe(done func()) {
	p := &probe{done: done}
	p.left.Store(int64(len(e.shards)))
	for _, sh := range e.shards {
		sh.post(p)
	}
}

// AbortAll closes every connection without a word.
func (e *Egress) AbortAll() {
	e.exchanges.abort()
	for _, sh := range e.shards {
		sh.post(&abortAll{})
	}
}

// Stop comes behind Server.Wait, when nobody reads any more. It ends the ticker and the shards, which cut
// off whoever is still connected, and waits for the goroutines that write to slow readers.
func (e *Egress) Stop() {
	e.ending.Lock()
	e.ended = true
	e.ending.Unlock()
	close(e.stop)
	e.ticks.Wait()
	for _, sh := range e.shards {
		_ = sh.deps.System.Root.StopFuture(sh.pid).Wait()
	}
	e.drains.Wait()
}
