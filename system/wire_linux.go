package system

import (
	"encoding/gob"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"strowger/actors"
	"strowger/transport"
)

// What two processes say to each other in an upgrade. Values go through one socket, as package gob writes them, and
// descriptors through another one that keeps the bounds of messages. The order is
//
//	old: greeting, and the listening sockets
//	new: note: it is built
//	old: cargo, lots, ends with the descriptors of all connections
//	new: note: it is ready
//	old: farewell: go on
//	new: note: it goes on, and the old process never touches a connection again
//	new: arrival
//
// Instead of the first two notes, the new process may say why it cannot go on.

// wireFormat is the version of all that. It changes when a process of an earlier version would misunderstand.
const wireFormat = 1

// greeting is the first word.
type greeting struct {
	Format       int
	Listen       string // the address in the settings
	Admin        string // the address in use, empty without admin pages
	AdminSetting string
	// Done and Failed are the upgrades so far.
	Done, Failed int64
	// Singletons are those that the node has.
	Singletons []string
	// Added are the services that were made from templates.
	Added []recipe
}

// note says that the new process has come one step further, or why it cannot.
type note struct {
	Failed  string
	Version string
}

// cargo comes before lots.
type cargo struct {
	Since       time.Duration // when connections were read from last
	Connections int
	Newcomers   []transport.NewcomerState
	Grants      [][]string
	Services    []*actors.ServiceTable
	Holders     []holderState
}

// lot is some of the connections.
type lot struct {
	States []transport.State
	Grants []int // of each, the place of its permissions in those of the cargo; -1: none
}

// holderState is a token whose holder may come back.
type holderState struct {
	Holding actors.Holding
	Grant   int
}

// farewell is the last word of the old process.
type farewell struct{ Go bool }

// arrival says how long each connection has waited.
type arrival struct{ Pauses []time.Duration }

// wire is one process's end of both sockets.
type wire struct {
	values *net.UnixConn
	files  *net.UnixConn
	in     *gob.Decoder
	out    *gob.Encoder
}

// newWire returns the wire of two descriptors, which it owns.
func newWire(values, files int) (*wire, error) {
	w := new(wire)
	var err error
	if w.values, err = unixConn(values); err == nil {
		w.files, err = unixConn(files)
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.in, w.out = gob.NewDecoder(w.values), gob.NewEncoder(w.values)
	return w, nil
}

func unixConn(fd int) (*net.UnixConn, error) {
	file := os.NewFile(uintptr(fd), "upgrade")
	if file == nil {
		return nil, os.ErrInvalid
	}
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	local, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(errors.New("it is no local socket"), conn.Close())
	}
	return local, nil
}

// socketPairs returns the wire of this process, and both descriptors of the other one.
func socketPairs() (w *wire, theirs [2]*os.File, err error) {
	var ours [2]int
	for i, kind := range []int{unix.SOCK_STREAM, unix.SOCK_SEQPACKET} {
		pair, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			if i == 1 {
				_ = unix.Close(ours[0])
				_ = theirs[0].Close()
			}
			return nil, theirs, fmt.Errorf("socketpair: %w", err)
		}
		ours[i], theirs[i] = pair[0], os.NewFile(uintptr(pair[1]), "upgrade")
	}
	w, err = newWire(ours[0], ours[1])
	if err != nil {
		_ = theirs[0].Close()
		_ = theirs[1].Close()
	}
	return w, theirs, err
}

// until sets when all that goes through the wire must be over.
func (w *wire) until(t time.Time) error {
	return errors.Join(w.values.SetDeadline(t), w.files.SetDeadline(t))
}

func (w *wire) close() error {
	var errs []error
	for _, c := range []*net.UnixConn{w.values, w.files} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// filesAtOnce is how many descriptors go in one message. The kernel takes up to 253.
const filesAtOnce = 200

// send sends descriptors, which stay the caller's.
func (w *wire) send(fds []int) error {
	for len(fds) > 0 {
		n := min(len(fds), filesAtOnce)
		if _, _, err := w.files.WriteMsgUnix([]byte{byte(n)}, unix.UnixRights(fds[:n]...), nil); err != nil {
			return fmt.Errorf("send descriptors: %w", err)
		}
		fds = fds[n:]
	}
	return nil
}

// receive returns n descriptors, which are the caller's. They are closed in programs that this one runs.
func (w *wire) receive(n int) ([]int, error) {
	all := make([]int, 0, n)
	data, rights := make([]byte, 1), make([]byte, unix.CmsgSpace(4*filesAtOnce))
	for len(all) < n {
		_, size, flags, _, err := w.files.ReadMsgUnix(data, rights)
		if err != nil {
			return all, fmt.Errorf("receive descriptors: %w", err)
		}
		if flags&unix.MSG_CTRUNC != 0 {
			return all, errors.New("receive descriptors: the limit of open files (LimitNOFILE=, ulimit -n) is too low")
		}
		messages, err := unix.ParseSocketControlMessage(rights[:size])
		if err != nil {
			return all, fmt.Errorf("receive descriptors: %w", err)
		}
		got := 0
		for i := range messages {
			fds, err := unix.ParseUnixRights(&messages[i])
			if err != nil {
				return all, fmt.Errorf("receive descriptors: %w", err)
			}
			got += len(fds)
			all = append(all, fds...)
		}
		if got != int(data[0]) {
			return all, fmt.Errorf("receive descriptors: got %d of %d; the limit of open files (LimitNOFILE=, ulimit -n) may be too low", got, data[0])
		}
	}
	return all, nil
}

// await returns when the new process has come a step further.
func (w *wire) await() (*note, error) {
	var n note
	if err := w.in.Decode(&n); err != nil {
		return nil, fmt.Errorf("the new process says nothing: %w", err)
	}
	if n.Failed != "" {
		return nil, fmt.Errorf("the new process says: %s", n.Failed)
	}
	return &n, nil
}
