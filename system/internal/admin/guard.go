package admin

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"strowger/system/internal/forwarded"
)

// guard stands before all pages. It answers what is no plain GET or HEAD for this server by itself, but for
// questions and actions.
type guard struct {
	next        http.Handler
	log         *slog.Logger
	explains    bool                        // explainAt takes a POST
	console     bool                        // what is below consoleAt takes one too
	actions     map[string]bool             // paths that change something
	pages       *http.CrossOriginProtection // knows requests that a page in a browser makes
	loopback    bool                        // the Host is looked at
	host        string                      // the one that was configured
	readTimeout time.Duration               // for the body of a POST
	refused     *refused
	questions   chan struct{} // one for each POST under way
}

func newGuard(next http.Handler, o Options, addr net.Addr) *guard {
	host, _, _ := net.SplitHostPort(o.Address)
	tcp, ok := addr.(*net.TCPAddr)
	return &guard{next: next, log: o.Log, explains: o.Explain != nil, console: o.Console != nil,
		actions: map[string]bool{reloadAt: o.Reload != nil, upgradeAt: o.Upgrade != nil}, pages: http.NewCrossOriginProtection(), loopback: ok && tcp.IP.IsLoopback(), host: host,
		readTimeout: o.ReadTimeout, refused: o.refused, questions: make(chan struct{}, o.Questions)}
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer g.recover(r)
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	if g.actions[r.URL.Path] {
		g.act(w, r)
		return
	}
	question := r.Method == http.MethodPost && (g.explains && r.URL.Path == explainAt || g.console && ofConsole(r.URL.Path))
	switch {
	case !question && r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		dismiss(w, r)
		refuse(w, http.StatusMethodNotAllowed, "only GET and HEAD are answered")
	case !question && r.ContentLength != 0:
		dismiss(w, r)
		refuse(w, http.StatusRequestEntityTooLarge, "a request has no body here")
	case !g.meant(r.Host):
		dismiss(w, r)
		refuse(w, http.StatusMisdirectedRequest, "ask by IP address or as localhost")
	case question:
		if g.enter(w, r) {
			g.answer(w, r)
		}
	default:
		g.next.ServeHTTP(w, r)
	}
}

// act answers a request that changes something. It must be a POST without a body, from this machine, for this server by
// the Host, and not made by a page of another origin: a browser on this machine reaches the port too.
func (g *guard) act(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST")
		dismiss(w, r)
		refuse(w, http.StatusMethodNotAllowed, "only POST is answered")
	case r.ContentLength != 0:
		dismiss(w, r)
		refuse(w, http.StatusRequestEntityTooLarge, "a request has no body here")
	case !g.named(r.Host):
		refuse(w, http.StatusMisdirectedRequest, "ask by IP address or as localhost")
	case !fromHere(r):
		refuse(w, http.StatusForbidden, "ask from this machine, by a loopback address and not through a proxy")
	case g.pages.Check(r) != nil:
		refuse(w, http.StatusForbidden, "a page of another origin may not ask")
	default:
		g.next.ServeHTTP(w, r)
	}
}

// fromHere tells whether the peer has a loopback address, and does not say that it is a proxy.
func fromHere(r *http.Request) bool {
	if forwarded.By(r.Header) {
		return false
	}
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// dismiss ends the connection after the answer if the request has a body, which is not waited for. Otherwise net/http
// would read the body before it sends the answer, and the peer would decide how long that takes. A peer that is still
// sending may get a reset in place of the answer.
func dismiss(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now())
	w.Header().Set("Connection", "close")
}

// maxLeftover is how much of a body is read that the page has left. It is as much as net/http reads.
const maxLeftover = 256 << 10

// answer has a question answered, and gives its place back when all of its body has come. The page may leave the body
// unread, and net/http would wait for the rest after the place has been given away. A body is closed once the first
// part of a long answer is sent; net/http has then read it, or ends the connection.
func (g *guard) answer(w http.ResponseWriter, r *http.Request) {
	defer func() { <-g.questions }()
	g.next.ServeHTTP(w, r)
	if _, err := io.CopyN(io.Discard, r.Body, maxLeftover); !errors.Is(err, io.EOF) && !errors.Is(err, http.ErrBodyReadAfterClose) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
	}
}

// enter takes a place for a question and gives its body some time to arrive. Without a place it
// answers and returns false: whoever sends slowly must leave room for the other pages.
func (g *guard) enter(w http.ResponseWriter, r *http.Request) bool {
	select {
	case g.questions <- struct{}{}:
		// An error means that the connection is gone, which reading finds out.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(g.readTimeout))
		r.Body = &timedBody{ReadCloser: r.Body, limit: g.readTimeout, late: func() { g.refused.add(tooSlow, r.RemoteAddr) }}
		return true
	default:
		dismiss(w, r)
		g.refused.add(tooManyQuestions, r.RemoteAddr)
		refuse(w, http.StatusServiceUnavailable, "too many questions at once ("+tooManyQuestions.setting+")")
		return false
	}
}

// meant tells whether a Host header is for this server. Only browsers need this check, and they
// always send one.
func (g *guard) meant(hostport string) bool { return !g.loopback || g.named(hostport) }

// named tells whether a Host header is empty, an IP address, localhost or the configured host.
func (g *guard) named(hostport string) bool {
	if hostport == "" {
		return true
	}
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return strings.EqualFold(host, "localhost") || g.host != "" && strings.EqualFold(host, g.host)
}

// recover ends the connection of a page that panicked while it was being written.
func (g *guard) recover(r *http.Request) {
	reason := recover()
	if reason == nil {
		return
	}
	if reason != http.ErrAbortHandler { //nolint:errorlint // a panic's value, compared as net/http does
		g.log.Error("admin page panicked", "path", r.URL.Path, "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
	}
	panic(http.ErrAbortHandler)
}
