package actors

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock/clocktest"
	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/runtime"
)

// patience is how long a test waits for what must come; it is spent only by a failing test.
const patience = 2 * time.Minute

// world is a whole router behind fake sockets.
type world struct {
	t      testing.TB
	deps   *Deps
	clock  *clocktest.Clock
	tokens *fakeTokens
	egress *fakeEgress
	router RouterRef
	tokenN atomic.Int64
	peers  []*peer
	stray  int // messages without a case that a test sent on purpose
}

func newDeps(t interface{ Cleanup(func()) }) *Deps {
	d := &Deps{
		Runtime: runtime.New(actor.NewActorSystem(
			actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
			actor.WithDeadLetterThrottleInterval(time.Millisecond)), clocktest.New(), slog.New(slog.DiscardHandler)),
		Egress:   &fakeEgress{},
		Tokens:   &fakeTokens{granted: make(map[string]*Credentials)},
		Pool:     inlinePool{},
		Counters: new(Counters),
		Settings: new(atomic.Pointer[Settings]),
		Registry: new(Registry),
	}
	d.Supervise()
	t.Cleanup(d.Stop)
	d.Settings.Store(&Settings{
		Depth: 64, AuthenticationTimeout: 30 * time.Second, AuthenticationAttempts: 3,
		RequestTimeout: 10 * time.Second, PendingRequests: 4, Policies: NewPolicies(nil, nil, filter.Pass()),
	})
	d.System.EventStream.Subscribe(func(event any) {
		if dead, ok := event.(*actor.DeadLetterEvent); ok {
			d.Bury(dead.Message)
		}
	})
	return d
}

// newWorld starts a router with the settings changed as given. At the test's end everything is
// stopped, every lease must have come back, and no timer may be set, which would keep the router in memory.
func newWorld(t testing.TB, change ...func(*Deps)) *world {
	t.Helper()
	var d *Deps
	t.Cleanup(func() { d.Clock.(*clocktest.Clock).AwaitTimers(t, 0) })
	d = newDeps(t)
	w := &world{t: t, deps: d, clock: d.Clock.(*clocktest.Clock), tokens: d.Tokens.(*fakeTokens), egress: d.Egress.(*fakeEgress)}
	for _, f := range change {
		f(d)
	}
	w.router = SpawnRouter(d)
	t.Cleanup(w.end)
	return w
}

func (w *world) change(f func(*Settings)) {
	s := *w.deps.settings()
	f(&s)
	w.deps.Settings.Store(&s)
}

func (w *world) end() {
	for _, p := range w.peers {
		p.leave()
	}
	for _, p := range w.peers {
		w.ended(p.pid)
	}
	w.deps.System.Root.Poison(w.router.PID())
	w.ended(w.router.PID())
	for i, p := range w.peers {
		p.leasesReturned(i)
	}
	for i, g := range w.egress.all() {
		if g.strays != 0 {
			w.t.Errorf("group %d: %d removals of strangers or second additions", i, g.strays)
		}
	}
	if n := w.dead(UnknownMessage); n != w.stray {
		w.t.Errorf("%d unknown messages, want %d", n, w.stray)
	}
}

func (w *world) dead(r DeadReason) int { return int(w.deps.Counters.DeadLetters()[r]) }

func (w *world) wantDead(r DeadReason, want int) {
	w.t.Helper()
	if got := w.dead(r); got != want {
		w.t.Errorf("%d dead letters for %v, want %d", got, r, want)
	}
}

// barrier is a message that any actor answers once it has handled all before it.
type barrier struct{ passed chan struct{} }

func (b *barrier) AutoReceiveMessage() {}

func (b *barrier) GetAutoResponse(actor.Context) any {
	close(b.passed)
	return nil
}

func await(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s: still waiting", what)
	}
}

// send posts anything to an actor, as the library does.
func (d *Deps) send(to *actor.PID, message any) { d.System.Root.Send(to, message) }

// settle returns when pid has handled all that was sent to it before.
func settle(t testing.TB, d *Deps, pid *actor.PID) {
	t.Helper()
	b := &barrier{make(chan struct{})}
	d.send(pid, b)
	await(t, "barrier at "+pid.Id, b.passed)
}

// watchdog tells a channel when an actor has stopped.
type watchdog struct {
	target *actor.PID
	gone   chan struct{}
}

func (w *watchdog) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		ctx.Watch(w.target)
	case *actor.Terminated:
		close(w.gone)
		ctx.Stop(ctx.Self())
	}
}

func ended(t testing.TB, d *Deps, pid *actor.PID) {
	t.Helper()
	dog := &watchdog{pid, make(chan struct{})}
	d.System.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return dog }))
	await(t, "end of "+pid.Id, dog.gone)
}

func (w *world) settle(pids ...*actor.PID) {
	w.t.Helper()
	for _, pid := range pids {
		settle(w.t, w.deps, pid)
	}
}

func (w *world) ended(pid *actor.PID) {
	w.t.Helper()
	ended(w.t, w.deps, pid)
}

// settleName waits until all under way from p through a name has arrived.
func (w *world) settleName(p *peer, name string) {
	w.t.Helper()
	w.settle(p.pid, w.router.PID())
	if r := w.deps.Registry.Lookup(name); r != nil {
		w.settle(r.Service.PID(), r.Topic.PID())
	}
}

// peer is the far end of one connection.
type peer struct {
	w      *world
	socket *fakeSocket
	window *runtime.Window
	pid    *actor.PID
}

// connect opens a connection; the greeting is not read yet.
func (w *world) connect() *peer {
	p := &peer{w: w, socket: newFakeSocket(), window: new(runtime.Window)}
	p.window.SetBudget(1 << 40)
	p.pid = SpawnConnection(w.deps, w.router, p.socket, &net.TCPAddr{}).PID()
	w.peers = append(w.peers, p)
	return p
}

// writef sends one message.
func (p *peer) writef(format string, args ...any) {
	p.w.t.Helper()
	data := fmt.Appendf(nil, format, args...)
	p.window.Acquire(int64(len(data)))
	m := &Received{Data: data}
	m.Begin(p.window, int64(len(data)))
	p.w.deps.send(p.pid, m)
}

const hello = `407 authentication/authenticate #"" null`

func (w *world) token(c *Credentials) string {
	name := fmt.Sprintf("token-%d", w.tokenN.Add(1))
	w.tokens.put(name, c)
	return name
}

func (p *peer) present(token string) {
	p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"}}`, token)
}

const admitted200 = `200 authentication/authenticated #"a" null`

// bearer returns a connection that was admitted with the credentials.
func (w *world) bearer(c *Credentials) *peer {
	w.t.Helper()
	p := w.connect()
	p.gets(hello)
	p.present(w.token(c))
	p.gets(admitted200)
	return p
}

func (w *world) client(subscriptions ...string) *peer {
	w.t.Helper()
	return w.bearer(&Credentials{Role: Client, Services: subscriptions, DomainName: "a.example", DomainUUID: "uuid-a", Permissions: []string{"see"}})
}

func (w *world) service(name string) *peer {
	w.t.Helper()
	return w.bearer(&Credentials{Role: Service, Service: name, Class: name + "_service"})
}

// next returns the next message written to the peer.
func (p *peer) next() *envelope.Message {
	p.w.t.Helper()
	select {
	case written := <-p.socket.written:
		m, err := envelope.Decode(written.Text(), envelope.MaxDepth)
		if err != nil {
			p.w.t.Fatalf("decode what the router wrote: %v", err)
		}
		return m
	case <-time.After(patience):
		p.w.t.Fatal("no message came")
		return nil
	}
}

// take takes one message out of those written to a peer and returns its JSON text.
func take(p *peer) []byte {
	m := <-p.socket.written
	return m.Text()
}

// line is a message as the tests spell it: status service/topic #request payload.
func line(m *envelope.Message) string {
	service, _ := envelope.Text(m.ServiceName)
	topic, _ := envelope.Text(m.Topic)
	return fmt.Sprintf("%s %s/%s #%s %s", strings.Trim(string(m.StatusCode), `"`), service, topic, m.RequestID, m.Payload)
}

func (p *peer) gets(want ...string) {
	p.w.t.Helper()
	for _, want := range want {
		if got := line(p.next()); got != want {
			p.w.t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// asked reads a request and returns who asked.
func (p *peer) asked(want string) (resource string) {
	p.w.t.Helper()
	m := p.next()
	if got := line(m); got != want {
		p.w.t.Fatalf("got  %s\nwant %s", got, want)
	}
	resource, _ = envelope.Text(m.ResourceID)
	if resource == "" {
		p.w.t.Fatalf("request without resource_id: %s", want)
	}
	return resource
}

// silent says that nothing was written; the caller has let everything under way arrive.
func (p *peer) silent() {
	p.w.t.Helper()
	select {
	case m := <-p.socket.written:
		p.w.t.Fatalf("unexpected message: %s", m.Text())
	default:
	}
}

func (p *peer) closedWith(want End) {
	p.w.t.Helper()
	select {
	case got := <-p.socket.codes:
		if got != want {
			p.w.t.Fatalf("closed with %v, want %v", got, want)
		}
	case <-time.After(patience):
		p.w.t.Fatalf("not closed, want %v", want)
	}
}

func (p *peer) open() {
	p.w.t.Helper()
	select {
	case got := <-p.socket.codes:
		p.w.t.Fatalf("closed with %v, want it open", got)
	default:
	}
}

// leave ends the connection from the peer's side.
func (p *peer) leave() { p.w.deps.send(p.pid, &ReadEnded{}) }

func (p *peer) leasesReturned(i int) {
	p.w.t.Helper()
	returned(p.w.t, fmt.Sprintf("peer %d", i), p.window)
}

// returned waits until nothing of a window is leased: with no budget a message passes only alone.
func returned(t testing.TB, who string, w *runtime.Window) {
	t.Helper()
	w.SetBudget(0)
	guard := time.AfterFunc(patience, w.Close)
	defer guard.Stop()
	if !w.Acquire(1) {
		t.Errorf("%s: %d bytes still leased", who, w.Used())
		return
	}
	runtime.NewLease(w, 1).Release()
}

// inside runs f where the actor itself runs, so that f may look at its state.
type inside struct {
	f    func(actor.Actor)
	done chan struct{}
}

func (m *inside) AutoReceiveMessage() {}

func (m *inside) GetAutoResponse(ctx actor.Context) any {
	defer close(m.done)
	if s, ok := ctx.Actor().(*runtime.Guard); ok {
		m.f(s.Inner())
	}
	return nil
}

// look lets f see the state of the actor behind pid.
func (w *world) look(pid *actor.PID, f func(actor.Actor)) {
	w.t.Helper()
	m := &inside{f, make(chan struct{})}
	w.deps.send(pid, m)
	await(w.t, "look into "+pid.Id, m.done)
}

// subscriber returns the actor behind an authenticated peer, nil before that.
func (w *world) subscriber(p *peer) *actor.PID {
	w.t.Helper()
	var pid *actor.PID
	w.look(p.pid, func(a actor.Actor) { pid = a.(*connection).subscriber.PID() })
	return pid
}
