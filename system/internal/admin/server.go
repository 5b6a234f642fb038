package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
)

// Server is a listener that answers. Its methods may be called from any goroutine.
type Server struct {
	o        Options
	http     http.Server
	listener net.Listener
	cancel   context.CancelFunc // ends profiles under way
	done     chan struct{}      // closed when nothing is accepted any more
	err      error              // why; to be read after done
}

// Listen returns a server that accepts connections until Stop. The error says what is wrong with the
// options, or why the address cannot be used.
func Listen(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	listener, err := o.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	handler, err := o.handler(listener.Addr())
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("admin: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	limiter := newLimiter(listener, o.Connections, o.refused)
	s := &Server{o: o, listener: limiter, cancel: cancel, done: make(chan struct{})}
	s.http = http.Server{
		Handler:                      handler,
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            o.ReadTimeout, // the guard sets the rest: a ReadTimeout would end profiles
		WriteTimeout:                 o.WriteTimeout,
		IdleTimeout:                  o.IdleTimeout,
		MaxHeaderBytes:               o.HeaderBytes,
		ConnState:                    limiter.changed,
		ErrorLog:                     slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
		BaseContext:                  func(net.Listener) context.Context { return ctx },
	}
	var pages net.Listener = limiter
	if o.TLS != nil {
		pages = tls.NewListener(limiter, o.TLS)
	}
	go s.serve(pages)
	if o.Listening != nil {
		o.Listening(s.Addr())
	}
	return s, nil
}

func (s *Server) serve(pages net.Listener) {
	defer close(s.done)
	if err := s.http.Serve(pages); !errors.Is(err, http.ErrServerClosed) {
		s.err = fmt.Errorf("admin: %w", err)
	}
}

// Addr returns the address in use, with the port that was given for port 0.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Done is closed when no more connections are accepted; Err then says why.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns nil before Done is closed and after Stop, else why accepting ended.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Stop accepts no more, ends profiles under way and waits for what is being answered until ctx ends;
// then it closes all connections. The error wraps ctx's if it came to that.
func (s *Server) Stop(ctx context.Context) error {
	s.cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close()
		err = fmt.Errorf("admin: stop: %w", err)
	}
	<-s.done
	return err
}
