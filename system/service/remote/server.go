package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/client"
	"strowger/system/internal/runner"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// Serve runs a service for the router at url, such as wss://pbx.example.com/websockets/, until ctx
// ends. It is New and Server.Run.
func Serve(ctx context.Context, url string, token client.TokenSource, s *service.Service, opts Options) error {
	r, err := New(url, token, s, opts)
	if err != nil {
		return err
	}
	return r.Run(ctx)
}

// Server is one service outside of the router. Its methods may be called from any goroutine. Of a
// Server that New has not made, Run returns an error and State is the zero State.
type Server struct {
	url      string
	token    client.TokenSource
	opts     Options
	name     string
	instance *runner.Instance
	outbox   *outbox
	left     chan struct{} // receives when the router has answered leave
	closed   chan error    // receives why the client gave up
	running  sync.Once
	pulse    *runner.Pulse

	// Run's own.
	system *actor.ActorSystem
	root   *actor.PID
	client *client.Client // nil: never connected

	mu   sync.Mutex    // protects following
	lost chan struct{} // closed when the connection that is up is lost; nil: none is up
}

// New returns a server that does nothing until Run. The error says what makes no sense in the
// arguments.
func New(url string, token client.TokenSource, s *service.Service, opts Options) (*Server, error) {
	r, err := newServer(url, token, s, opts)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	return r, nil
}

func newServer(url string, token client.TokenSource, s *service.Service, opts Options) (*Server, error) {
	opts, err := opts.withDefaults()
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return nil, errors.New("the service is nil")
	case token == nil:
		return nil, errors.New("token source is nil")
	}
	if err := client.CheckURL(url); err != nil {
		return nil, err
	}
	r := &Server{url: url, token: token, opts: opts, name: s.Name, outbox: newOutbox(opts.OutboxMessages, opts.OutboxBytes),
		left: make(chan struct{}, 1), closed: make(chan error, 1), pulse: runner.NewPulse()}
	if s.Policy != nil {
		r.log().Warn("the service's policy is not used: a remote service has that of the router's configuration",
			"service", s.Name)
	}
	r.instance, err = runner.New(s, home{r}, runner.Options{Slept: r.pulse.Slept, Log: r.log(), Pool: opts.Pool, OnDead: opts.OnDead})
	if err != nil {
		return nil, err
	}
	return r, supervisor.CheckPlatform()
}

func (r *Server) log() *slog.Logger { return r.opts.Client.Logger }

// Run starts the service under a supervisor and connects. It reconnects with a fresh token, as
// client.Reconnect says, the first time too: a service may be started before its router. While there
// is no connection the service goes on running. Requests that came over a lost connection end, as
// nobody waits for them any more, and what the service says meanwhile is dropped.
//
// When ctx ends, Run first tells the router that the service takes no more requests. The service then
// has Supervision.StopTimeout to answer those that it has, and as long again at most to stop: its
// OnStop functions run, and may still answer and broadcast. The router treats requests that are open
// after that like those of an instance that died: routing.instances says which other instance gets
// them, or whether they are answered with 503. Run then returns nil. A program that is to be stopped
// by a signal passes a context of signal.NotifyContext.
//
// Otherwise the error wraps client.ErrUnauthorized when the router has refused too many tokens, or,
// with client.Reconnect.Disabled, says why there is no connection. A second call returns an error.
//
// A process of its own does not learn that a subscriber has left: a request's context then ends with
// its deadline. With a nil ctx it serves without end.
func (r *Server) Run(ctx context.Context) error {
	if !r.made() {
		return errors.New("serve: the server was not made by New")
	}
	if ctx == nil {
		ctx = context.Background()
	}
	err := errors.New("it was run before")
	r.running.Do(func() { err = r.run(ctx) })
	if err != nil {
		return fmt.Errorf("serve %q: %w", r.name, err)
	}
	return nil
}

// made returns false of a nil Server and of one that New has not made.
func (r *Server) made() bool { return r != nil && r.instance != nil }

// State returns what the service does now.
func (r *Server) State() service.State {
	if !r.made() {
		return service.State{}
	}
	return r.instance.State()
}

// Reload calls the service's OnReload functions, after what waits already. While the service is down
// Reload does nothing, as Setup runs anew.
func (r *Server) Reload() {
	if r.made() {
		r.instance.Reload()
	}
}

func (r *Server) run(ctx context.Context) error {
	if err := r.start(); err != nil {
		return err
	}
	living, dies := context.WithCancel(context.Background())
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		r.pulse.Run(living)
	}()
	defer func() {
		dies()
		<-beating
	}()
	err := r.connect(ctx)
	if err != nil && ctx.Err() != nil {
		err = nil
	}
	written, stopWriting := make(chan struct{}), func() {}
	if r.client == nil {
		close(written)
	} else {
		var writing context.Context
		writing, stopWriting = context.WithCancel(context.Background())
		go func() {
			defer close(written)
			r.write(writing)
		}()
		select {
		case <-ctx.Done():
		case err = <-r.closed:
		}
	}
	left := r.stop(func() {
		stopWriting()
		<-written
	})
	if err == nil {
		err = left
	}
	return err
}

// start starts the service.
func (r *Server) start() error {
	props, err := supervisor.New(supervisor.Options{Children: []supervisor.Spec{r.instance.Spec()},
		Observe: r.instance.Observe, Slept: r.pulse.Slept})
	if err != nil {
		return err
	}
	// The library logs whole messages; what there is to know the instance and the supervisor say.
	r.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	r.root = r.system.Root.Spawn(props)
	return nil
}

// connect connects for the first time; after that the client reconnects by itself.
func (r *Server) connect(ctx context.Context) (err error) {
	o := r.opts.Client
	o.OnMessage = r.receive
	o.OnState = func(state client.State, cause error) {
		r.entered(state, cause)
		if r.opts.Client.OnState != nil {
			r.opts.Client.OnState(state, cause)
		}
	}
	r.client, err = client.Dial(ctx, r.url, r.whenBegun, o)
	return err
}

// whenBegun is a token source that waits for the service's first start. The router hands requests to
// a service as soon as it is authenticated, and a service that does not run yet refuses them.
func (r *Server) whenBegun(ctx context.Context) (client.Token, error) {
	select {
	case <-r.instance.Began():
		return r.token(ctx)
	case <-ctx.Done():
		return client.Token{}, context.Cause(ctx)
	}
}

// entered follows the client. What is said while it connects waits, as a request may come before the
// state says that it is online. Subscribers' ids are of one connection only.
func (r *Server) entered(state client.State, cause error) {
	r.mu.Lock()
	if r.lost != nil {
		close(r.lost)
		r.lost = nil
	}
	if state == client.StateOnline {
		r.lost = make(chan struct{})
	}
	r.mu.Unlock()
	switch state {
	case client.StateConnecting:
		r.outbox.reset(true)
	case client.StateOnline:
		r.outbox.flow()
	case client.StateOffline:
		r.instance.AllGone()
		r.outbox.reset(false)
	case client.StateClosed:
		r.instance.AllGone()
		r.outbox.reset(false)
		select {
		case r.closed <- cause:
		default: // only the first counts
		}
	}
}

// connection returns a channel that is closed when the connection that is up is lost, nil if none is.
func (r *Server) connection() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

// stop lets the service finish its requests, stops it, sends what it said last and ends the
// connection. The error says what is still running.
func (r *Server) stop(stopWriting func()) error {
	limit, patience := r.instance.Service().Supervision.StopTimeout, r.opts.Client.CloseTimeout
	r.leave(limit)
	_, err := r.system.Root.RequestFuture(r.root, &supervisor.Shutdown{}, limit+patience).Result()
	if err != nil {
		err = fmt.Errorf("stop: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if r.connection() != nil {
		_ = r.outbox.flushed(ctx) // what is left then is lost
	}
	if r.client != nil {
		err = errors.Join(err, r.client.Close())
	}
	stopWriting()
	return errors.Join(err, r.instance.Wait(ctx))
}
