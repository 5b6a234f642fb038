package system

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// adminPort opens the listening socket of the admin pages each time that they start. Another process can take it over.
type adminPort struct {
	inherited net.Listener // nil: the address is opened

	mu      sync.Mutex // Protects following.
	opened  chan struct{}
	current *adminListener // nil: the pages have not started
}

// adminListener accepts once the port is open, and no more once another process does.
type adminListener struct {
	net.Listener
	opened <-chan struct{}
	closed chan struct{}
	once   sync.Once
	over   chan struct{} // closed when another process accepts
}

// ensure returns the channel that is closed when the port is open. The caller holds mu.
func (p *adminPort) ensure() chan struct{} {
	if p.opened == nil {
		p.opened = make(chan struct{})
	}
	return p.opened
}

// open lets the pages answer.
func (p *adminPort) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.ensure())
}

// listen implements Listen of admin.Options. Each call returns a socket of its own, because the pages close it when
// they restart.
func (p *adminPort) listen(network, address string) (net.Listener, error) {
	l, err := p.socket(network, address)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = &adminListener{Listener: l, opened: p.ensure(), closed: make(chan struct{}), over: make(chan struct{})}
	return p.current, nil
}

func (p *adminPort) socket(network, address string) (net.Listener, error) {
	if p.inherited == nil {
		return net.Listen(network, address)
	}
	tcp, ok := p.inherited.(*net.TCPListener)
	if !ok {
		return nil, errors.New("the inherited listener of the admin pages is no TCP listener")
	}
	file, err := tcp.File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return net.FileListener(file)
}

// use calls f with the descriptor of the listening socket, -1 if there is none.
func (p *adminPort) use(f func(fd int) error) error {
	p.mu.Lock()
	current := p.current
	p.mu.Unlock()
	if current == nil {
		return f(-1)
	}
	conn, ok := current.Listener.(syscall.Conn)
	if !ok {
		return f(-1)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return f(-1)
	}
	called, result := false, error(nil)
	if raw.Control(func(fd uintptr) { called, result = true, f(int(fd)) }) != nil && !called {
		return f(-1) // it is closed: the pages restart
	}
	return result
}

// handOver accepts no more, because another process does.
func (p *adminPort) handOver() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		close(p.current.over)
		_ = p.current.Listener.Close()
	}
}

// close lets go of the inherited socket.
func (p *adminPort) close() {
	if p.inherited != nil {
		_ = p.inherited.Close()
	}
}

// Accept implements net.Listener.
func (l *adminListener) Accept() (net.Conn, error) {
	select {
	case <-l.opened:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		select {
		case <-l.over:
			<-l.closed // to the pages, nothing has happened
		default:
		}
	}
	return conn, err
}

// Close implements net.Listener.
func (l *adminListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
