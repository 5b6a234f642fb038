package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/refusals"
)

// grace is how much longer than a service's answer may take this end waits, so that the router's own answer comes first.
const grace = time.Second

// post takes the messages of a POST, and returns who has sent them.
func (h *Handler) post(w http.ResponseWriter, r *http.Request, s *Session, l *Limits, door string) (sender, *answer, *problem) {
	control := http.NewResponseController(w)
	set := h.deps.Settings.Load()
	// Nobody's body is read before it is known who sends it.
	from, p := h.sender(r, s, l)
	if p != nil {
		return from, nil, p
	}
	peer := from.guest().who()
	if p := mayUse(door, peer); p != nil {
		return from, nil, p
	}
	limit, setting := l.bodyBytes(peer.Role)
	// The body is in memory until its answer is there.
	account, body := &from.guest().account, int64(0)
	defer func() { account.settle(body) }()
	raw, p := read(control, r, l, limit, setting, func(n int64) { body += n; account.charge(n) })
	if p != nil {
		return from, nil, p
	}
	who, n := identity(peer), 1
	if isList(raw) {
		n = elements(raw)
	}
	if n > l.Batch {
		return from, nil, tooMany(l)
	}
	if taken, after := h.rates.take(who, n, l.Rate, h.deps.Awake()); !taken {
		return from, nil, tooFast(after)
	}
	b, p := parse(raw, set.Depth, set.Keys)
	if p != nil {
		return from, nil, p
	}
	// Whoever has other rights than before may not see the answer of before. What comes of a stream's messages comes through
	// that stream, so its keys are its own.
	scope := who + " " + peer.Rights() + " " + door
	if from.stream != nil {
		scope += " " + peer.ID
	}
	done, p := h.once(r, l, who, scope, raw, func(ctx context.Context) (*answer, *problem) {
		switch {
		case from.stream != nil:
			return h.pass(ctx, from.stream, door, b)
		case door == publishPath:
			return h.publish(ctx, from.caller, peer, b)
		}
		return h.request(ctx, from.caller, b)
	})
	return from, done, p
}

// sender is who has sent a request: a caller, or the peer of a stream.
type sender struct {
	caller *caller
	stream *stream
}

func (s sender) guest() *guest {
	if s.stream != nil {
		return &s.stream.guest
	}
	return &s.caller.guest
}

var noPlace = &problem{status: http.StatusServiceUnavailable, text: actors.NoPlace.String(), cause: refusals.ClientPlaces, counted: true, last: true}

var noToken = &problem{status: http.StatusUnauthorized, text: "there is no token that the router knows the form of", last: true}

// sender returns who has sent a request.
func (h *Handler) sender(r *http.Request, s *Session, l *Limits) (sender, *problem) {
	if secret, ok := scheme(r.Header.Get("Authorization"), "Stream"); ok {
		st := h.streams.of(secret)
		if st == nil {
			return sender{}, &problem{status: http.StatusUnauthorized, text: "there is no such stream on this node", last: true}
		}
		switch err := s.conn.Seat(st.who().Role); {
		case errors.Is(err, actors.ErrNoPlace):
			return sender{}, noPlace
		case err != nil:
			return sender{}, sessionOver
		}
		s.conn.Spare(true) // it does not give way to others any more
		return sender{stream: st}, nil
	}
	t, ok := tokenOf(r, r.URL.Query().Get("service"))
	if !ok {
		return sender{}, noToken
	}
	c, p := h.authenticate(r.Context(), s, t, l)
	return sender{caller: c}, p
}

// mayUse returns why a peer of a role may not send messages of a kind, nil if it may.
func mayUse(door string, peer *actors.Peer) *problem {
	switch {
	case door == publishPath && peer.Role != actors.Service:
		return &problem{status: http.StatusForbidden, text: "only a service publishes, and this is the token of a client"}
	case door == requestPath && peer.Role == actors.Service:
		return &problem{status: http.StatusForbidden, text: "only a client requests, and this is the token of a service"}
	}
	return nil
}

// identity returns who a peer is, whatever connection it has come through. It is empty if the token does not say.
func identity(p *actors.Peer) string {
	switch {
	case p.Bearer != "":
		return strconv.Quote(p.Bearer) + " " + strconv.Quote(p.Name)
	case p.Role == actors.Service:
		return "service " + strconv.Quote(p.Name) + " " + strconv.Quote(p.Class)
	case p.UserUUID != "" || p.UserName != "":
		return "user " + strconv.Quote(p.UserUUID) + " " + strconv.Quote(p.UserName) + " " + strconv.Quote(p.Domain())
	}
	return "peer " + p.ID
}

// publish takes what a service says to all who watch it. If its connection ends meanwhile, nobody knows which of the
// messages went on.
func (h *Handler) publish(ctx context.Context, c *caller, peer *actors.Peer, b *body) (*answer, *problem) {
	if h.deps.Registry.Inside(peer.Name) {
		h.deps.Passive(peer)
		return nil, nameInside
	}
	all := make([]*answer, len(b.messages))
	var p *problem
	for i, m := range b.messages {
		name, named := envelope.Name(m.ServiceName)
		if len(m.ServiceName) > 0 && (!named || name != peer.Name) {
			all[i] = &answer{http.StatusForbidden, short(http.StatusForbidden, "the token is of another service")}
			continue
		}
		e := envelope.Envelope{ServiceName: envelope.QuoteString(peer.Name), Topic: m.Topic, Payload: m.Payload}
		if err := c.post(ctx, e.Append(make([]byte, 0, e.Size()))); err != nil {
			p = c.interrupted(err)
			break
		}
		h.counts.publishes.Add(1)
		all[i] = &answer{http.StatusOK, short(http.StatusOK, "OK")}
	}
	if err := c.passed(ctx); err != nil || c.gone() {
		return nil, c.interrupted(err)
	}
	return b.rest(all, p)
}

var nameInside = &problem{status: http.StatusConflict, text: "a service in the router has this name"}

// request asks services, and returns their answers.
func (h *Handler) request(ctx context.Context, c *caller, b *body) (*answer, *problem) {
	n := len(b.messages)
	first := c.call(n)
	defer c.settle(n)
	timeout := time.NewTimer(h.deps.Settings.Load().RequestTimeout + grace)
	defer timeout.Stop()
	all := make([]*answer, n)
	left := n // messages without an answer
	for i, m := range b.messages {
		e := envelope.Envelope{ServiceName: m.ServiceName, Topic: m.Topic, Payload: m.Payload,
			RequestID: envelope.QuoteString(strconv.FormatUint(first+uint64(i), 10))}
		if err := c.post(ctx, e.Append(make([]byte, 0, e.Size()))); err != nil {
			if i == 0 {
				return nil, c.interrupted(err)
			}
			b.fail(all, i, c.interrupted(err))
			left = i
			break
		}
		h.counts.requests.Add(1)
	}
	for p := (*problem)(nil); ; {
		for _, text := range c.take() {
			if i, a := h.match(text, b, first); a != nil && all[i] == nil {
				all[i] = a
				left--
			}
		}
		if left == 0 || p != nil {
			return b.rest(all, p)
		}
		select {
		case <-c.came:
		case <-timeout.C:
			for i, m := range b.messages {
				if all[i] == nil {
					all[i] = encode(envelope.DeadlineExceeded.Answer(&m.Envelope))
				}
			}
			return b.join(all), nil
		case <-c.ended:
			p = c.refusal() // after what has come
		case <-ctx.Done():
			return nil, c.interrupted(ctx.Err())
		}
	}
}

// match returns which message of a body a text is the answer to, and the answer under the message's own id. The answer is
// nil if the text answers none.
func (h *Handler) match(text []byte, b *body, first uint64) (int, *answer) {
	e, err := envelope.Decode(text, envelope.MaxDepth)
	if err != nil {
		return 0, nil
	}
	id, _ := envelope.Text(e.RequestID)
	number, err := strconv.ParseUint(id, 10, 64)
	if err != nil || number < first || number-first >= uint64(len(b.messages)) {
		return 0, nil
	}
	at := int(number - first)
	e.RequestID = b.messages[at].RequestID
	return at, encode(&e.Envelope)
}

func encode(e *envelope.Envelope) *answer {
	return &answer{statusOf(e), e.Append(make([]byte, 0, e.Size()))}
}

// pass takes messages in the name of a stream, as a socket does. What comes of them comes through the stream.
func (h *Handler) pass(ctx context.Context, s *stream, door string, b *body) (*answer, *problem) {
	count := &h.counts.requests
	if door == publishPath {
		count = &h.counts.publishes
	}
	all := make([]*answer, len(b.messages))
	for i, raw := range b.list {
		if err := s.post(ctx, raw); err != nil || s.gone() {
			return b.rest(all, s.interrupted(err))
		}
		count.Add(1)
		all[i] = &answer{http.StatusAccepted, short(http.StatusAccepted, "what comes of it comes through the stream")}
	}
	return b.join(all), nil
}
