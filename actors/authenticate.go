package actors

import (
	"errors"
	"log/slog"
	"strconv"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
)

// seat takes a place for a peer of that role.
func seat(s Outlet, role Role) error {
	if seater, ok := s.(Seater); ok {
		return seater.Seat(role)
	}
	return nil
}

// tokensWait is why a token is not looked at where as many wait as may.
type tokensWait struct{}

func (tokensWait) Error() string   { return "too many tokens wait to be looked at" }
func (tokensWait) Temporary() bool { return true }
func (tokensWait) Setting() string { return "tokens.waiting" }

var errTokensWait error = tokensWait{}

var errIncompleteToken = errors.New("token.name or token.hash is missing or no text")

// beforeAuthentication handles a message of a peer nobody knows yet: a token, or anything else,
// which is answered with 407 (protocol 4, 5.1).
func (c *connection) beforeAuthentication(m *envelope.Message) {
	if !m.Authentication {
		c.greet(envelope.AuthenticationRequired, &m.Envelope)
		return
	}
	name, okName := envelope.Text(m.TokenName)
	hash, okHash := envelope.Text(m.TokenHash)
	if !okName || !okHash {
		c.refuse(&m.Envelope, errIncompleteToken)
		return
	}
	c.state = authenticating
	c.entry.shown = c.deps.Awake()
	c.spare(true)
	claimed := &tokenClaimed{envelope: m.Envelope, address: address(c.remote), connection: c.self}
	if c.deps.holds() {
		claimed.key = keyOf(name, hash)
	}
	deps, self, socket := c.deps, c.self, c.socket
	if !c.deps.Pool.Go(name, func() {
		claimed.credentials, claimed.err = deps.Tokens.Claim(name, hash, func(role Role) error { return seat(socket, role) })
		self.Run(claimed)
	}) {
		c.turnAway(errTokensWait)
	}
}

// claimed goes on with the token store's verdict. The 200 waits until the subscriber has joined
// its topics: who has read it misses nothing that is broadcast afterwards.
func (c *connection) claimed(m *tokenClaimed) {
	if c.state == closing {
		c.deps.unneeded(m, c.over)
		return
	}
	c.entry.asking = nil
	if c.reclaim(m) {
		return
	}
	if m.again && m.err == nil {
		if m.err = seat(c.socket, Client); m.err != nil {
			c.deps.unneeded(m, false)
		}
	}
	if errors.Is(m.err, ErrNoPlace) || errors.Is(m.err, ErrGivenWay) || temporary(m.err) {
		c.turnAway(m.err)
		return
	}
	if m.err != nil {
		c.state = unauthenticated
		c.deps.Counters.Rejection.Observe(c.deps.Awake().Sub(c.entry.shown))
		c.spare(false)
		c.refuse(&m.envelope, m.err)
		c.resume()
		return
	}
	if c.succeed(m) {
		return
	}
	c.deps.Counters.Authentic.Add(1)
	c.entry.accepted = &m.envelope
	var w *wishes
	if m.credentials.Role == Client {
		w, c.entry.since = wished(&m.envelope)
	}
	c.peer = c.deps.peerOf(c.returns(w), m.credentials, c.socket)
	c.peer.Remote, c.peer.wishes = c.remote, w
	var back *comingBack
	if c.peer.recorded() || c.before != nil {
		back = &comingBack{since: c.entry.since}
		if c.before != nil {
			back.kept = c.before.keepers
		}
	}
	c.narrow()
	c.peer.wishes.attend(c.peer.Subscriptions)
	if calls(c.socket) {
		c.peer.Subscriptions = nil
	}
	if k, ok := c.socket.(Knower); ok {
		k.Know(c.peer)
	}
	c.beginSession(m)
	c.hold(m)
	attributes := []slog.Attr{slog.String("subscriber", c.peer.ID), slog.String("role", c.peer.Role.String()),
		slog.String("service", refusals.Clip(c.peer.Name)), slog.String("domain", refusals.Clip(m.credentials.DomainName)), slog.Bool("again", m.again || m.succeeded)}
	if c.peer.Bearer != "" {
		attributes = append(attributes, slog.String("bearer", refusals.Clip(c.peer.Bearer)))
	}
	c.log(slog.LevelInfo, "authenticated", attributes...)
	if m.credentials.DeniedService != "" {
		c.refused(&refusals.Event{Cause: refusals.UnknownClass, More: []any{
			"service", m.credentials.DeniedService, "class", m.credentials.DeniedClass,
		}})
	}
	c.subscriber = spawnSubscriber(c.deps, c.entry.router, c.self, c.peer, back)
}

func (c *connection) admitted(m *admittance) {
	if c.state == closing {
		return
	}
	if c.entry.adoption != nil {
		c.adopted()
		c.entry = nil
		return
	}
	if c.before != nil {
		c.inquireOpen(m.recoveries)
		return
	}
	c.letIn(m.recoveries)
}

// letIn sends the peer its 200.
func (c *connection) letIn(recoveries []Recovery) {
	c.state = authenticated
	c.entry.inTime()
	c.deps.Counters.Admission.Observe(c.deps.Awake().Sub(c.entry.shown))
	ok := envelope.Authenticated.Answer(withServiceName(c.entry.accepted))
	ok.Payload = c.grants(recoveries)
	c.deps.own(c.socket, ok, func(m Message) { c.socket.Admit(c.peer.Role, m) })
	c.resume()
	c.entry = nil
}

// grants returns the payload of the 200: what the peer gets besides being let in. It is nil if the peer has not asked.
func (c *connection) grants(recoveries []Recovery) envelope.Raw {
	var payload envelope.Raw
	if w := c.peer.wishes; w != nil && (w.recorded || w.gaps || w.presence != nil || w.asked != nil) {
		payload = w.granted(recoveries, c.entry.since)
	}
	more := c.continuation()
	switch {
	case more == nil:
		return payload
	case payload == nil:
		payload = append(payload, '{')
	default:
		payload[len(payload)-1] = ','
	}
	return append(append(payload, more...), '}')
}

// resume handles what came while the token was being looked at.
func (c *connection) resume() {
	c.entry.stash.Replay(func() bool { return c.state != authenticating }, c.received)
}

// refuse answers 401. The connection stays open, because a page that is cut off at once retries
// for ever (protocol 9.3), but not for any number of attempts.
func (c *connection) refuse(e *envelope.Envelope, err error) {
	c.entry.attempts++
	c.deps.Counters.Refused.Add(1)
	setting := settingOf(err)
	if used(err) || errors.Is(err, errTokenInUse) || errors.Is(err, errTokenOver) || errors.Is(err, errOtherAddress) {
		setting = "tokens.reclaim"
	}
	c.refused(&refusals.Event{Cause: refusals.Token, Kind: kind(err), Setting: setting, More: []any{"attempt", c.entry.attempts, "err", err}})
	c.greet(envelope.Unauthorized, withServiceName(e))
	if limit := c.deps.settings().AuthenticationAttempts; c.entry.attempts >= limit {
		c.refused(&refusals.Event{Cause: refusals.Attempts, More: []any{"limit", strconv.Itoa(limit)}})
		c.close(TooManyAttempts)
	}
}

// turnAway ends a connection for which there is no place, or whose token cannot be looked at now. Its token
// is still good. The connection may be closed at any time to make room.
func (c *connection) turnAway(err error) {
	switch {
	case errors.Is(err, ErrNoPlace):
		c.refused(&refusals.Event{Cause: refusals.ClientPlaces})
	case temporary(err) && settingOf(err) != "":
		c.refused(&refusals.Event{Cause: refusals.Unchecked, Kind: kind(err), Setting: settingOf(err), More: []any{"err", err}})
	case temporary(err):
		c.refused(&refusals.Event{Cause: refusals.Descriptors, More: []any{"err", err}})
	}
	c.spare(false)
	c.close(NoPlace)
}

// spare tells the socket whether the token is being looked at.
func (c *connection) spare(busy bool) {
	if s, ok := c.socket.(Sparer); ok {
		s.Spare(busy)
	}
}

// temporary reports whether a token could not be looked at for want of something that may be there again soon,
// such as a file descriptor. That is not the peer's fault.
func temporary(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && t.Temporary()
}

// settingOf returns the setting that decides about an error, if the error says which.
func settingOf(err error) string {
	s, ok := errors.AsType[interface {
		error
		Setting() string
	}](err)
	if !ok {
		return ""
	}
	return s.Setting()
}

// kind returns the text of the innermost error, or of the first one where an error wraps several. That is a
// constant, without the token's name or anything else that a peer chose. Refusals for different reasons then
// do not hide each other in the log, and a peer cannot fill it.
func kind(err error) string {
	for {
		inner := errors.Unwrap(err)
		if several, ok := err.(interface{ Unwrap() []error }); ok && len(several.Unwrap()) > 0 { //nolint:errorlint // each level is looked at
			inner = several.Unwrap()[0]
		}
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func (c *connection) greet(status envelope.Status, e *envelope.Envelope) {
	c.deps.own(c.socket, status.Answer(e), c.socket.Greet)
}

// welcome asks the peer for a token. All peers are asked alike.
func (c *connection) welcome() { c.deps.own(c.socket, c.deps.greeting, c.socket.Greet) }

// withServiceName returns e with a service name that an answer about authentication may carry: the
// request's own as a string, or "authentication" where that is no name.
func withServiceName(e *envelope.Envelope) *envelope.Envelope {
	named := *e
	switch {
	case len(e.ServiceName) == 0:
		named.ServiceName = envelope.QuoteString("authentication")
	case e.ServiceName[0] == '"':
	case e.ServiceName[0] == '-' || '0' <= e.ServiceName[0] && e.ServiceName[0] <= '9':
		named.ServiceName = envelope.QuoteString(string(e.ServiceName))
	default:
		named.ServiceName = envelope.QuoteString("authentication")
	}
	return &named
}
