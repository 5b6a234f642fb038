package system

import (
	"errors"
	"net"
)

// adminPort opens the listening socket of the admin pages each time that they start.
type adminPort struct {
	inherited net.Listener // nil: the address is opened
}

// listen implements Listen of admin.Options. Each call returns a socket of its own, because the pages close it when
// they restart.
func (p *adminPort) listen(network, address string) (net.Listener, error) {
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

// close lets go of the inherited socket.
func (p *adminPort) close() {
	if p.inherited != nil {
		_ = p.inherited.Close()
	}
}
