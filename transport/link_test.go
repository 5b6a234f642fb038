package transport

import (
	"errors"
	"io"
	"net"
	"sync"

	"strowger/actors"
	"strowger/transport/wire"
)

// link is a socket of a rig and its far end. Nothing reads our end but to notice its close.
type link struct {
	*socket
	far *peer
}

// tcpPair returns both ends of a connection over loopback. buffer is how many bytes near may have
// under way, 0 for the system's choice. The far one's is left alone: the kernel's timers make a
// small one crawl.
func (r *rig) tcpPair(buffer int) (near, far *net.TCPConn) {
	r.t.Helper()
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	if far, err = net.DialTCP("tcp", nil, ln.Addr().(*net.TCPAddr)); err != nil {
		r.t.Fatal(err)
	}
	if near, err = ln.AcceptTCP(); err != nil {
		r.t.Fatal(err)
	}
	if buffer > 0 {
		if err := near.SetWriteBuffer(buffer); err != nil {
			r.t.Fatal(err)
		}
	}
	return near, far
}

// link attaches and admits a socket whose write buffer holds so many bytes.
func (r *rig) link(buffer int) *link {
	r.t.Helper()
	near, far := r.tcpPair(buffer)
	return &link{r.attached(near), newPeer(r.t, far)}
}

func (r *rig) attached(conn net.Conn) *socket {
	r.live.Add(1)
	s := r.newSocket(conn, r.limits.Load())
	r.attach(s)
	var reading sync.WaitGroup
	reading.Go(func() {
		_, _ = io.Copy(io.Discard, conn)
		s.readerDone()
	})
	r.t.Cleanup(func() {
		_ = conn.Close()
		reading.Wait()
	})
	s.Admit(actors.Client, frame("admitted"))
	return s
}

func frame(payload string) actors.Frame {
	return actors.Frame{Bytes: wire.AppendFrame(nil, wire.OpText, []byte(payload))}
}

// gate is a write that hangs until it is opened, and fails then.
type gate struct{ opened chan struct{} }

func (g gate) Control(func(uintptr)) error   { return nil }
func (g gate) Read(func(uintptr) bool) error { return nil }

func (g gate) Write(func(uintptr) bool) error {
	<-g.opened
	return errors.New("the gate was shut")
}

// block stops all shards in their next flush until the function it returns is called.
func (r *rig) block() (unblock func()) {
	g := gate{opened: make(chan struct{})}
	for _, sh := range r.shards {
		near, far := net.Pipe()
		_ = far.Close()
		s := &socket{shard: sh, conn: near, raw: g, reader: &reader{}, admitted: true}
		s.Send(frame("stuck"))
	}
	unblock = sync.OnceFunc(func() { close(g.opened) })
	r.t.Cleanup(unblock)
	return unblock
}

// probe is a write that looks at what belongs to the shard while the shard waits for it.
type probe struct {
	gate
	look func()
}

func (p probe) Write(func(uintptr) bool) error {
	p.look()
	return errors.New("only looking")
}

// look reports whether something holds that only the socket's shard may read.
func (s *socket) look(holds func() bool) bool {
	answer := make(chan bool, 1)
	near, far := net.Pipe()
	_ = far.Close()
	watcher := &socket{shard: s.shard, conn: near, reader: &reader{}, admitted: true,
		raw: probe{look: func() { answer <- holds() }}}
	watcher.Send(frame("look"))
	return <-answer
}

// all returns the frames' payloads up to the end of the connection or a close frame.
func (p *peer) all() (payloads []string, err error) {
	for {
		m, err := p.read()
		if err != nil || m.op == wire.OpClose {
			return payloads, err
		}
		payloads = append(payloads, string(m.payload))
	}
}
