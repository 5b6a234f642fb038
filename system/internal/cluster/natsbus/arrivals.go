package natsbus

import (
	"net"
	"sync"

	"github.com/nats-io/nats.go"
)

// mostArrivals is how many messages may wait between the library and whoever takes them.
const mostArrivals = 32768

// arrivals is what the library has read and nobody has taken yet. The library counts messages and not bytes, so while too
// many bytes wait, nothing more is read, and the server keeps what it has for this node or drops it.
type arrivals struct {
	messages chan *nats.Msg
	most     int64  // bytes
	waits    func() // called when nothing is read any more

	mu    sync.Mutex    // Protects following.
	bytes int64         // read since no message waited
	room  chan struct{} // closed when there is room; nil: nobody waits
	ended bool
}

func newArrivals(most int64, waits func()) *arrivals {
	return &arrivals{messages: make(chan *nats.Msg, mostArrivals), most: most, waits: waits}
}

// read notes that bytes have been read. It waits while too many of them wait to be taken.
func (a *arrivals) read(n int) {
	a.mu.Lock()
	a.bytes += int64(n)
	for {
		if len(a.messages) == 0 {
			a.bytes = min(a.bytes, int64(n)) // a part of a message, if anything
		}
		if a.bytes <= a.most || a.ended || len(a.messages) == 0 {
			a.mu.Unlock()
			return
		}
		if a.room == nil {
			a.room = make(chan struct{})
		}
		room := a.room
		a.mu.Unlock()
		a.waits()
		<-room
		a.mu.Lock()
	}
}

// taken notes that a message has been taken.
func (a *arrivals) taken() {
	if len(a.messages) == 0 {
		a.wake(false)
	}
}

// end lets everybody read who waits.
func (a *arrivals) end() { a.wake(true) }

func (a *arrivals) wake(ended bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = a.ended || ended
	if a.room != nil {
		close(a.room)
		a.room = nil
	}
}

// bounded is a connection to the server that reads no more than arrivals have room for.
type bounded struct {
	net.Conn
	arrivals *arrivals
}

// Read implements net.Conn.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	b.arrivals.read(n)
	return n, err //nolint:wrapcheck // it is the connection's
}
