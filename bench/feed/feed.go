package feed

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"

	"strowger/bench/load"
)

// Feed is the event socket.
type Feed struct {
	scripts  []*Script
	listener net.Listener
	wait     sync.WaitGroup
	begun    int // calls
	playing  []*event
	of       *call
	ending   bool
	out      []byte

	mu    sync.Mutex // Protects following.
	conns []*conn
	calls []*call // that are up or begin, the oldest first
}

// recordings are the calls that are played in turn.
var recordings = [...]string{"calls-answered-caller-hangs", "calls-hold"}

// Start listens on a free port of the loopback interface. corpus is the directory of the recordings. The caller must
// call Close.
func Start(corpus string) (*Feed, error) {
	f := &Feed{}
	for _, name := range recordings {
		s, err := LoadScript(filepath.Join(corpus, name))
		if err != nil {
			return nil, err
		}
		f.scripts = append(f.scripts, s)
	}
	var err error
	if f.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start switch: %w", err)
	}
	f.wait.Go(f.accept)
	return f, nil
}

// Port returns the port that the feed listens on.
func (f *Feed) Port() int { return f.listener.Addr().(*net.TCPAddr).Port }

// Close ends all connections and waits for what serves them.
func (f *Feed) Close() error {
	err := f.listener.Close()
	f.mu.Lock()
	for _, c := range f.conns {
		c.socket.Close()
	}
	f.mu.Unlock()
	f.wait.Wait()
	return err
}

func (f *Feed) accept() {
	for {
		socket, err := f.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		c := &conn{feed: f, socket: socket}
		f.mu.Lock()
		f.conns = append(f.conns, c)
		f.mu.Unlock()
		f.wait.Go(c.serve)
	}
}

func (f *Feed) forget(c *conn) {
	c.socket.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = slices.DeleteFunc(f.conns, func(other *conn) bool { return other == c })
}

// Listeners returns how many clients have asked for events of channels.
func (f *Feed) Listeners() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.conns {
		if c.passes(f.scripts[0].up[0]) {
			n++
		}
	}
	return n
}

// Calls returns how many calls are up or begin.
func (f *Feed) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.calls)
}

// Sent is an event that was sent.
type Sent struct {
	Name   string
	Domain int
}

// Step sends the next event to every client that wants it, and waits for those that do not read. Calls begin until hold of
// them are up; then an old one ends before a new one begins. With hold 0 they all end; more is false when nothing is left.
// One goroutine may call it.
func (f *Feed) Step(hold int, mark load.Mark) (sent Sent, more bool) {
	if len(f.playing) == 0 && !f.next(hold) {
		return Sent{}, false
	}
	e := f.playing[0]
	f.playing = f.playing[1:]
	f.out = e.fill(f.out[:0], f.of)
	mark.Put(f.out[e.mark:])
	f.mu.Lock()
	to := make([]*conn, 0, 4)
	for _, c := range f.conns {
		if c.passes(e) {
			to = append(to, c)
		}
	}
	if len(f.playing) == 0 && f.ending {
		f.calls = f.calls[1:]
	}
	f.mu.Unlock()
	for _, c := range to {
		c.write(f.out)
	}
	return Sent{e.name, f.of.domain}, true
}

// next chooses what is played after the last event of a call. It reports false if there is nothing.
func (f *Feed) next(hold int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ending = len(f.calls) >= max(hold, 1) || hold == 0
	if f.ending {
		if len(f.calls) == 0 {
			return false
		}
		f.of = f.calls[0]
		f.playing = f.of.script.down
		return true
	}
	f.of = f.scripts[f.begun%len(f.scripts)].call(f.begun)
	f.begun++
	f.playing = f.of.script.up
	f.calls = append(f.calls, f.of)
	return true
}

// answer returns what the switch says to an api command.
func (f *Feed) answer(command string) string {
	switch command {
	case "show channels as json":
		return f.channels()
	case "show registrations as json":
		return "{\"row_count\": 0}\n"
	case "conference json_list":
		return "[]"
	}
	return "+OK\n"
}

// channels returns the list of channels of the calls that are up.
func (f *Feed) channels() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var rows []byte
	n := 0
	for _, c := range f.calls {
		for i := range c.script.rows {
			if n++; n > 1 {
				rows = append(rows, ',')
			}
			rows = c.script.rows[i].fill(rows, c)
		}
	}
	if n == 0 {
		return "{\"row_count\": 0}\n"
	}
	return fmt.Sprintf(`{"row_count":%d,"rows":[%s]}`, n, rows) + "\n"
}
