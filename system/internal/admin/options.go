package admin

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Options says where to listen and what to show. Address, Source and Log are needed.
type Options struct {
	// Address is the TCP address, host:port. On a loopback address requests are answered only if
	// their Host is an IP address, localhost or the host given here, so that no page of another
	// host can read the answers by having its name lead here.
	Address string
	Source  Source
	Log     *slog.Logger
	// Profiling adds /debug/pprof. Whoever reaches the port can then slow the process down.
	Profiling bool
	// Payloads adds to each dead letter what the message held.
	Payloads bool

	// Explain, unless nil, answers /explain, which alone may be asked with a POST and a body.
	Explain http.Handler
	// Console, unless nil, answers what is below /console. It takes any method, a body with a POST, and decides itself
	// who may ask. It may hijack connections.
	Console http.Handler
	// Script, unless nil, answers a GET or HEAD of ScriptAt. Pages of other hosts may load it, if they can reach the port.
	Script http.Handler
	// Subscribers, unless nil, answers /subscribers.
	Subscribers http.Handler
	// Reload, unless nil, answers a POST of /reload. It changes something, so only a process of this machine
	// may ask, and no page in a browser.
	Reload http.Handler

	// Upgrade, unless nil, answers a POST of /upgrade.
	Upgrade http.Handler

	// TLS, unless nil, is how the pages are served. Their protocol must be http/1.1.
	TLS *tls.Config

	// Connections is how many may be open. One more takes the place of the one that has waited longest
	// for its next request, and is closed at once if all are being answered. 0 means 32.
	Connections int
	// HeaderBytes bounds the request head, about 4 KiB over. 0 means 8 KiB.
	HeaderBytes int
	// Questions is how many requests with a body may be read at once. One more is answered with 503.
	// 0 means a quarter of Connections, at least one; never more than Connections.
	Questions int
	// ReadTimeout is how long the head of a request may take to arrive, and as long again the body of a
	// POST. 0 means 10 s.
	ReadTimeout time.Duration
	// WriteTimeout is how long an answer may take to be read, besides the time that a profile runs. 0 means 30 s.
	WriteTimeout time.Duration
	// IdleTimeout is how long a connection may wait for its next request. 0 means 2 min.
	IdleTimeout time.Duration
	// Actors is how many actors /metrics shows one by one; the others are counted. 0 means 1000.
	Actors int

	// Listen opens Address. Nil means net.Listen.
	Listen func(network, address string) (net.Listener, error)
	// Listening, unless nil, is told the address in use, with the port given for port 0.
	Listening func(net.Addr)

	refused *refused // nil: counted anew by each server
}

// withDefaults returns a copy with the zero values filled in, or all that is wrong.
func (o Options) withDefaults() (Options, error) {
	var problems []error
	if o.Source == nil || o.Log == nil || o.Address == "" {
		problems = append(problems, errors.New("address, source and log are needed"))
	}
	if o.Connections < 0 || o.Questions < 0 || o.HeaderBytes < 0 || o.Actors < 0 {
		problems = append(problems, errors.New("a limit is negative"))
	}
	if o.ReadTimeout < 0 || o.WriteTimeout < 0 || o.IdleTimeout < 0 {
		problems = append(problems, errors.New("a timeout is negative"))
	}
	setDefault(&o.Connections, 32)
	setDefault(&o.Questions, max(1, o.Connections/4))
	o.Questions = min(o.Questions, o.Connections)
	if o.refused == nil && o.Log != nil {
		o.refused = newRefused(o.Log)
	}
	if o.Listen == nil {
		o.Listen = net.Listen
	}
	setDefault(&o.HeaderBytes, 8<<10)
	setDefault(&o.ReadTimeout, 10*time.Second)
	setDefault(&o.WriteTimeout, 30*time.Second)
	setDefault(&o.IdleTimeout, 2*time.Minute)
	setDefault(&o.Actors, 1000)
	return o, errors.Join(problems...)
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}
