package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"strowger/actors/clock"
	"strowger/system/internal/supervisor"
	"strowger/transport"
)

// Options says who may use the console and what it shows. Source, Log, Clock and Connections are needed.
type Options struct {
	Source Source
	Log    *slog.Logger
	Clock  clock.Clock
	// Address is that of the admin pages, host:port. Its host counts as this machine's.
	Address string
	// TrustLoopback lets those in who connect from this machine.
	TrustLoopback bool
	// TrustedProxies are addresses and networks of proxies whose word on the client's address and on TLS is taken.
	TrustedProxies []string
	// PasswordHash is what HashPassword has returned; empty: there is no password.
	PasswordHash string
	// PasswordAttempts is how many wrong passwords in a row an address may send before it must wait.
	PasswordAttempts int
	// Session is how long a browser need not send the password again.
	Session time.Duration
	// AuditFile is appended to at each action; empty: only the log has them.
	AuditFile string
	// Connections and HeaderBytes are as for the admin pages.
	Connections int
	HeaderBytes int
	// Observe, unless nil, is told what becomes of the console's service.
	Observe func(supervisor.Event)
}

// Console answers what is below Path on the admin port. Its methods may be called from any goroutine.
type Console struct {
	o        Options
	log      *slog.Logger
	clock    clock.Clock
	source   Source
	proxies  transport.Proxies
	page     *page
	hash     *hash // nil: there is no password
	checking sync.Mutex
	attempts *attempts
	tokens   *tokens
	logins   *logins
	audit    *audit
	samples  samples
	rates    *rates

	mu      sync.Mutex // Protects following.
	world   *world     // nil: nobody has connected
	stopped bool
	sampler func() bool // stops the timer of the next sample

	foreign   int       // requests of another origin since the last line about them
	foreignAt time.Time // when that was logged
}

// New returns a console that samples the counters until Stop. The error says which setting is wrong.
func New(o Options) (*Console, error) {
	l := newLogins(o.Session, o.Clock)
	c := &Console{o: o, log: o.Log, clock: o.Clock, source: o.Source, proxies: transport.NewProxies(o.TrustedProxies), attempts: newAttempts(o.PasswordAttempts, o.Clock),
		tokens: newTokens(o.Clock, l), logins: l, rates: newRates()}
	var err error
	if c.page, err = newPage(); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	if o.PasswordHash != "" {
		if c.hash, err = parseHash(o.PasswordHash); err != nil {
			return nil, fmt.Errorf("admin.password_hash: %w", err)
		}
	}
	if c.audit, err = openAudit(o.AuditFile, o.Log); err != nil {
		return nil, err
	}
	c.sample()
	return c, nil
}

// sample keeps what happened since the last one, and has itself called again. It also closes connections whose session is
// over and that no logout has closed.
func (c *Console) sample() {
	r := c.source.Reading()
	c.samples.add(&r)
	c.rates.tidy(r.At)
	c.cutOff()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		c.sampler = c.clock.AfterFunc(sampleEvery, c.sample)
	}
}

var errStops = errors.New("console: it stops")

// open returns the console's world, which is made when somebody connects for the first time.
func (c *Console) open() (*world, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil, errStops
	}
	if c.world != nil {
		return c.world, nil
	}
	w, err := newWorld(&c.o, c.tokens, c.service())
	if err != nil {
		c.log.Error("console cannot start", "err", err)
		return nil, err
	}
	c.world = w
	return w, nil
}

// watched reports whether somebody is connected.
func (c *Console) watched() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.world != nil && c.world.watched()
}

// cutOff closes the connections whose session is over.
func (c *Console) cutOff() {
	c.mu.Lock()
	w := c.world
	c.mu.Unlock()
	if w == nil || !w.watched() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	if err := w.cutOff(ctx, func(session string) bool { return !c.logins.has(session) }); err != nil {
		c.log.Warn("connections of the console whose session is over may be open", "err", err)
	}
}

// Stop closes all connections, and cuts off those that are still there when ctx ends.
func (c *Console) Stop(ctx context.Context) {
	c.mu.Lock()
	w := c.world
	c.stopped, c.world = true, nil
	if c.sampler != nil {
		c.sampler()
	}
	c.mu.Unlock()
	if w != nil {
		w.stop(ctx)
	}
	c.audit.close()
}

// noteForeign logs that requests of another origin come: at most one line a minute, because any page may send them.
func (c *Console) noteForeign(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	if now.Sub(c.foreignAt) < time.Minute {
		c.foreign++
		return
	}
	c.log.Warn("console refused a request of another origin", "remote", c.proxies.Client(r), "path", r.URL.Path, "suppressed", c.foreign)
	c.foreign, c.foreignAt = 0, now
}
