package e2e

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// flaky is a proxy that breaks connections when it is told to.
type flaky struct {
	addr     string // where it listens
	to       string
	accepted atomic.Int64

	mu    sync.Mutex // Protects following.
	links map[*link]bool
}

// link is one connection through the proxy.
type link struct {
	client, router net.Conn
	stalled        atomic.Bool  // nothing goes through any more
	gate           sync.RWMutex // locked: what the router says waits
	down           atomic.Int64 // bytes to the client
}

// startFlaky listens until t ends.
func startFlaky(t *testing.T, to string) *flaky {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &flaky{addr: listener.Addr().String(), to: to, links: map[*link]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			router, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			f.accepted.Add(1)
			l := &link{client: client, router: router}
			f.mu.Lock()
			f.links[l] = true
			f.mu.Unlock()
			running.Go(func() { f.pass(l, client, router) })
			running.Go(func() { f.pass(l, router, client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		f.each(f.end)
		running.Wait()
	})
	return f
}

// pass copies until one side ends, and then ends both. A link that stalls takes what comes, so that its ends notice nothing,
// until its client leaves.
func (f *flaky) pass(l *link, from, to net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if l.stalled.Load() {
			if err != nil {
				if from == l.client {
					f.end(l)
				}
				return
			}
			continue
		}
		if to == l.client {
			l.down.Add(int64(n))
		}
		if err == nil {
			if to == l.client {
				l.gate.RLock()
				l.gate.RUnlock() //nolint:staticcheck // whoever holds the gate has shut it
			}
			_, err = to.Write(buf[:n])
		}
		if err != nil {
			f.end(l)
			return
		}
	}
}

func (f *flaky) end(l *link) {
	f.mu.Lock()
	delete(f.links, l)
	f.mu.Unlock()
	_ = l.client.Close()
	_ = l.router.Close()
}

// each calls do for each link there is.
func (f *flaky) each(do func(*link)) {
	f.mu.Lock()
	links := make([]*link, 0, len(f.links))
	for l := range f.links {
		links = append(links, l)
	}
	f.mu.Unlock()
	for _, l := range links {
		do(l)
	}
}

// cut ends all links on both sides.
func (f *flaky) cut() { f.each(f.end) }

// stall lets nothing through any more, and keeps the connections open.
func (f *flaky) stall() { f.each(func(l *link) { l.stalled.Store(true) }) }

// hold has the clients of all links read nothing until release is called, which may be called again.
func (f *flaky) hold() (release func()) {
	var held []*link
	f.each(func(l *link) {
		l.gate.Lock()
		held = append(held, l)
	})
	return sync.OnceFunc(func() {
		for _, l := range held {
			l.gate.Unlock()
		}
	})
}

// halfOpen ends the router's side of all links and tells the clients nothing.
func (f *flaky) halfOpen() {
	f.stall()
	f.each(func(l *link) { _ = l.router.Close() })
}

// carries tells whether a link has brought its client more than this many bytes and still works.
func (f *flaky) carries(bytes int64) bool {
	carries := false
	f.each(func(l *link) { carries = carries || !l.stalled.Load() && l.down.Load() > bytes })
	return carries
}
