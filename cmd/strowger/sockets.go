package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The variables in which a service manager says which sockets the process has inherited (sd_listen_fds(3)).
const (
	listenPID   = "LISTEN_PID"
	listenFDs   = "LISTEN_FDS"
	listenNames = "LISTEN_FDNAMES"
	// firstFD is the first inherited descriptor.
	firstFD = 3
	// adminName is the name of the socket of the admin pages. Every other name is that of the router's.
	adminName = "admin"
)

// sockets are the listening sockets that a service manager has opened. Each may be nil.
type sockets struct{ router, admin net.Listener }

// inheritedSockets returns the sockets that the environment says are for this process.
func inheritedSockets(environ []string) (sockets, error) {
	var s sockets
	if variable(environ, listenPID) != strconv.Itoa(os.Getpid()) {
		return s, nil // they are for another process, or there are none
	}
	count, err := strconv.Atoi(variable(environ, listenFDs))
	if err != nil || count < 0 {
		return s, fmt.Errorf("%s=%q is not a number of sockets", listenFDs, variable(environ, listenFDs))
	}
	names := strings.Split(variable(environ, listenNames), ":")
	for i := range count {
		name := ""
		if i < len(names) {
			name = names[i]
		}
		if err := s.add(firstFD+i, name); err != nil {
			return s, fmt.Errorf("inherited socket %d (%s): %w", firstFD+i, name, err)
		}
	}
	return s, nil
}

// add takes a descriptor in.
func (s *sockets) add(fd int, name string) error {
	file := os.NewFile(uintptr(fd), name)
	if file == nil {
		return os.ErrInvalid
	}
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("it is no listening socket: %w", err)
	}
	if _, ok := listener.(*net.TCPListener); !ok {
		return errors.Join(fmt.Errorf("it listens on %s %s, want a TCP socket", listener.Addr().Network(), listener.Addr()), listener.Close())
	}
	place := &s.router
	if name == adminName {
		place = &s.admin
	}
	if *place != nil {
		return errors.Join(errors.New("there is another one for the same port of the daemon; FileDescriptorName=admin in its socket unit makes one that of the admin pages"),
			listener.Close())
	}
	*place = listener
	return nil
}

// variable returns the value of a variable, empty if there is none.
func variable(environ []string, name string) string {
	for _, entry := range slices.Backward(environ) {
		if key, value, ok := strings.Cut(entry, "="); ok && key == name {
			return value
		}
	}
	return ""
}
