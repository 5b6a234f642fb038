package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/system/service"
	"strowger/system/supervisor"
	"strowger/transport/wire"
)

// ServeOptions says how Serve connects and runs the service. The zero value serves; a zero field
// means the default named with it.
type ServeOptions struct {
	// Options are for the connection. RequestTimeout and FailFast do not matter to a service.
	Options
	// Instance is how the service runs. Its Log is Options.Logger if nil.
	Instance service.Options
	// Started is called once, before the service starts, with what can be asked for its state and
	// told to reload. Nil means nobody is told.
	Started func(i *service.Instance)
	// OutboxMessages and OutboxBytes are how much of what the service says may wait for the router;
	// a broadcast beyond them is dropped, replies may use a quarter more, and from half of them on
	// the service's sources wait. Zero means 16384 and 64 MiB.
	OutboxMessages int
	OutboxBytes    int
}

// Serve runs a service in this process for the router at url, as wss://pbx.example.com/websockets/,
// under a supervisor of its own. It connects, and reconnects with a fresh token, as Reconnect says,
// the first time too, so a service may be started before its router. While there is no connection
// the service goes on running: requests that came over the lost one end, as nobody waits for them
// any more, and what is said meanwhile is dropped.
//
// When ctx ends, Serve first tells the router that the service takes no more requests. The service then has
// Supervision.StopTimeout to answer those that it has, and as long again at most to stop: its OnStop
// functions run, and may still answer and broadcast. The router treats requests that are open after that
// like those of an instance that died: routing.instances says which other instance gets them, or
// whether they are answered with 503. Serve then returns nil. A program that is to be stopped by a
// signal passes a context of signal.NotifyContext.
//
// Otherwise the error wraps ErrUnauthorized when the router has refused too many tokens, or, with
// Reconnect.Disabled, why there is no connection; or it says what makes no sense in the arguments.
//
// Unlike the router, a process of its own does not learn that a subscriber has left: a request's
// context then ends with its deadline.
func Serve(ctx context.Context, url string, token TokenSource, s *service.Service, opts ServeOptions) error {
	r, err := newRemote(url, token, s, opts)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if err := r.start(); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	err = r.run(ctx)
	if left := r.stop(); err == nil {
		err = left
	}
	if err != nil {
		return fmt.Errorf("serve %q: %w", s.Name, err)
	}
	return nil
}

// remote is the home of a service outside of the router.
type remote struct {
	url      string
	token    TokenSource
	opts     ServeOptions
	name     string
	instance *service.Instance
	outbox   *outbox
	system   *actor.ActorSystem
	root     *actor.PID
	link     *link         // the latest
	left     chan struct{} // receives when the router has answered leave
	writer   chan struct{} // closed when write has returned; nil: never connected
}

func newRemote(url string, token TokenSource, s *service.Service, opts ServeOptions) (*remote, error) {
	if err := fill([]setting[int]{
		{name: "OutboxMessages", field: &opts.OutboxMessages, zero: 16384},
		{name: "OutboxBytes", field: &opts.OutboxBytes, zero: 64 << 20},
	}); err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errors.New("the service is nil")
	}
	r := &remote{url: url, name: s.Name, outbox: newOutbox(opts.OutboxMessages, opts.OutboxBytes), left: make(chan struct{}, 1)}
	if token != nil {
		r.token = r.whenBegun(token)
	}
	tell := opts.OnState
	opts.OnState = func(state State, cause error) {
		r.entered(state)
		if tell != nil {
			tell(state, cause)
		}
	}
	var err error
	if opts.Options, err = opts.Options.withDefaults(); err != nil {
		return nil, err
	}
	if opts.Instance.Log == nil {
		opts.Instance.Log = opts.Logger
	}
	r.opts = opts
	if s.Policy != nil {
		opts.Logger.Warn("the service's policy is not used: a remote service has that of the router's configuration",
			"service", s.Name)
	}
	if r.instance, err = service.NewInstance(s, r, opts.Instance); err != nil {
		return nil, err
	}
	if err := supervisor.CheckPlatform(); err != nil {
		return nil, err
	}
	_, err = r.newLink() // finds out what is wrong with the arguments
	return r, err
}

func (r *remote) newLink() (*link, error) { return newLink(r.url, r.token, r.opts.Options, r.receive) }

// start starts the service.
func (r *remote) start() error {
	props, err := supervisor.New(supervisor.Options{Children: []supervisor.Spec{r.instance.Spec()},
		Observe: r.instance.Observe, Clock: r.opts.Instance.Clock, Random: r.opts.Instance.Random})
	if err != nil {
		return err
	}
	if r.opts.Started != nil {
		r.opts.Started(r.instance)
	}
	// The library logs whole messages; what there is to know the instance and the supervisor say.
	r.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	r.root = r.system.Root.Spawn(props)
	return nil
}

// run keeps the connection until ctx ends, and then returns nil, or the link gives up.
func (r *remote) run(ctx context.Context) error {
	l, err := r.connect(ctx)
	if err != nil || l == nil {
		return err
	}
	r.writer = make(chan struct{})
	go func() {
		defer close(r.writer)
		r.write(l)
	}()
	select {
	case <-ctx.Done():
		return nil
	case <-l.done:
		return context.Cause(l.ctx)
	}
}

// connect connects for the first time; nil when ctx ended first.
func (r *remote) connect(ctx context.Context) (*link, error) {
	wait := newBackoff(r.opts.Reconnect)
	refused := 0
	for {
		l, err := r.newLink()
		if err != nil {
			return nil, err
		}
		r.link = l
		if err = l.start(ctx); err == nil {
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, nil
		}
		if errors.Is(err, ErrUnauthorized) {
			refused++
		}
		if r.opts.Reconnect.Disabled || refused > 0 && refused == r.opts.Reconnect.Refusals {
			return nil, err
		}
		r.opts.Logger.Warn("attempt failed", "err", err)
		if wait.wait(ctx) != nil {
			return nil, nil
		}
	}
}

// stop lets the service finish its requests, stops it, sends what it said last and ends the connection.
// The error says what is still running.
func (r *remote) stop() error {
	v := r.instance.Service().Supervision
	r.leave(v.StopTimeout)
	_, err := r.system.Root.RequestFuture(r.root, &supervisor.Shutdown{}, v.StopTimeout+r.opts.CloseTimeout).Result()
	if err != nil {
		err = fmt.Errorf("stop: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.opts.CloseTimeout)
	defer cancel()
	if state, _, _ := r.link.now(); state == StateOnline {
		_ = r.outbox.flushed(ctx) // what is left then is lost
	}
	r.link.cancel(ErrClosed)
	<-r.link.done
	if r.writer != nil {
		<-r.writer
	}
	return errors.Join(err, r.instance.Wait(ctx))
}

// entered follows the link. What is said while it connects waits, as a request may come before the
// state says that it is online. Subscribers' ids are of one connection only.
func (r *remote) entered(state State) {
	switch state {
	case StateConnecting:
		r.outbox.reset(true)
	case StateOffline, StateClosed:
		r.instance.AllGone()
		r.outbox.reset(false)
	}
}

// receive takes what the router passes on, on the reader's goroutine.
func (r *remote) receive(e *envelope) {
	if r.hasLeft(e) {
		return
	}
	if e.service != r.name {
		r.opts.Logger.Debug("message for another service ignored", "service", e.service)
		return
	}
	r.instance.Ask(&service.Ask{Envelope: e.whole})
}

// Say queues what the service says.
func (r *remote) Say(e *wire.Envelope) {
	frame := e.Append(nil)
	reply := e.ResourceID != nil
	if most := r.opts.Limits.MessageBytes; len(frame) > most {
		r.opts.Logger.Error("message is too long", "service", r.name, "reply", reply, "bytes", len(frame), "limit", most)
		if !reply {
			return
		}
		short := wire.InternalError.Answer(e)
		short.ResourceID = e.ResourceID
		frame = short.Append(nil)
	}
	r.outbox.put(frame, reply)
}

// Room blocks while the outbox is more than half full.
func (r *remote) Room(ctx context.Context) error { return r.outbox.room(ctx) }

// write hands over what is said to the connection that is up, until the link ends.
func (r *remote) write(l *link) {
	for {
		_, s, changed := l.now()
		wait := r.outbox.ready
		if s == nil {
			wait = nil
		}
		select {
		case <-wait:
			r.empty(l, s)
		case <-changed:
			r.outbox.signal()
		case <-l.ctx.Done():
			return
		}
	}
}

// empty hands over all that waits. What is said to a connection that is lost meanwhile is lost.
func (r *remote) empty(l *link, s *socket) {
	for {
		frame, dropped := r.outbox.take()
		if dropped > 0 {
			r.opts.Logger.Warn("messages dropped", "service", r.name, "count", dropped)
		}
		if frame == nil {
			return
		}
		sent := s.send(l.ctx, frame)
		r.outbox.handed()
		if !sent {
			return
		}
	}
}
