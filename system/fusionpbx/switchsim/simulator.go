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
	// Before, unless nil, is called by Play before it sends an event. It may wait, so that a test can look at what came
	// of the events before. Play returns its error.
	Before func(ctx context.Context, event Event) error
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
	opts     Options
	defaults func() []fallback // made when a command needs them
	listener net.Listener      // nil: only Dial reaches it
	wait     sync.WaitGroup

	mu        sync.Mutex // Protects following.
	recording *Recording
	random    *rand.Rand
	conns     []*conn
	accepted  int
	commands  []Command
	changed   chan struct{} // closed and replaced when a command came or a connection went
	start     time.Time     // of Play
	at        time.Duration // of the last event
	refuse    time.Time     // connections are refused until then
	closed    bool
}

// New returns a simulator that nobody can reach but through Dial. The caller must call Close.
func New(recording *Recording, opts Options) *Simulator {
	if opts.Password == "" {
		opts.Password = "ClueCon"
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	opts.Log.Info("switch simulator plays a recording of a real FreeSWITCH; it is not a switch", "address", opts.Address, "recording", recording.Name, "events", len(recording.Events))
	return &Simulator{recording: recording, opts: opts, defaults: sync.OnceValue(defaults), changed: make(chan struct{}), random: rand.New(rand.NewPCG(opts.Faults.Seed, 0))}
}

// Start listens and answers. It returns an error if the address is not a loopback address or is taken. The caller
// must call Close.
func Start(recording *Recording, opts Options) (*Simulator, error) {
	if opts.Address == "" {
		opts.Address = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(opts.Address)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("switch simulator: %q is not a loopback address", opts.Address)
	}
	listener, err := net.Listen("tcp", opts.Address)
	if err != nil {
		return nil, fmt.Errorf("switch simulator: %w", err)
	}
	opts.Address = listener.Addr().String()
	s := New(recording, opts)
	s.listener = listener
	s.wait.Go(s.accept)
	return s, nil
}

// Dial connects to the simulator without a socket, whatever the address. It has the form of a dialer, for clients that
// take one, and serves tests with a clock of their own.
func (s *Simulator) Dial(context.Context, string) (net.Conn, error) {
	here, there := net.Pipe()
	if !s.serve(there) {
		here.Close()
		return nil, errRefused
	}
	return here, nil
}

var errRefused = errors.New("switch simulator: connection refused")

// Addr returns the host and port of a simulator that Start made.
func (s *Simulator) Addr() string { return s.opts.Address }

// Close ends all connections and waits for all goroutines.
func (s *Simulator) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if s.listener != nil {
		s.listener.Close()
	}
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

// AwaitListener waits until a client has asked for events. A connection that only wants the results of its own
// background commands does not count.
func (s *Simulator) AwaitListener(ctx context.Context) error {
	return s.until(ctx, func() bool {
		return slices.ContainsFunc(s.conns, func(c *conn) bool { return c.listens && !c.onlyJobs() })
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
		s.serve(socket)
	}
}

// serve answers on the socket in a goroutine of its own. It closes the socket and returns false if connections are
// refused now.
func (s *Simulator) serve(socket net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || time.Now().Before(s.refuse) {
		socket.Close()
		return false
	}
	s.accepted++
	c := &conn{simulator: s, socket: socket, number: s.accepted}
	s.conns = append(s.conns, c)
	s.wait.Go(func() {
		c.serve()
		s.forget(c)
	})
	return true
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
