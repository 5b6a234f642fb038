package natsbus

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// Status is how the bus is.
type Status struct {
	// Connected tells whether messages can be sent and come.
	Connected bool
	// Since is when that became so.
	Since time.Time
	// Server is the server that the node is connected to, or was last.
	Server string
	// Err is why there is no connection, or what the bus refuses; "" if all is well.
	Err string
	// Listen is where the server inside accepts other nodes, "" without one.
	Listen string
	// Routes is to how many servers of other nodes the one inside is connected.
	Routes int
	// Waiting is how many messages have come that nobody has taken yet.
	Waiting int
	// Dropped is how many messages came and were dropped, because too many waited.
	Dropped int64
	// Disconnects is how often the connection was lost.
	Disconnects int64
}

// state is what is known of the connection.
type state struct {
	closing     atomic.Bool // Close was called; the end of the connection is no news
	disconnects atomic.Int64

	mu        sync.Mutex // Protects those below.
	connected bool
	since     time.Time
	server    string
	err       string
}

func (s *state) up(server string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected, s.since, s.server, s.err = true, time.Now(), server, ""
}

func (s *state) down(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connected || s.since.IsZero() {
		s.since = time.Now()
	}
	s.connected = false
	s.note(err)
}

func (s *state) refused(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(err)
}

func (s *state) note(err error) {
	if err != nil {
		s.err = err.Error()
	}
}

// Status returns how the bus is.
func (b *Bus) Status() Status {
	b.state.mu.Lock()
	now := Status{Connected: b.state.connected, Since: b.state.since, Server: b.state.server, Err: b.state.err}
	b.state.mu.Unlock()
	now.Disconnects = b.state.disconnects.Load()
	now.Waiting = len(b.arrived.messages)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.subscriptions {
		if n, err := s.Dropped(); err == nil {
			now.Dropped += int64(n)
		}
	}
	if b.server != nil {
		now.Routes = b.server.NumRemotes()
		if addr := b.server.ClusterAddr(); addr != nil {
			now.Listen = addr.String()
		}
	}
	return now
}

// pause returns how long to wait once all servers were tried in vain: longer each time up to 2 s, and nobody at the same
// time as others.
func pause(attempts int) time.Duration {
	longest := min(100*time.Millisecond<<min(attempts, 10), 2*time.Second)
	return longest/2 + rand.N(longest/2)
}

func serverName(inside bool, url string) string {
	if inside {
		return "inside"
	}
	return url
}

// connected, disconnected, unreachable, ended and complain are called by one goroutine of the library.

func (b *Bus) connected(nc *nats.Conn) {
	b.maxBytes.Store(nc.MaxPayload())
	server := serverName(b.cfg.Listen != "", nc.ConnectedUrlRedacted())
	b.state.up(server)
	b.log.Info("connected to the cluster's bus", "server", server)
}

func (b *Bus) disconnected(_ *nats.Conn, err error) {
	if b.state.closing.Load() {
		return
	}
	if err == nil {
		err = errors.New("the server has closed it")
	}
	b.state.disconnects.Add(1)
	b.state.down(err)
	b.log.Warn("lost the connection to the cluster's bus; this node goes on alone until it is back", "err", err, "setting", b.setting())
}

func (b *Bus) unreachable(_ *nats.Conn, err error) {
	if b.state.closing.Load() {
		return
	}
	b.state.down(err)
	setting := b.setting()
	if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) || errors.Is(err, nats.ErrAccountAuthExpired) {
		setting = b.files.identity()
	}
	b.quiet.log(slog.LevelWarn, "the cluster's bus cannot be reached; this node goes on alone and tries again", "err", err, "setting", setting)
}

func (b *Bus) ended(nc *nats.Conn) {
	if b.state.closing.Load() {
		return
	}
	err := nc.LastError()
	b.state.down(err)
	b.log.Error("the connection to the cluster's bus is given up; this node goes on alone", "err", err, "setting", b.setting())
}

func (b *Bus) complain(_ *nats.Conn, _ *nats.Subscription, err error) {
	switch {
	case errors.Is(err, nats.ErrSlowConsumer):
		b.quiet.log(slog.LevelWarn, "messages of other nodes were dropped, because more came at once than this node has processor time for; their links begin anew", "limit", cap(b.arrived.messages))
	case errors.Is(err, nats.ErrPermissionViolation):
		b.state.refused(err)
		b.quiet.log(slog.LevelError, "the external NATS does not let this node use the cluster's subjects; allow publish and subscribe on them",
			"subjects", "strowger."+b.cfg.Name+".>", "err", err, "setting", b.files.identity())
	default:
		b.quiet.log(slog.LevelWarn, "the cluster's bus reports an error", "err", err)
	}
}

// setting is the key that says where the bus is.
func (b *Bus) setting() string {
	if b.cfg.Listen != "" {
		return "cluster.listen"
	}
	return "cluster.nats"
}

// behind says that nothing is read from the bus because too much waits.
func (b *Bus) behind() {
	b.quiet.log(slog.LevelWarn, "messages of other nodes wait unread, because this node has too little processor time for them; the bus drops what it cannot keep",
		"limit", b.arrived.most, "setting", "cluster.queue_bytes")
}
