package system

import (
	"bytes"
	"fmt"
	"net/netip"
	"runtime"
	"syscall"
	"testing"

	"strowger/client"
)

// The heap that a client takes that has authenticated, subscribes to a service and says nothing: its two actors, both
// sides of its socket, and its entries in the tables.
func TestHeapOfAnIdleConnection(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const connections, before, most = 350, 50, 2700 // the process may have few descriptors
	p := newQuietPeer(t, start(t, testConfig(t)))
	tokens := p.tokens(before + connections)
	for _, made := range tokens[:before] { // what is made once does not count
		p.keep(p.connect(made))
	}
	live := liveHeap()
	for _, made := range tokens[before:] {
		p.keep(p.connect(made))
	}
	each := (liveHeap() - live) / connections
	runtime.KeepAlive(tokens)
	t.Logf("%d bytes", each)
	if each > most {
		t.Errorf("an idle connection takes %d bytes of the heap, want at most %d", each, most)
	}
}

// liveHeap returns how many bytes of the heap are in use.
func liveHeap() int64 {
	// Twice: what has a finalizer or a cleanup is freed by the collection after the one that finds it.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// From the accept to the 200, and on to the end of the connection and of its actors.
func TestAllocationsOfAConnect(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	p := newQuietPeer(t, start(t, testConfig(t)))
	tokens := p.tokens(warmRuns + countedRuns)
	next := 0
	atMost(t, 190, func() {
		fd := p.connect(tokens[next])
		next++
		_ = syscall.Close(fd)
	})
}

// quietPeer makes connections that are no more than a descriptor, and allocates next to nothing for them.
type quietPeer struct {
	t      *testing.T
	system *System
	to     *syscall.SockaddrInet4
	said   []byte // what is to be sent next
	heard  []byte
	open   []int
}

func newQuietPeer(t *testing.T, s *System) *quietPeer {
	at := netip.MustParseAddrPort(s.Addr().String())
	p := &quietPeer{t: t, system: s, to: &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()},
		said: make([]byte, 0, 4<<10), heard: make([]byte, 0, 4<<10), open: make([]int, 0, 4<<10)}
	t.Cleanup(func() {
		for _, fd := range p.open {
			_ = syscall.Close(fd)
		}
	})
	return p
}

// tokens returns n tokens of clients that subscribe to a service.
func (p *quietPeer) tokens(n int) []client.Token {
	all := make([]client.Token, n)
	for i := range all {
		all[i] = mint(p.t, p.system.running.Load().Tokens.Directory, user(fmt.Sprintf("d%d.example", i%10), []string{"view"}, "news"))
	}
	return all
}

// keep leaves a connection open until the test ends.
func (p *quietPeer) keep(fd int) { p.open = append(p.open, fd) }

// connect shakes hands and authenticates. It returns the connection's descriptor.
func (p *quietPeer) connect(made client.Token) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	limit := syscall.NsecToTimeval(patience.Nanoseconds())
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit); err != nil {
		p.t.Fatal(err)
	}
	if err := syscall.Connect(fd, p.to); err != nil {
		p.t.Fatal(err)
	}
	p.said = append(p.said[:0], "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"...)
	p.said = append(p.said, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"...)
	p.ask(fd, `"status_code":407`)
	// A frame of 126 to 65535 bytes, masked with zeros.
	p.said = append(p.said[:0], 0x81, 0x80|126, 0, 0, 0, 0, 0, 0)
	p.said = append(p.said, `{"service":"authentication","token":{"name":"`...)
	p.said = append(p.said, made.Name...)
	p.said = append(p.said, `","hash":"`...)
	p.said = append(p.said, made.Hash...)
	p.said = append(p.said, `"}}`...)
	length := len(p.said) - 8
	p.said[2], p.said[3] = byte(length>>8), byte(length)
	p.ask(fd, `"status_code":200`)
	return fd
}

// ask sends what is to be sent, and reads until the answer has been read.
func (p *quietPeer) ask(fd int, answer string) {
	if _, err := syscall.Write(fd, p.said); err != nil {
		p.t.Fatal(err)
	}
	p.heard = p.heard[:0]
	for !bytes.Contains(p.heard, []byte(answer)) {
		n, err := syscall.Read(fd, p.heard[len(p.heard):cap(p.heard)])
		if err == syscall.EINTR { //nolint:errorlint // straight from the system call
			continue
		}
		if n <= 0 || err != nil {
			p.t.Fatalf("read %d bytes after %q: %v", n, p.heard, err)
		}
		p.heard = p.heard[:len(p.heard)+n]
	}
}
