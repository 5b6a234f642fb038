package transport

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"strowger/actors"
	"strowger/actors/runtime"
)

// socket is the write side of one connection. Its methods post to the shard that owns it; the
// fields below belong to that shard.
type socket struct {
	// Each write uses these. They stand together because a broadcast passes many sockets, and the processor
	// fetches neighbours at once.

	// fd is conn's descriptor, for reads and writes that do not wait; -1: there are none (TLS, Windows). It is
	// valid until detach, which comes after the last read.
	fd       int
	head     int32    // the first node of what this batch adds, as an index into the shard's nodes; 0: nothing
	tail     int32    // the last one
	waiting  int      // frames in queue and with the goroutine
	queue    [][]byte // waits until the goroutine has written
	backlog  *backlog // waits behind queue; nil: nothing does
	answer   []byte   // to the handshake; it goes out with the first frame
	admitted bool
	client   bool // it has one of the places for clients
	closing  bool // nothing is accepted any more
	finished bool // the close frame is out, or cannot be
	hasty    bool // closed without waiting for the peer
	readDone bool
	writing  bool // a goroutine writes what was queued
	stuck    bool // something waited at the last look for those who take nothing
	halted   bool // its goroutine was told to end because the shard is frozen
	packs    bool // its peer reads compressed messages; set before the shard knows the socket
	withheld bool // nothing is written yet, because another process may still go on with the connection

	shard  *shard
	conn   net.Conn
	remote fmt.Stringer // the client's address, for the log

	place      *place   // at the door; nil: it never waited there
	sharers    *sharers // where it counts; nil: nowhere
	reader     *reader
	maxMessage atomic.Int64                  // bytes; set by the shard, read by the reader
	mayDo      atomic.Int32                  // an actors.Role: what the peer may send, for the reader
	dismissed  atomic.Bool                   // a close frame of ours is on its way, which the peer's answers
	lastHeard  atomic.Int64                  // seconds of the shard's clock
	probed     atomic.Bool                   // nothing was read since Probe
	replaced   atomic.Pointer[actors.Outlet] // nil: it has no heir
	pingGap    atomic.Int64                  // the longest time between two pings of the peer's, in seconds; 0: it has not sent two
	peer       atomic.Pointer[actors.Peer]   // whose it is; nil before authentication
	in         atomic.Int64                  // bytes that were read
	opened     int64                         // when, in nanoseconds of Unix time
	number     uint64                        // counts sockets, in the order in which they came

	held      [][]byte         // sent before Admit
	owed      []*runtime.Lease // of frames in queue that hold their share until they are written
	heldBytes int64
	replayed  int32         // of held, frames that do not count
	bytes     int64         // of what waits
	queued    int64         // of these, what is in the total for this socket alone
	sharing   *sharing      // what waits of frames that others have too; nil: nothing
	free      int           // of waiting, what came when nothing waited: the bound is for what comes after it
	freeBytes int64         // of bytes, those of free
	groups    []membership  // where it is a member
	left      []*group      // where it was when it closed, for an heir
	heir      actors.Outlet // gets what is sent to it; nil: itself
	acked     uint64        // bytes that the peer had acknowledged when it was stuck
	nextPing  int64         // seconds of the shard's clock
	linger    int64         // how long the peer may take to hear our last words
	out       int64         // bytes that were written
	draining  atomic.Int64  // bytes that the goroutine has written which writes for the socket now
}

type membership struct {
	group *group
	at    int // index in the group's list of this shard
}

// order is what waits for a shard: a message to a socket or, if there is a group, to the group's sockets but
// except; or one of the rare messages.
type order struct {
	socket  *socket
	group   *group
	except  *socket
	message actors.Message
	rare    toShard
}

// The rare messages of a shard.
type (
	attach struct{ s *socket }
	greet  struct {
		s *socket
		m actors.Message
	}
	admit struct {
		s    *socket
		role actors.Role
		m    actors.Message
	}
	closeSocket struct {
		s   *socket
		why actors.End
	}
	giveWay    struct{ s *socket }
	readerDone struct{ s *socket }
	written    struct {
		s      *socket
		frames int
		bytes  int
		queued int64
		leases []*runtime.Lease
		rest   net.Buffers // not written, with errHalted
		err    error
	}
	enter struct {
		g *group
		s *socket
	}
	exit struct {
		g *group
		s *socket
	}
	tick struct {
		now   time.Time // by Deps.Awake
		slept bool      // the process did not run for a while before
	}
	replace struct {
		s    *socket
		with actors.Outlet
	}
	closeAll struct{}
	cutStuck struct{}
	abortAll struct{}
	census   struct{ to chan<- []*socket } // which has room
	probe    struct {
		left atomic.Int64 // shards
		done func()
	}
)

// toShard is a rare message of a shard.
type toShard interface{ toShard() }

func (*attach) toShard()      {}
func (*greet) toShard()       {}
func (*admit) toShard()       {}
func (*closeSocket) toShard() {}
func (*giveWay) toShard()     {}
func (*readerDone) toShard()  {}
func (*written) toShard()     {}
func (*enter) toShard()       {}
func (*exit) toShard()        {}
func (*tick) toShard()        {}
func (*closeAll) toShard()    {}
func (*cutStuck) toShard()    {}
func (*abortAll) toShard()    {}
func (*census) toShard()      {}
func (*probe) toShard()       {}
func (*replace) toShard()     {}

// Greet implements actors.Outlet.
func (s *socket) Greet(m actors.Message) {
	m.Lease.Retain()
	s.shard.post(&greet{s, m})
}

// Admit implements actors.Outlet.
func (s *socket) Admit(role actors.Role, m actors.Message) {
	m.Lease.Retain()
	s.shard.post(&admit{s, role, m})
}

// Send implements actors.Outlet.
func (s *socket) Send(m actors.Message) {
	m.Lease.Retain()
	s.shard.inbox.Post(order{socket: s, message: m})
}

// Close implements actors.Outlet.
func (s *socket) Close(why actors.End) { s.shard.post(&closeSocket{s, why}) }

func (s *socket) readerDone() { s.shard.post(&readerDone{s}) }

// heard notes a sign of life; the shard's clock is exact enough.
func (s *socket) heard() {
	s.lastHeard.Store(s.shard.now.Load())
	if s.probed.Load() {
		s.probed.Store(false)
	}
}

// Probe implements actors.Prober.
func (s *socket) Probe() {
	s.probed.Store(true)
	s.Greet(actors.Message{Form: pingFrame})
}

// Silent implements actors.Prober.
func (s *socket) Silent() bool { return s.probed.Load() && !unread(s.conn) }

// heardAnew starts the time anew in which a sign of life must come. One that is not read from stays
// without such a time.
func (s *socket) heardAnew(seconds int64) {
	if old := s.lastHeard.Load(); old < seconds {
		s.lastHeard.CompareAndSwap(old, seconds)
	}
}

// silent reports whether no sign of life came for so many seconds, and none waits to be read.
func (s *socket) silent(now, limit int64) bool {
	if now-s.lastHeard.Load() <= limit {
		return false
	}
	if unread(s.conn) {
		s.heardAnew(now)
		return false
	}
	return true
}

// allow sets what the peer may send in its role.
func (s *socket) allow(role actors.Role, l *Limits) {
	s.mayDo.Store(int32(role))
	longest := l.messageBytes(role)
	s.maxMessage.Store(longest)
	if role != actors.Unauthenticated {
		s.reader.window.CountOut()
	}
	s.reader.window.SetLeast(max(longest/int64(l.window(role)), 1))
	s.reader.window.SetBudget(longest)
}

// Window implements actors.Outlet.
func (s *socket) Window() *runtime.Window {
	if with := s.replaced.Load(); with != nil {
		return (*with).Window()
	}
	return &s.reader.window
}

// mayDoNow returns the peer's role, to any goroutine.
func (s *socket) mayDoNow() actors.Role { return actors.Role(s.mayDo.Load()) }
