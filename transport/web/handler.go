package web

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"strowger/actors"
)

// Limits bound what peers can make HTTP requests hold. A reload replaces them as a whole.
type Limits struct {
	Batch               int           // messages of one request
	BodyTimeout         time.Duration // for the body of a request
	Rate                int           // messages of one identity in a second; 0: any number
	IdempotencyLifetime time.Duration // how long an answer is kept for its key; 0: not at all
	IdempotencyKeys     int           // that are kept
	IdempotencyBytes    int64         // of answers that are kept

	// These are the limits of sockets.
	ClientBytes      int64         // of the body of a client's request
	ServiceBytes     int64         // of a service's
	InboundMessages  int           // of a client under way inside the router
	ServiceMessages  int           // of a service
	OutboundMessages int           // that may wait for one peer
	OutboundBytes    int64         // of them
	WriteTimeout     time.Duration // for an answer, and for each piece of a stream
	PingInterval     time.Duration // between two heartbeats of a stream; 0: none
}

// bodyBytes returns how long a body of a role may be, and the setting that says so.
func (l *Limits) bodyBytes(role actors.Role) (n int64, setting string) {
	if role == actors.Service {
		return l.ServiceBytes, "limits.service_bytes"
	}
	return l.ClientBytes, "limits.client_bytes"
}

// window returns how many messages of a role may be under way.
func (l *Limits) window(role actors.Role) int {
	if role == actors.Service {
		return l.ServiceMessages
	}
	return l.InboundMessages
}

// Options is what a Handler needs. All fields are needed.
type Options struct {
	Deps *actors.Deps
	// Limits returns the limits as they are now.
	Limits func() *Limits
	// Allowed reports whether pages of an Origin may ask a host. The origin is not empty.
	Allowed func(origin, host string) bool
	// Code returns the close code that tells peers of sockets why their connection ends.
	Code func(actors.End) int
	// Queued notes that so many more bytes wait for peers, or have ceased to if n is negative. It does not block.
	Queued func(n int64)
}

// Handler answers the requests of all connections. Its methods may be called from any goroutine.
type Handler struct {
	deps    *actors.Deps
	limits  func() *Limits
	allowed func(origin, host string) bool
	rates   rates
	memory  memory
	streams streams
	ledger  ledger
	queued  func(n int64)
	code    func(actors.End) int
	counts  counts
}

// counts is what has happened to requests.
type counts struct {
	publishes, requests, repeated atomic.Int64
}

// Stats is what has happened to HTTP requests since the start. Keys, Bytes and Streams are those of now.
type Stats struct {
	Publishes, Requests int64 // messages that were taken
	Repeated            int64 // answers that an idempotency key got again
	Keys, Bytes         int64 // of answers that are kept
	Streams             int64 // that are open
}

// New returns a handler.
func New(o Options) *Handler {
	h := &Handler{deps: o.Deps, limits: o.Limits, allowed: o.Allowed, code: o.Code, queued: o.Queued}
	h.rates.init()
	h.memory.init()
	h.streams.init()
	h.ledger.init()
	return h
}

// Stats returns what has happened so far.
func (h *Handler) Stats() Stats {
	s := Stats{Publishes: h.counts.publishes.Load(), Requests: h.counts.requests.Load(), Repeated: h.counts.repeated.Load(), Streams: h.streams.open.Load()}
	s.Keys, s.Bytes = h.memory.size()
	return s
}

// The last elements of the paths that are answered. What is before them is up to the proxy.
const (
	publishPath = "publish"
	requestPath = "request"
	eventsPath  = "events"
)

// Serves reports whether requests with this path are for a Handler.
func Serves(p string) bool {
	switch path.Base(p) {
	case publishPath, requestPath, eventsPath:
		return true
	}
	return false
}

// ServeHTTP implements http.Handler. The request has come through a connection of NewContext.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler { //nolint:errorlint // it is that value itself
			panic(p)
		}
		h.deps.Counters.Panics.Add(1)
		h.deps.Log.Error("HTTP request panicked", "reason", fmt.Sprint(p), "stack", string(debug.Stack()))
		panic(http.ErrAbortHandler) // nobody knows how much of the answer is out
	}()
	s := sessionOf(r.Context())
	s.begin(r)
	l := h.limits()
	switch {
	case l == nil || !Serves(r.URL.Path):
		h.refuse(w, s, &problem{status: http.StatusNotFound, text: "nothing is here"})
	case !h.cross(w, r):
		h.refuse(w, s, originRefused)
	case r.Method == http.MethodOptions:
		preflight(w)
	default:
		h.serve(w, r, s, l)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, s *Session, l *Limits) {
	door, method := path.Base(r.URL.Path), http.MethodPost
	if door == eventsPath {
		method = http.MethodGet
	}
	if r.Method != method {
		w.Header().Set("Allow", method+", OPTIONS")
		h.refuse(w, s, &problem{status: http.StatusMethodNotAllowed, text: "only " + method})
		return
	}
	if door == eventsPath {
		if p := h.events(w, r, s, l); p != nil {
			h.refuse(w, s, p)
		}
		return
	}
	from, done, p := h.post(w, r, s, l, door)
	if p != nil {
		h.refuse(w, s, p)
		return
	}
	waits, n := &from.guest().account, int64(len(done.text))
	waits.charge(n)
	defer waits.settle(n)
	write(w, l, done)
}

// cross says what pages of other hosts may do. It returns false if the page may do nothing.
func (h *Handler) cross(w http.ResponseWriter, r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 || origins[0] == "" {
		return true
	}
	if len(origins) > 1 || !h.allowed(origins[0], r.Host) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origins[0])
	w.Header().Add("Vary", "Origin")
	return true
}

// preflight answers what a browser asks before it lets a page send a request.
func preflight(w http.ResponseWriter) {
	head := w.Header()
	head.Set("Access-Control-Allow-Methods", "GET, POST")
	head.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, "+keyHeader+", Last-Event-ID")
	head.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

type contextKey struct{}

// NewContext returns a context for the requests of one connection.
func NewContext(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, contextKey{}, s)
}

func sessionOf(ctx context.Context) *Session { return ctx.Value(contextKey{}).(*Session) }

// scheme cuts a scheme off the value of Authorization.
func scheme(value, name string) (rest string, ok bool) {
	if len(value) <= len(name) || !strings.EqualFold(value[:len(name)], name) || value[len(name)] != ' ' {
		return "", false
	}
	return strings.TrimLeft(value[len(name):], " "), true
}
