package web

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"strowger/actors"
)

// Conn is the connection that requests come through. Its methods may be called from any goroutine.
type Conn interface {
	actors.Seater
	actors.Sparer
	Router() actors.RouterRef
	// RemoteOf returns the address of the client that has sent a request.
	RemoteOf(r *http.Request) fmt.Stringer
	// Acked returns how many bytes the peer's system has acknowledged, where this one tells.
	Acked() (bytes uint64, known bool)
	// Cut ends the connection without a word. It does not block.
	Cut()
	// Give calls f, which hands what the peer has sent to the actors. It waits while another process takes the connections
	// over. If that process has them, Give returns false and does not call f.
	Give(f func()) bool
}

// Session is what is known of one connection. Its requests come one after the other.
type Session struct {
	conn Conn

	mu      sync.Mutex   // Protects following.
	remote  fmt.Stringer // whose request came last; nil: none has
	current *guest       // who has authenticated last; nil: nobody
	caller  *caller      // the same, if it is one
	stream  *stream      // the same, if it is one
	token   token        // of the caller
	over    bool
}

// NewSession returns the session of a connection. The caller calls End once the connection has ended.
func NewSession(c Conn) *Session { return &Session{conn: c} }

// End ends what the session has begun. It may be called again.
func (s *Session) End() { s.replace(nil) }

// Look returns who has authenticated last and from where, both nil if nobody has, and how many messages and bytes wait for
// it.
func (s *Session) Look() (p *actors.Peer, remote fmt.Stringer, messages int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return nil, nil, 0, 0
	}
	p, remote = s.current.who(), s.current.remote
	switch {
	case s.stream != nil:
		messages, bytes = s.stream.queued()
	case s.caller != nil:
		messages, bytes = s.caller.queued()
	}
	return p, remote, messages, bytes
}

// Streams reports whether a stream is what the connection is for, with the role of its reader.
func (s *Session) Streams() (role actors.Role, streams bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream == nil {
		return actors.Unauthenticated, false
	}
	if p := s.stream.who(); p != nil {
		role = p.Role
	}
	return role, true
}

// begin notes whose request follows.
func (s *Session) begin(r *http.Request) {
	remote := s.conn.RemoteOf(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remote = remote
}

// from returns whose request came last.
func (s *Session) from() fmt.Stringer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remote
}

// Close tells the peer why its connection ends. The request that is under way ends soon after it.
func (s *Session) Close(why actors.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		s.current.Close(why)
	}
}

// HandOver tells the peer that another process has taken over. Whoever publishes is not told before the next message,
// because those before it are on their way to all who get them.
func (s *Session) HandOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.caller != nil:
		s.caller.handOver()
	case s.current != nil:
		s.current.Close(actors.GoingAway)
	}
}

// replace ends the one who has authenticated last. It returns false if the session is over.
func (s *Session) replace(g *guest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		s.current.leave()
	}
	s.over = s.over || g == nil
	s.current, s.caller, s.stream = g, nil, nil
	if s.over && g != nil {
		g.leave()
		s.current = nil
	}
	return !s.over
}

// call is replace by a caller.
func (s *Session) call(c *caller, t token) bool {
	if !s.replace(&c.guest) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == &c.guest {
		s.caller, s.token = c, t
	}
	return true
}

// listen is replace by a stream.
func (s *Session) listen(st *stream) bool {
	if !s.replace(&st.guest) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == &st.guest {
		s.stream = st
	}
	return true
}

// known returns the caller that has authenticated with the token on this connection, nil for none. Behind a proxy a
// connection has requests of several clients, and each is a peer of its own.
func (s *Session) known(t token) *caller {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.caller == nil || s.token != t || s.caller.remote.String() != s.remote.String() || s.caller.gone() {
		return nil
	}
	return s.caller
}

var sessionOver = &problem{status: http.StatusServiceUnavailable, text: "the connection has ended", last: true}

// authenticate returns who has sent a request.
func (h *Handler) authenticate(ctx context.Context, s *Session, t token, l *Limits) (*caller, *problem) {
	if c := s.known(t); c != nil {
		return c, nil
	}
	c := newCaller(h, s, l)
	c.actor = actors.SpawnConnection(h.deps, s.conn.Router(), c, c.remote)
	if !s.call(c, t) {
		return nil, sessionOver
	}
	return c, c.present(ctx, t, nil)
}

// token is what a request authenticates with, as the message of a socket has it.
type token struct{ name, hash string }

// The names of tokens that are not used up.
const (
	jwtName    = "jwt"
	apiKeyName = "apikey"
	// apiKeyPrefix begins every API key. No JWT begins so, because it begins with an object in base64.
	apiKeyPrefix = "swk_"
)

// tokenOf returns the token of a request: Bearer has a JWT or an API key, and Basic the name and the hash of any token.
// The service is the one that the message names, because an API key may be good for several.
func tokenOf(r *http.Request, service string) (token, bool) {
	value := r.Header.Get("Authorization")
	if bearer, ok := scheme(value, "Bearer"); ok {
		switch {
		case !strings.HasPrefix(bearer, apiKeyPrefix):
			return token{jwtName, bearer}, bearer != ""
		case service == "":
			return token{apiKeyName, bearer}, true
		}
		return token{apiKeyName + ":" + service, bearer}, true
	}
	basic, ok := scheme(value, "Basic")
	if !ok {
		return token{}, false
	}
	// Not Request.BasicAuth: the name of an API key has a colon in it, and a hash has none.
	text, err := base64.StdEncoding.DecodeString(basic)
	at := strings.LastIndexByte(string(text), ':')
	if err != nil || at < 0 {
		return token{}, false
	}
	return token{string(text[:at]), string(text[at+1:])}, true
}
