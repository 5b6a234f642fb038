package natsbus

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"strowger/config"
)

const (
	// unknownMaxBytes is how long a message may be as long as no server has said so: what servers take by default.
	unknownMaxBytes = 1 << 20
	// parting is how long Close waits for what was published to leave.
	parting = time.Second
	// dialTimeout is how long connecting to one server may take.
	dialTimeout = 2 * time.Second
	// stuck is how long the bus may take nothing before the connection is made anew.
	stuck = 5 * time.Second
)

var (
	errNotOpen = errors.New("the bus is not open")
	errAway    = errors.New("there is no connection to the bus")
)

// Bus implements cluster.Conn.
type Bus struct {
	cfg    *config.Cluster
	node   string
	log    *slog.Logger
	quiet  *quiet
	files  *files
	chosen []nats.Option // how to log in, and TLS

	nc       atomic.Pointer[nats.Conn] // nil: not open
	line     line
	maxBytes atomic.Int64
	state    state
	arrived  *arrivals     // for all subjects
	takes    sync.Map      // func([]byte) by subject
	quit     chan struct{} // closed by Close
	hasty    chan struct{} // closed by Abort
	abort    func()        // closes hasty, once
	done     sync.WaitGroup

	turns  sync.Mutex // held by Open and Close, which may take long. Protects closed.
	closed bool

	mu            sync.Mutex // Protects those below. Turns must be held too to change server.
	server        *natsserver.Server
	subscriptions []*nats.Subscription
}

// New returns a bus that is not open yet. It reads the files that cfg names, and returns what is wrong with one of
// them. Node is what the operator calls this node. cfg must be valid and have a bus.
func New(cfg *config.Cluster, node string, log *slog.Logger) (*Bus, error) {
	b := &Bus{cfg: cfg, node: node, log: log, quiet: newQuiet(log), files: &files{cfg: cfg, log: log, uid: os.Geteuid()},
		quit: make(chan struct{}), hasty: make(chan struct{})}
	b.arrived = newArrivals(int64(cfg.QueueBytes), b.behind)
	b.line.arrivals = b.arrived
	b.abort = sync.OnceFunc(func() { close(b.hasty) })
	b.maxBytes.Store(unknownMaxBytes)
	err := b.files.check()
	if err != nil {
		return nil, err
	}
	if b.chosen, err = b.files.options(); err != nil {
		return nil, err
	}
	return b, nil
}

// Open starts the server inside, if there is one, and connects. It returns an error if the server cannot listen. If its
// address is in use, Open tries again for patience. An external NATS that is away is no error: the bus connects as soon
// as it is there.
func (b *Bus) Open(patience time.Duration) error {
	b.turns.Lock()
	defer b.turns.Unlock()
	if b.closed {
		return errors.New("the bus is closed")
	}
	if b.nc.Load() != nil {
		return errors.New("the bus is open")
	}
	if b.cfg.Listen != "" {
		server, err := b.serve(patience)
		if err != nil {
			return fmt.Errorf("cluster.listen: %w", err)
		}
		b.setServer(server)
	}
	nc, err := b.connect()
	if err != nil {
		b.shutdown()
		return fmt.Errorf("connect to the bus: %w", err)
	}
	b.nc.Store(nc)
	b.done.Go(b.deliver)
	return nil
}

func (b *Bus) connect() (*nats.Conn, error) {
	options := nats.GetDefaultOptions()
	options.Servers = b.cfg.NATSURLs()
	options.Name = "strowger " + b.node
	options.MaxReconnect = -1
	options.ReconnectBufSize = -1 // nothing is kept for later, because nothing is sent twice
	options.RetryOnFailedConnect = true
	options.IgnoreAuthErrorAbort = true
	options.SkipSubjectValidation = true
	options.Timeout = dialTimeout
	options.PingInterval = 2 * time.Second
	options.MaxPingsOut = 2
	options.FlusherTimeout = stuck
	options.ReconnectOnFlusherError = true
	options.CustomReconnectDelayCB = pause
	options.ConnectedCB = b.connected
	options.ReconnectedCB = b.connected
	options.DisconnectedErrCB = b.disconnected
	options.ReconnectErrCB = b.unreachable
	options.ClosedCB = b.ended
	options.AsyncErrorCB = b.complain
	options.CustomDialer = &b.line
	if b.server != nil {
		b.line.server = b.server
		options.InProcessServer = &b.line
	}
	for _, choose := range b.chosen {
		if err := choose(&options); err != nil {
			return nil, err //nolint:wrapcheck // Open says what failed
		}
	}
	nc, err := options.Connect()
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	if nc.IsConnected() {
		b.maxBytes.Store(nc.MaxPayload())
		b.state.up(serverName(b.server != nil, nc.ConnectedUrlRedacted()))
	}
	return nc, nil
}

// deliver hands on what arrives, one by one, until the bus is closed.
func (b *Bus) deliver() {
	for {
		select {
		case <-b.quit:
			return
		default:
		}
		select {
		case <-b.quit:
			return
		case m := <-b.arrived.messages:
			b.arrived.taken()
			if take, ok := b.takes.Load(m.Subject); ok {
				take.(func([]byte))(m.Data)
			}
		}
	}
}

// Publish implements cluster.Conn. While there is no connection it returns an error.
func (b *Bus) Publish(subject string, data []byte) error {
	nc := b.nc.Load()
	if nc == nil {
		return errNotOpen
	}
	if err := nc.Publish(subject, data); err != nil {
		if errors.Is(err, nats.ErrReconnectBufExceeded) {
			return errAway
		}
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// Listen implements cluster.Conn. While there is no connection it takes effect as soon as there is one. The bus must be
// open.
func (b *Bus) Listen(subject string, take func(data []byte)) error {
	nc := b.nc.Load()
	if nc == nil {
		return errNotOpen
	}
	b.takes.Store(subject, take)
	subscription, err := nc.ChanSubscribe(subject, b.arrived.messages)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	b.mu.Lock()
	b.subscriptions = append(b.subscriptions, subscription)
	b.mu.Unlock()
	if nc.IsConnected() {
		// The server knows of it before the caller goes on. Without an answer the other nodes' heartbeats tell.
		_ = nc.FlushTimeout(parting)
	}
	return nil
}

// MaxBytes implements cluster.Conn.
func (b *Bus) MaxBytes() int { return int(b.maxBytes.Load()) }

// Abort ends an Open that waits for its address, and has later ones not wait.
func (b *Bus) Abort() { b.abort() }

// Close implements cluster.Conn. It waits a second at most for what was published before to leave. Take must not call it.
func (b *Bus) Close() {
	b.Abort()
	b.turns.Lock()
	defer b.turns.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	b.state.closing.Store(true)
	close(b.quit)
	b.arrived.end()
	if nc := b.nc.Load(); nc != nil {
		b.part(nc)
		nc.Close()
	}
	b.done.Wait()
	b.shutdown()
}

// part waits for what was published to leave. If the bus takes nothing, it ends the connection, so that nobody waits
// for it any more.
func (b *Bus) part(nc *nats.Conn) {
	left := make(chan struct{})
	go func() {
		defer close(left)
		if nc.IsConnected() {
			_ = nc.FlushTimeout(parting)
		}
	}()
	select {
	case <-left:
	case <-time.After(parting):
		b.line.cut()
		<-left
	}
}

func (b *Bus) shutdown() {
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
		b.setServer(nil)
	}
}

// setServer changes the server. The caller holds turns.
func (b *Bus) setServer(server *natsserver.Server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.server = server
}
