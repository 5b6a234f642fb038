package system

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors"
	"strowger/actors/clock"
	"strowger/actors/logline"
	"strowger/actors/runtime"
	"strowger/config"
	"strowger/system/internal/console"
	"strowger/system/internal/supervisor"
	"strowger/system/internal/tracing"
	"strowger/system/service"
	"strowger/transport"
)

// Options is what a System is made of. The zero value is a router with the default settings.
type Options struct {
	// Config has the settings; nil means config.Default(). The system does not change it, and the
	// caller must not change it after New. A System does not use Log, Dashboard, Switch, Database,
	// FusionPBX and Settings of it, nor what Services says about where FusionPBX's services run: those
	// are for the command strowger serve.
	Config *config.Config
	// Log gets what an operator should know; nil means slog.Default(). Its handler must not block,
	// because the router waits for it.
	Log *slog.Logger
	// Version and Commit say what program this is, for the console and the metrics.
	Version, Commit string
	// LogLost, unless nil, returns how many log lines were dropped, for the metrics.
	LogLost func() int64
	// LogTurns, unless nil, returns how many log lines have been written or given up, and whether none waits. So the system
	// finds out if nobody takes the log. It must not block.
	LogTurns func() (lines uint64, idle bool)
	// Groups are the services, of those given to New, that restart together. A service is in one of them at most.
	Groups []service.Group
	// Templates make the services that an operator may add over the admin port, by the names of the templates. What is not
	// here cannot be added there. A process that takes over in an upgrade makes the services anew that were made from them,
	// so it must have the same ones.
	Templates map[string]Template
	// Switch is the link to the telephone switch that the services of FusionPBX use. The system starts it
	// before them and stops it after them. Nil means that there is none. Only packages of this module can
	// implement it.
	Switch Switch
	// Database is FusionPBX's database, which the services of FusionPBX use. The system closes it. Nil means
	// that there is none. Only packages of this module can implement it.
	Database Database
	// Panel has the counts of the operator panel among the services, for the metrics. Nil means that there is none.
	Panel Panel
	// Reload, unless nil, reads the settings anew and calls the system's Reload. POST /reload of the admin
	// pages calls it, one call at a time or several, and answers with what it returns. Each problem of its
	// error is a line. ctx ends when nobody waits for the answer.
	Reload func(ctx context.Context) (*Reloaded, error)
	// Listener and AdminListener are listening TCP sockets that the process has inherited. They take the place of
	// those that listen.address and admin.address name. The system owns them once it is made. Nil means that it
	// opens the address. Their type is *net.TCPListener.
	Listener, AdminListener net.Listener
	// Heir, unless nil, is what OpenHeir returned. Start takes over from the other process. When it fails, the
	// caller must end the process at once, without Stop.
	Heir *Heir
	// Upgrade, unless nil, upgrades the running process when the admin pages are asked to, as Upgrade of the system
	// does. It calls answered when it may end this process.
	Upgrade func(ctx context.Context) (u *Upgraded, answered func(), err error)
}

// System is one router with all its actors; New makes one. A program calls Run, or Start and Stop from
// one goroutine; the other methods may be called from any. Each method says what it does before Start. For a
// System that New has not made, Stop returns nil, every other method that returns an error returns one, and the
// others return zero values.
type System struct {
	cfg         *config.Config // as it was started
	log         *slog.Logger
	lines       *logline.Handler                 // the handler of log
	logLost     func() int64                     // nil: nobody counts
	logTurns    func() (lines uint64, idle bool) // nil: nobody knows
	heart       atomic.Pointer[heart]            // nil: the system has not started
	link        Switch                           // nil: there is none
	database    Database                         // nil: there is none
	panel       Panel                            // nil: there is none
	reload      func(context.Context) (*Reloaded, error)
	stage       atomic.Int32 // fresh, begun, started or stopped
	admin       string       // address of the admin pages, "" without; set before the tree is made
	listener    net.Listener // inherited; nil: listen.address is opened
	adminPort   adminPort
	heir        *Heir // nil: nothing is taken over
	upgrades    upgrades
	onUpgrade   func(context.Context) (u *Upgraded, answered func(), err error) // nil: the admin pages cannot ask for it
	rooted      chan struct{}                                                   // closed when way is set
	way         actors.RouterRef                                                // for everybody else
	deps        *actors.Deps
	limits      atomic.Pointer[transport.Limits]
	settings    atomic.Pointer[actors.Settings]
	reloading   sync.Mutex // Protects governors.
	governors   governors
	running     atomic.Pointer[config.Config] // what apply applied last
	pool        *pool                         // reads token files
	bearing     *pool                         // checks other tokens, and does what needs no token file
	certificate *transport.Certificate        // nil without TLS
	adminTLS    *adminTLS                     // nil without TLS
	egress      *transport.Egress
	server      *transport.Server
	services    services
	templates   map[string]Template
	tokens      *tokens
	insight     *insight
	console     *console.Console // nil: there is none
	cluster     *clustering      // nil: the router is alone
	tracer      *tracing.Tracer  // nil: no request is traced
	postman     postman
	build       build
	began       time.Time // when New has made it
	root        *actor.PID
	router      actors.RouterRef                 // for the tree's own goroutine
	core        atomic.Pointer[actors.RouterRef] // router, for all others; nil: it has not started
	stopBy      atomic.Pointer[time.Time]        // when Stop cuts off who is left; nil: never
	dismissed   sync.Once                        // all connections are being closed
	failed      chan error
	open        chan struct{} // closed when connections are accepted
	descriptors int           // how many files may be open; 0: not known
	heapFloor   *heapFloor    // nil: there is none
}

// build is what program this is.
type build struct{ Version, Commit string }

// The stages of a system's life.
const (
	unmade  = int32(iota) // not by New
	fresh                 // by New
	begun                 // Start is under way or has failed
	started               // connections are accepted
	stopped
)

// New returns a system that is not started yet, with services that live in it. The error says what
// is wrong with the configuration, what in it cannot be used on this machine, or what is wrong with a
// service. New opens no socket and starts no service.
func New(o Options, list ...*service.Service) (*System, error) {
	if o.Config == nil {
		o.Config = config.Default()
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if err := supervisor.CheckPlatform(); err != nil {
		return nil, err
	}
	insight, err := newInsight(&o.Config.Admin)
	if err != nil {
		return nil, err
	}
	inner := o.Log.Handler()
	if o.Config.Admin.Address != "" {
		inner = insight.log.Handler(inner)
	}
	lines := logline.New(inner, clock.Wall{})
	o.Log = slog.New(lines)
	s := &System{lines: lines, insight: insight, build: build{o.Version, o.Commit}, began: time.Now(), cfg: o.Config, log: o.Log, logLost: o.LogLost, logTurns: o.LogTurns, link: o.Switch, database: o.Database, panel: o.Panel, templates: maps.Clone(o.Templates), reload: o.Reload, failed: make(chan error, 1), open: make(chan struct{}),
		descriptors: descriptors(), listener: o.Listener, heir: o.Heir, onUpgrade: o.Upgrade, rooted: make(chan struct{})}
	s.adminPort.inherited = o.AdminListener
	if err := s.inherit(); err != nil {
		return nil, err
	}
	if limit, by := limitMemory(int64(o.Config.Memory.Limit), rootFiles()); limit > 0 {
		o.Log.Info("memory limit", "bytes", limit, "by", by)
	}
	if err := s.apply(o.Config); err != nil {
		return nil, err
	}
	if s.tokens, err = openTokens(o.Config, o.Log); err != nil {
		return nil, err
	}
	if s.certificate, err = loadCertificate(o.Config); err != nil {
		return nil, err
	}
	if s.adminTLS, err = newAdminTLS(&o.Config.Admin, o.Log); err != nil {
		return nil, err
	}
	_ = s.checkCertificate() // it is logged, and no reason not to start
	s.deps = &actors.Deps{
		Runtime:       runtime.New(newActorSystem(), clock.Wall{}, o.Log),
		Tokens:        s.tokens,
		Counters:      new(actors.Counters),
		Settings:      &s.settings,
		Registry:      new(actors.Registry),
		ServiceMeters: o.Config.Admin.Services,
		OnCrash:       s.crashed,
		OnDead:        s.died,
	}
	waiting := func() int { return s.running.Load().Tokens.Waiting }
	s.pool = newPool(claimers, waiting, s.deps.Go, o.Log)
	s.bearing = newPool(claimers, waiting, s.deps.Go, o.Log)
	s.deps.Pool = pools{s.pool, s.bearing}
	s.tokens.work = s.pool.Go
	s.deps.Supervise()
	if s.cluster, err = s.newClustering(); err != nil {
		return nil, err
	}
	if err := s.settle(list, o.Groups); err != nil {
		return nil, err
	}
	if s.console, err = s.newConsole(); err != nil {
		return nil, err
	}
	s.trace()
	s.stage.Store(fresh)
	return s, nil
}

// newActorSystem returns an actor system that is silent: what is worth a log line is logged by our
// own wrapper, and the library would log whole messages.
func newActorSystem() *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
}

// live tells whether Start has succeeded.
func (s *System) live() bool { return s.made() && s.stage.Load() >= started && s.server != nil }

var errUnmade = errors.New("the system was not made by New")

// made returns false of a nil System and of one that New has not made.
func (s *System) made() bool { return s != nil && s.stage.Load() != unmade }

// Addr returns the address in use, with the port that was given for port 0. It is nil as long as Start
// has not succeeded; Started tells when it has.
func (s *System) Addr() net.Addr {
	if !s.live() {
		return nil
	}
	return s.server.Addr()
}

// AdminAddr returns the address of the admin pages, nil as long as they do not listen.
func (s *System) AdminAddr() net.Addr {
	if !s.made() {
		return nil
	}
	if addr := s.insight.admin.Load(); addr != nil {
		return *addr
	}
	return nil
}

// counters returns what happened since the start.
func (s *System) counters() *actors.Counters {
	if !s.made() {
		return new(actors.Counters)
	}
	return s.deps.Counters
}

// Connections returns how many connections are open.
func (s *System) Connections() int {
	if !s.live() {
		return 0
	}
	return s.egress.Live()
}

// Services returns how many names services offer, remote ones and those in the router.
func (s *System) Services() int {
	if !s.made() {
		return 0
	}
	return s.deps.Registry.Offered()
}

// Failed gets the error with which the system gave up, if it does.
func (s *System) Failed() <-chan error {
	if !s.made() {
		return nil
	}
	return s.failed
}
