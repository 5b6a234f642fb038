package switchsim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// Options say what the simulator plays. Zero means the default of a field.
type Options struct {
	// Address is where it listens; its host must be a loopback address. The default is 127.0.0.1:0, any free port.
	Address string
	// Password is the one that it accepts. The default is ClueCon, which is FreeSWITCH's.
	Password string
	// Speed is how fast Play goes: 1 is as recorded, 2 twice as fast. Zero means without pauses.
	Speed float64
	// Faults say how it misbehaves.
	Faults Faults
	// Log gets connections and the names of commands. The default discards.
	Log *slog.Logger
}

// Command is what a client sent.
type Command struct {
	// Conn is the number of the connection, from 1.
	Conn int
	// At is the time of the recording.
	At time.Duration
	// Text is the command without its blank line. The password of auth is left out.
	Text string
}

// Simulator is an event socket that plays a recording. Any goroutine may call its methods.
type Simulator struct {
	recording *Recording
	opts      Options
	listener  net.Listener
	wait      sync.WaitGroup

	mu       sync.Mutex // Protects following.
	random   *rand.Rand
	conns    []*conn
	accepted int
	commands []Command
	changed  chan struct{} // closed and replaced when a command came or a connection went
	start    time.Time     // of Play
	at       time.Duration // of the last event
	refuse   time.Time     // connections are refused until then
	closed   bool
}

// Start listens and answers. It returns an error if the address is not a loopback address or is taken. The caller
// must call Close.
func Start(recording *Recording, opts Options) (*Simulator, error) {
	if opts.Address == "" {
		opts.Address = "127.0.0.1:0"
	}
	if opts.Password == "" {
		opts.Password = "ClueCon"
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	host, _, err := net.SplitHostPort(opts.Address)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("switch simulator: %q is not a loopback address", opts.Address)
	}
	listener, err := net.Listen("tcp", opts.Address)
	if err != nil {
		return nil, fmt.Errorf("switch simulator: %w", err)
	}
	s := &Simulator{recording: recording, opts: opts, listener: listener, changed: make(chan struct{}), random: rand.New(rand.NewPCG(opts.Faults.Seed, 0))}
	opts.Log.Info("switch simulator plays a recording of a real FreeSWITCH; it is not a switch", "address", s.Addr(), "recording", recording.Name, "events", len(recording.Events))
	s.wait.Go(s.accept)
	return s, nil
}

// Addr returns the host and port.
func (s *Simulator) Addr() string { return s.listener.Addr().String() }

// Close ends all connections and waits for all goroutines.
func (s *Simulator) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.listener.Close()
	s.Drop()
	s.wait.Wait()
}

// Drop closes all connections. New ones are accepted.
func (s *Simulator) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.socket.Close()
		c.listens = false
	}
}

// Commands returns what clients have sent until now.
func (s *Simulator) Commands() []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Await waits until the commands satisfy the condition. It returns ctx's error if ctx ends first.
func (s *Simulator) Await(ctx context.Context, condition func([]Command) bool) error {
	return s.until(ctx, func() bool { return condition(s.commands) })
}

// AwaitListener waits until a client has asked for events.
func (s *Simulator) AwaitListener(ctx context.Context) error {
	return s.until(ctx, func() bool {
		return slices.ContainsFunc(s.conns, func(c *conn) bool { return c.listens })
	})
}

// until waits for a condition, which is called with mu held.
func (s *Simulator) until(ctx context.Context, condition func() bool) error {
	for {
		s.mu.Lock()
		ok, changed := condition(), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// notify wakes those who wait. The caller holds mu.
func (s *Simulator) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Simulator) accept() {
	for {
		socket, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		s.mu.Lock()
		if s.closed || time.Now().Before(s.refuse) {
			s.mu.Unlock()
			socket.Close()
			continue
		}
		s.accepted++
		c := &conn{simulator: s, socket: socket, number: s.accepted}
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		s.wait.Go(func() {
			c.serve()
			s.forget(c)
		})
	}
}

func (s *Simulator) forget(c *conn) {
	c.socket.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = slices.DeleteFunc(s.conns, func(other *conn) bool { return other == c })
	s.notify()
}

// now returns the time of the recording.
func (s *Simulator) now() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.Speed == 0 || s.start.IsZero() {
		return s.at
	}
	return time.Duration(float64(time.Since(s.start)) * s.opts.Speed)
}
