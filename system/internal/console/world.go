package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors"
	"strowger/actors/filter"
	"strowger/actors/runtime"
	"strowger/config"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
	"strowger/transport"
)

// world is the router inside the console: it has one service, and its connections are those of the console. It is made
// of the parts of the router around it, and shares no state with it.
type world struct {
	deps     *actors.Deps
	egress   *transport.Egress
	server   *transport.Server
	router   actors.RouterRef
	home     *home
	services *actor.PID
	limits   atomic.Pointer[transport.Limits]
	settings atomic.Pointer[actors.Settings]
}

const (
	requestTimeout = 30 * time.Second
	// longestRequest is in bytes. An event to explain is the longest.
	longestRequest = 1 << 20
	// startTime is how long the service may take to start.
	startTime = 5 * time.Second
)

func newWorld(o *Options, t *tokens, svc *service.Service) (w *world, err error) {
	w = new(world)
	w.limit(o)
	log := slog.New(quieter{o.Log.Handler()})
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
	w.deps = &actors.Deps{
		Runtime: runtime.New(system, o.Clock, log), Tokens: t, Counters: new(actors.Counters),
		Settings: &w.settings, Registry: new(actors.Registry), Pool: atOnce{},
	}
	w.deps.Supervise()
	defer func() {
		if err != nil {
			w.stop(context.Background())
		}
	}()
	system.EventStream.Subscribe(func(event any) {
		if dead, ok := event.(*actor.DeadLetterEvent); ok {
			w.deps.Bury(dead.Message)
		}
	})
	if w.egress, err = transport.NewEgress(w.deps, &w.limits); err != nil {
		return w, err
	}
	w.deps.Egress = w.egress
	w.server = transport.NewServer(w.egress, transport.Options{Limits: &w.limits, Log: log, Deps: w.deps})
	w.router = actors.SpawnRouter(w.deps)
	return w, w.serve(o, log, svc)
}

// limit sets the bounds of the console's connections.
func (w *world) limit(o *Options) {
	cfg := config.Default()
	l, k := &cfg.Limits, &cfg.Keepalive
	w.limits.Store(&transport.Limits{
		Connections: o.Connections, Unauthenticated: o.Connections, HeaderBytes: 4 * o.HeaderBytes, HeaderTimeout: l.HeaderTimeout,
		UnauthenticatedBytes: int64(l.UnauthenticatedBytes), UnauthenticatedTotal: int64(l.UnauthenticatedTotal),
		ClientBytes: longestRequest, ServiceBytes: longestRequest, Fragments: l.Fragments,
		InboundMessages: l.InboundMessages, ServiceInboundMessages: l.ServiceInboundMessages,
		OutboundMessages: l.OutboundMessages, OutboundBytes: int64(l.OutboundBytes), WriteTimeout: l.WriteTimeout,
		PingInterval: k.PingInterval, IdleTimeout: k.IdleTimeout, TCPKeepAlive: k.TCP, Origins: []string{"*"}, // the console has looked
	})
	w.settings.Store(&actors.Settings{
		Depth: l.Depth, Keys: l.Keys, AuthenticationTimeout: 10 * time.Second, AuthenticationAttempts: 3, RequestTimeout: requestTimeout,
		PendingRequests: 64, UnknownService: 404, Instances: actors.All, Policies: actors.NewPolicies(nil, nil, filter.Deny()),
	})
}

// serve starts the service and offers it.
func (w *world) serve(o *Options, log *slog.Logger, svc *service.Service) error {
	h, err := newHome(w, o, log, svc)
	if err != nil {
		return err
	}
	w.home = h
	props, err := supervisor.New(supervisor.Options{Clock: o.Clock, Slept: w.deps.Slept, Children: []supervisor.Spec{h.instance.Spec()},
		Observe: func(e supervisor.Event) {
			if o.Observe != nil {
				o.Observe(e)
			}
			h.instance.Observe(e)
		}})
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	if w.services, err = w.deps.System.Root.SpawnNamed(props, "services"); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	offered := make(chan struct{})
	w.router.Send(&actors.Offer{Peer: h.peer, Done: func() { close(offered) }})
	late := time.NewTimer(startTime)
	defer late.Stop()
	for _, begun := range []<-chan struct{}{offered, h.instance.Began()} {
		select {
		case <-begun:
		case <-late.C:
			return errors.New("console: the service does not start")
		}
	}
	return nil
}

// take takes a connection in, of which a part was read.
func (w *world) take(conn net.Conn, sent []byte) { w.server.Take(conn, sent, w.router) }

// watched reports whether somebody is connected.
func (w *world) watched() bool { return w.egress.Live() > 0 }

// cutOff closes the connections whose session is over. The error is ctx's.
func (w *world) cutOff(ctx context.Context, over func(session string) bool) error {
	all, err := w.egress.Connections(ctx)
	for _, c := range all {
		if c.Peer == nil || c.Peer.UserUUID == "" || !over(c.Peer.UserUUID) {
			continue
		}
		if _, err = w.egress.Disconnect(ctx, c.Number); err != nil {
			break
		}
	}
	return err //nolint:wrapcheck // passes on
}

// stop closes the connections and ends all actors.
func (w *world) stop(ctx context.Context) {
	if w.services != nil {
		_ = w.deps.System.Root.RequestFuture(w.services, &supervisor.Shutdown{}, 5*time.Second).Wait()
	}
	if w.server != nil {
		w.server.StopListening()
		w.egress.CloseAll()
		gone := make(chan struct{})
		go func() {
			w.server.Wait()
			w.egress.Wait()
			close(gone)
		}()
		select {
		case <-gone:
		case <-ctx.Done():
			w.egress.AbortAll()
			<-gone
		}
	}
	if w.home != nil {
		_ = w.home.instance.Wait(ctx) // what still runs ends with the process
	}
	if !w.router.Zero() {
		_ = w.deps.System.Root.StopFuture(w.router.PID()).Wait()
	}
	if w.egress != nil {
		w.egress.Stop()
	}
	w.deps.Stop()
}

// atOnce runs what is given to a pool at once: the console's tokens are in memory.
type atOnce struct{}

// Go implements actors.Pool.
func (atOnce) Go(_ string, f func()) bool {
	go f()
	return true
}

// quieter is a handler for what happens in the console's world: what is news in the router is detail there.
type quieter struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quieter) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, lower(level))
}

// Handle implements slog.Handler.
func (q quieter) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lower(r.Level)
	return q.Handler.Handle(ctx, r) //nolint:wrapcheck // passes on
}

// WithAttrs implements slog.Handler.
func (q quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }

func lower(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return level - 4
	}
	return level
}
