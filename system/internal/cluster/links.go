package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"strowger/actors"
	"strowger/actors/clock"
)

// The times of membership. A heartbeat is sent at every second tick.
const (
	tickEvery  = 250 * time.Millisecond
	beatEvery  = 2 * tickEvery
	goneAfter  = 2500 * time.Millisecond // without a heartbeat
	beginPace  = tickEvery               // between two sessions of one pair, at least
	ackTimeout = 2 * time.Second         // of news that the caller waits for
	settleMin  = tickEvery               // for the answers to the first heartbeat
	settleOne  = beatEvery + tickEvery   // to find out that there is no other node
	settleMax  = time.Second
	twinAfter  = 5 * time.Second // in which two nodes may have the same name, as in an upgrade
)

// The defaults of Options.
const (
	DefaultQueueBytes = 64 << 20
	DefaultMaxMessage = 16 << 20
	DefaultOffered    = 10_000
	DefaultWatched    = 100_000
)

// maxNodes is how many other nodes are linked. More are refused.
const maxNodes = 256

// Options are what New needs. Fields without a remark are required.
type Options struct {
	Conn    Conn   // Links closes it
	Cluster string // the nodes of one bus that belong together; letters, digits, - and _
	Name    string // what the operator calls this node
	Version string // of the program
	Deps    *actors.Deps
	Log     *slog.Logger
	// QueueBytes is how many bytes may wait to be sent to one node, and how many that one node has sent may wait to be
	// handled. Nil means DefaultQueueBytes. It may be called at any time.
	QueueBytes func() int64
	// MaxMessage is how long an envelope that crosses may be. Nil means DefaultMaxMessage.
	MaxMessage func() int64
	// Offered and Watched are how many instances one node may offer, and how many names it may watch. More are dropped.
	// 0 means DefaultOffered and DefaultWatched.
	Offered, Watched int
	// Redemptions returns the tickets that are used up, which a node hears when it is linked. It must not call Links. Nil:
	// there are none.
	Redemptions func() []actors.Redemption
	// Redeemed is called with each ticket of which another node says that it is used up, by any goroutine. Nil: nobody is
	// told.
	Redeemed func(actors.Redemption)
	// OnChange is called after nodes came, went or changed what they offer. One call may be for many changes. Calls
	// do not overlap. Nil: nobody is told.
	OnChange func()
	// Random is where the id of this node comes from. Nil means crypto/rand.
	Random io.Reader
	// Clock is nil for the clock of the machine.
	Clock clock.Clock
}

// stage is how far a Links has come.
type stage int

const (
	idle    stage = iota // before Start
	running              // between Start and Stop
	closing              // Stop waits for what is queued
	stopped              // nothing is published any more
)

// Links are the links of this node to the others. Its methods may be called from any goroutine.
type Links struct {
	o         Options
	id        nodeID
	protocol  int
	subject   string // of heartbeats
	newRemote func(n actors.Node) remote

	wake      chan struct{} // has one element when the publisher should look again
	published chan struct{} // closed when the publisher has ended
	notify    chan struct{} // has one element when OnChange should be called
	quit      chan struct{} // closed when nothing calls OnChange any more
	workers   sync.WaitGroup
	helpers   sync.WaitGroup

	mu       sync.Mutex // Protects following.
	stage    stage
	started  time.Time
	stopTick func() bool
	ticks    int
	table    table
	acks     acks
	members  map[nodeID]*member
	ending   map[nodeID]chan struct{} // closed when the worker of a node that is gone has ended
	sessions uint64                   // the last session that this node began as a leader
	ring     []*member                // have something to publish, in the order of their turns
	beat     bool                     // a heartbeat is due
	twinOf   nodeID                   // the last node that was logged for having this node's name
	changed  chan struct{}            // closed at the next change
	after    []func()                 // what unlock calls
	counts   Counts
	election
}

var _ actors.Cluster = (*Links)(nil)

// subjectToken is what a part of a subject may consist of on every bus.
var subjectToken = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// New returns links that remember what they are told. Start links them to the other nodes.
func New(o Options) (*Links, error) {
	switch {
	case o.Conn == nil:
		return nil, errors.New("cluster: no bus")
	case !subjectToken.MatchString(o.Cluster):
		return nil, fmt.Errorf("cluster: the name of the cluster is %q: it must have 1 to 64 letters, digits, - or _", o.Cluster)
	case o.Name == "" || len(o.Name) > maxNodeName:
		return nil, fmt.Errorf("cluster: the name of the node has %d bytes: it must have 1 to %d", len(o.Name), maxNodeName)
	case len(o.Version) > maxVersion:
		return nil, fmt.Errorf("cluster: the version has %d bytes: it may have %d", len(o.Version), maxVersion)
	}
	o.setDefaults()
	l := &Links{
		o: o, protocol: protocolVersion, subject: "strowger." + o.Cluster + ".all",
		wake: make(chan struct{}, 1), published: make(chan struct{}), notify: make(chan struct{}, 1), quit: make(chan struct{}),
		members: map[nodeID]*member{}, ending: map[nodeID]chan struct{}{}, changed: make(chan struct{}),
	}
	if _, err := io.ReadFull(o.Random, l.id[:]); err != nil {
		return nil, fmt.Errorf("cluster: no id for this node: %w", err)
	}
	return l, nil
}

func (o *Options) setDefaults() {
	if o.QueueBytes == nil {
		o.QueueBytes = func() int64 { return DefaultQueueBytes }
	}
	if o.MaxMessage == nil {
		o.MaxMessage = func() int64 { return DefaultMaxMessage }
	}
	o.Offered, o.Watched = cmp.Or(o.Offered, DefaultOffered), cmp.Or(o.Watched, DefaultWatched)
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Clock == nil {
		o.Clock = clock.Wall{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// ID returns the id of this node. It is another one after each start of the program.
func (l *Links) ID() string { return l.id.String() }

// Start listens, says who this node is, and links it to the others. It is called once.
func (l *Links) Start(router actors.RouterRef) error {
	if l.newRemote == nil {
		l.newRemote = func(n actors.Node) remote { return l.o.Deps.NewRemote(router, n) }
	}
	l.mu.Lock()
	if l.stage != idle {
		l.unlock()
		return errors.New("cluster: the links have been started or stopped before")
	}
	l.stage = running
	l.started = l.o.Clock.Now()
	l.aware, l.ticked = l.started, l.started
	l.beat = true
	l.unlock()
	if err := l.listen(); err != nil {
		l.mu.Lock()
		l.stage = idle
		l.unlock()
		return err
	}
	go l.publish()
	l.helpers.Go(l.report)
	l.tick()
	return nil
}

func (l *Links) listen() error {
	if err := l.o.Conn.Listen(l.subjectOf(l.id), l.take); err != nil {
		return fmt.Errorf("listen for messages of other nodes: %w", err)
	}
	if err := l.o.Conn.Listen(l.subject, l.hear); err != nil {
		return fmt.Errorf("listen for other nodes: %w", err)
	}
	return nil
}

// unlock releases mu and then calls what must not be called while mu is held: functions of others, and the log.
func (l *Links) unlock() {
	after := l.after
	l.after = nil
	l.mu.Unlock()
	for _, f := range after {
		f()
	}
}

// later has f called by unlock.
func (l *Links) later(f func()) { l.after = append(l.after, f) }

// touch tells those who wait for a change.
func (l *Links) touch() {
	close(l.changed)
	l.changed = make(chan struct{})
	signal(l.notify)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// report calls OnChange.
func (l *Links) report() {
	for {
		select {
		case <-l.notify:
			if l.o.OnChange != nil {
				l.o.OnChange()
			}
		case <-l.quit:
			return
		}
	}
}

// Settled returns when this node knows what the nodes offer that answered its first heartbeat, or a second after
// Start, or with ctx's error.
func (l *Links) Settled(ctx context.Context) error {
	for {
		l.mu.Lock()
		age := l.o.Clock.Now().Sub(l.started)
		changed, settled := l.changed, l.settled(age)
		l.mu.Unlock()
		if settled {
			return nil
		}
		again := make(chan struct{})
		stop := l.o.Clock.AfterFunc(tickEvery, func() { close(again) })
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			stop()
			return ctx.Err()
		}
		stop()
	}
}

// settled reports whether Settled returns when so much time has passed since Start.
func (l *Links) settled(age time.Duration) bool {
	if age >= settleMax {
		return true
	}
	if age < settleMin || len(l.members) == 0 && age < settleOne {
		return false
	}
	for _, m := range l.members {
		if m.refused == "" && (m.session == nil || !m.session.known) {
			return false
		}
	}
	return true
}

// Stop publishes what is queued, says that this node leaves, closes the Conn, and has the actors told that the other
// nodes are gone. When ctx ends, it stops waiting: then what is still queued is dropped.
func (l *Links) Stop(ctx context.Context) {
	l.mu.Lock()
	before := l.stage
	if before == idle || before == running {
		l.stage = closing
	}
	l.unlock()
	switch before {
	case idle:
		l.o.Conn.Close()
		l.close()
		l.await(ctx)
		return
	case running:
	default:
		return
	}
	signal(l.wake)
	select {
	case <-l.published:
	case <-ctx.Done():
	}
	l.o.Conn.Close()
	l.close()
	signal(l.wake)
	<-l.published
	l.await(ctx)
	close(l.quit)
	l.helpers.Wait()
}

// close ends all links.
func (l *Links) close() {
	l.mu.Lock()
	defer l.unlock()
	l.stage = stopped
	if l.stopTick != nil {
		l.stopTick()
	}
	for _, m := range l.members {
		l.remove(m)
	}
	l.acks.expire(l, time.Time{})
}

// await waits for the workers until ctx ends.
func (l *Links) await(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		l.workers.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
