package load

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// script is a server that upgrades one connection and then does what it is told.
func script(t *testing.T, do func(conn net.Conn, in io.Reader)) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		do(conn, rw)
	}), ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return netip.MustParseAddrPort(listener.Addr().String())
}

// recorder keeps what it is handed.
type recorder struct {
	frames chan string
	closed chan error
}

func (r *recorder) Frame(_ *Conn, payload []byte) { r.frames <- string(payload) }
func (r *recorder) Closed(_ *Conn, err error)     { r.closed <- err }

func start(t *testing.T, addr netip.AddrPort) (*Loop, *Conn, *recorder) {
	t.Helper()
	c, err := Dial(addr, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLoop()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	r := &recorder{frames: make(chan string, 10), closed: make(chan error, 1)}
	c.Handler = r
	if err := l.Add(c); err != nil {
		t.Fatal(err)
	}
	return l, c, r
}

func TestLoopPutsFramesTogether(t *testing.T) {
	step := make(chan struct{})
	addr := script(t, func(conn net.Conn, in io.Reader) {
		both := append(unmasked("first"), unmasked("second")...)
		_, _ = conn.Write(both[:3])
		<-step
		_, _ = conn.Write(both[3:])
		_, _ = in.Read(make([]byte, 1)) // until the client leaves
	})
	_, _, r := start(t, addr)
	close(step)
	for _, want := range []string{"first", "second"} {
		if got := <-r.frames; got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestLoopAnswersPingsAndSends(t *testing.T) {
	got := make(chan []byte, 1)
	want := append(appendFrame(nil, opPong, []byte("p")), AppendText(nil, []byte("said"))...)
	addr := script(t, func(conn net.Conn, in io.Reader) {
		_, _ = conn.Write(append([]byte{0x89, 0x01, 'p'}, unmasked("go")...))
		answer := make([]byte, len(want))
		_, _ = io.ReadFull(in, answer)
		got <- answer
	})
	l, c, r := start(t, addr)
	<-r.frames
	l.Do(func() { c.Send(AppendText(nil, []byte("said"))) })
	if answer := <-got; !bytes.Equal(answer, want) {
		t.Fatalf("server got %x, want %x", answer, want)
	}
}

func TestLoopKeepsWhatTheKernelDoesNotTake(t *testing.T) {
	const size = 16 << 20
	sent := make(chan struct{})
	got := make(chan int64, 1)
	addr := script(t, func(_ net.Conn, in io.Reader) {
		<-sent
		n, _ := io.CopyN(io.Discard, in, size)
		got <- n
	})
	l, c, _ := start(t, addr)
	l.Do(func() { c.Send(make([]byte, size)) })
	close(sent)
	if n := <-got; n != size {
		t.Fatalf("server got %d bytes, want %d", n, size)
	}
}

func TestLoopSaysWhyAConnectionEnded(t *testing.T) {
	tests := map[string]struct {
		sends []byte
		want  string
	}{
		"end of file": {want: io.EOF.Error()},
		"close frame": {sends: []byte{0x88, 0x05, 0x03, 0xe9, 'b', 'y', 'e'}, want: "server closed the connection: 1001 bye"},
		"masked":      {sends: AppendText(nil, []byte("x")), want: errMasked.Error()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			addr := script(t, func(conn net.Conn, _ io.Reader) { _, _ = conn.Write(test.sends) })
			_, _, r := start(t, addr)
			if err := <-r.closed; err.Error() != test.want {
				t.Fatalf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestDialManyStopsAtTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	_, err := DialMany(10, 2, func(i int) (*Conn, error) {
		if i >= 3 {
			return nil, broken
		}
		return &Conn{fd: -1}, nil
	})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v, want %v", err, broken)
	}
}
