package transport

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"strowger/actors"
)

// poller reads for many connections on one goroutine, so that one that waits for bytes costs no
// stack and no buffer. It asks an epoll instance of its own which of them have something to read,
// and lets Go's poller tell when that one has news; no thread is held by it.
//
// A reader that must wait for room in its window would hold up all others. It parts instead: it keeps
// the goroutine, another one goes on polling, and the poller knows the reader again when it has read
// on.
type poller struct {
	epoll atomic.Int64 // the epoll instance, also as a file and what Go's poller knows it by
	file  *os.File
	raw   syscall.RawConn
	log   *slog.Logger

	stopped atomic.Bool
	// running has the goroutine that polls, and those that readers have kept.
	running sync.WaitGroup
	spare   sync.Pool // of *[readBuffer]byte, from readers that have parted and are back
	smalls  sync.Pool // of *[ownBuffer]byte, likewise

	loop  loop
	lobby bool // its peers have not authenticated: it gives way to everybody else, and hands over who has
	slots slots
	gate  *sync.RWMutex // of the egress; held while readers are served

	// The rest belongs to the goroutine that polls. Whoever holds the gate alone may empty ready.
	events [batch]syscall.EpollEvent
	found  int // events that ready does not have yet
	ready  []*reader
	at     int // the next of them to be served
	served int // since it last gave way
	buffer *[readBuffer]byte
	small  *[ownBuffer]byte // for peers that have not authenticated
	wait   func(fd uintptr) bool
}

// watched returns the loop of the poller.
func (p *poller) watched(name string) Loop {
	return Loop{Kind: "poller", Name: name, state: &p.loop, fd: descriptorOf(p.file)}
}

// batch is how many events are taken at once.
const batch = 128

// Which events tell a poller of a reader. Errors and hang-ups are told always.
const readable = syscall.EPOLLIN | syscall.EPOLLRDHUP

// newPollers starts n pollers.
func newPollers(n int, gate *sync.RWMutex, log *slog.Logger) ([]*poller, error) {
	var all []*poller
	for range n {
		p, err := newPoller(gate, log)
		if err != nil {
			stopAll(all)
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// stopAll ends the polling and waits for that. It comes behind the last reader's end.
func stopAll(pollers []*poller) {
	for _, p := range pollers {
		p.stopped.Store(true)
		_ = p.file.Close()
		p.running.Wait()
	}
}

func newPoller(gate *sync.RWMutex, log *slog.Logger) (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	// So that Go's poller takes it in.
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p := &poller{file: os.NewFile(uintptr(fd), "epoll"), gate: gate, log: log, buffer: new([readBuffer]byte), small: new([ownBuffer]byte)}
	p.epoll.Store(int64(fd))
	p.spare.New = func() any { return new([readBuffer]byte) }
	p.smalls.New = func() any { return new([ownBuffer]byte) }
	if p.raw, err = p.file.SyscallConn(); err != nil {
		_ = p.file.Close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p.wait = p.ask
	p.running.Go(p.run)
	return p, nil
}

func (p *poller) run() {
	p.loop.goOn()
	for p.serveReady() {
		p.loop.wait()
		err := p.raw.Read(p.wait)
		p.loop.goOn()
		if err != nil {
			if !p.stopped.Load() {
				p.log.Error("nothing is read any more", "err", err)
			}
			return
		}
	}
}

// serveReady serves those that have something to read. It is false if one of them has kept the goroutine.
func (p *poller) serveReady() bool {
	p.gate.RLock()
	defer p.gate.RUnlock()
	p.collect()
	for p.at < len(p.ready) {
		r := p.ready[p.at]
		p.ready[p.at] = nil
		p.at++
		p.giveWay()
		if !p.serve(r) {
			return false
		}
	}
	return true
}

// collect makes readers of the events.
func (p *poller) collect() {
	if p.found == 0 {
		return
	}
	p.ready, p.at = p.ready[:0], 0
	for _, e := range p.events[:p.found] {
		// A reader is missing only if it could not be taken out, or if another process has its connection.
		if r := p.slots.get(e.Fd); r != nil {
			p.ready = append(p.ready, r)
		}
	}
	p.found = 0
}

// ask implements the wait for events: false has Go's poller wait for news.
func (p *poller) ask(fd uintptr) bool {
	n, err := eventsNow(int(fd), p.events[:])
	if err != nil {
		p.log.Error("epoll", "err", err)
	}
	p.found = n
	return n > 0
}

// serve reads once for r. It is false if r has kept the goroutine meanwhile.
func (p *poller) serve(r *reader) bool {
	buffer, small := p.buffer, p.small
	data, err := p.pulled(r)
	if r.opening != nil {
		if len(data) == 0 && err == nil {
			return true
		}
		var open bool
		if data, open = p.open(r, data, err); !open {
			return true
		}
		err = nil
	}
	more := r.feed(data, err)
	if !r.alone {
		switch {
		case !more:
			p.remove(r)
			r.leave()
		case p.next(r) != p:
			p.remove(r)
			r.poller = p.next(r)
			r.poller.add(r)
		}
		return true
	}
	if r.small {
		p.smalls.Put(small)
	} else {
		p.spare.Put(buffer)
	}
	if more {
		r.poller = p.next(r)
		r.poller.add(r)
	} else {
		r.leave()
	}
	return false
}

// open shakes hands with a peer that has sent its request, and returns what it has sent after that. A request that
// is not plain is left to a goroutine. After false the poller does not know r any more.
func (p *poller) open(r *reader, data []byte, err error) (early []byte, open bool) {
	o := r.opening
	r.opening = nil
	s := o.server
	defer func() {
		if reason := recover(); reason != nil {
			s.panicked(reason)
			p.remove(r)
			s.abandon(o)
		}
	}()
	request, early, plain := readPlain(data, o.limits, len(s.proxies) > 0)
	plain = plain && (err != nil || s.fits(o, r.socket, &request)) // a goroutine refuses it
	passed := err == nil && plain && s.open(o, r.socket, &request)
	switch {
	case passed:
		return early, p.begin(r, o)
	case err != nil || !plain || o.late:
		p.remove(r)
		s.unwatch(o) // a goroutine has a deadline of its own, and could take what expire does for the peer's end
		sent := slices.Clone(data)
		s.opts.Deps.Go(func() { s.serve(o, s.turns.take(), sent) })
	default:
		p.remove(r)
		s.abandon(o)
	}
	return nil, false
}

// begin starts the actor of a connection that has shaken hands. After false the poller does not know r any more.
func (p *poller) begin(r *reader, o *opening) bool {
	defer o.server.running.Done()
	if o.server.start(r.socket, o.router) {
		return true
	}
	p.remove(r)
	r.leave()
	return false
}

// pulled returns what there is to read; nothing is no error. A peer that has not authenticated is read from
// into the small buffer, because r keeps the buffer if it parts.
func (p *poller) pulled(r *reader) ([]byte, error) {
	buffer := p.buffer[:]
	if r.small = r.socket.mayDoNow() == actors.Unauthenticated; r.small {
		buffer = p.small[:]
	}
	n, err := readNow(r.socket.fd, buffer)
	switch {
	case err == syscall.EAGAIN: //nolint:errorlint // straight from the system call, on every message's way
		return nil, nil
	case err == nil && n == 0:
		return nil, io.EOF
	}
	return buffer[:n], err
}

// part lets r, which is being served, keep the goroutine and the buffer; another one goes on.
func (p *poller) part(r *reader) {
	p.remove(r)
	r.alone = true
	if r.small {
		p.small = p.smalls.Get().(*[ownBuffer]byte)
	} else {
		p.buffer = p.spare.Get().(*[readBuffer]byte)
	}
	p.running.Go(p.run)
}

// next returns the poller that has r served from now on.
func (p *poller) next(r *reader) *poller {
	if p.lobby && r.socket.mayDoNow() != actors.Unauthenticated {
		return r.home
	}
	return p
}

// lobbyTurn is how many reads the poller of those who have not authenticated makes before it gives way.
const lobbyTurn = 16

// giveWay lets other goroutines go on, if this poller's peers have not authenticated and have had their turn.
func (p *poller) giveWay() {
	if !p.lobby {
		return
	}
	if p.served++; p.served >= lobbyTurn {
		p.served = 0
		runtime.Gosched()
	}
}

// add has r served from now on; the caller must not touch it any more. Where that fails, r gets a
// goroutine of its own for good.
func (p *poller) add(r *reader) {
	if !p.know(r) {
		go r.loop()
	}
}

// know has r served from now on, or returns false.
func (p *poller) know(r *reader) bool {
	r.alone = false
	fd := r.socket.fd
	slot := p.slots.add(r)
	event := &syscall.EpollEvent{Events: readable, Fd: slot}
	if err := syscall.EpollCtl(int(p.epoll.Load()), syscall.EPOLL_CTL_ADD, fd, event); err != nil {
		p.slots.remove(slot)
		r.alone = true
		return false
	}
	return true
}

// remove takes r out.
func (p *poller) remove(r *reader) {
	if err := syscall.EpollCtl(int(p.epoll.Load()), syscall.EPOLL_CTL_DEL, r.socket.fd, nil); err != nil {
		p.log.Error("epoll", "err", err)
	}
	p.slots.remove(r.slot)
}
