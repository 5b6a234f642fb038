package transport

import (
	"io"
	"math"
	"net"
	"sync"

	"strowger/actors"
	"strowger/transport/frame"
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
	s.Admit(actors.Client, framed("admitted"))
	return s
}

func framed(payload string) actors.Message {
	return actors.Message{Form: frame.Append(nil, frame.OpText, []byte(payload))}
}

// refuser is called for a message that finds no room.
type refuser func()

func (f refuser) Refuse() { f() }

// during has f called by the shard in the middle of a batch.
func (sh *shard) during(f func()) {
	// Who is behind beyond all bounds has a frame refused.
	behind := &socket{shard: sh, waiting: math.MaxInt32}
	behind.Send(actors.Message{Refused: refuser(f)})
}

// block returns once every shard waits in the middle of a batch. They wait until the function it
// returns is called. What is posted meanwhile is one batch for each shard.
func (r *rig) block() (unblock func()) {
	opened := make(chan struct{})
	var blocked sync.WaitGroup
	for _, sh := range r.shards {
		blocked.Add(1)
		sh.during(func() {
			blocked.Done()
			<-opened
		})
	}
	blocked.Wait()
	unblock = sync.OnceFunc(func() { close(opened) })
	r.t.Cleanup(unblock)
	return unblock
}

// look reports whether something holds that only the socket's shard may read.
func (s *socket) look(holds func() bool) bool {
	answer := make(chan bool, 1)
	s.shard.during(func() { answer <- holds() })
	return <-answer
}

// all returns the frames' payloads up to the end of the connection or a close frame.
func (p *peer) all() (payloads []string, err error) {
	for {
		m, err := p.read()
		if err != nil || m.op == frame.OpClose {
			return payloads, err
		}
		payloads = append(payloads, string(m.payload))
	}
}
