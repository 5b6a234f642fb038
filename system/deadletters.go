package system

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/runtime"
	"strowger/system/internal/console"
	"strowger/system/internal/introspect"
	"strowger/system/service"
)

// origin is what it takes to ask once more what became a dead letter.
type origin struct {
	who   actors.Identity
	topic envelope.Raw
}

// mostLettersASecond bounds how many dead letters are kept of one second, without those of crashes: a peer that sends
// many must not drive out all others. Those beyond are only counted.
const mostLettersASecond = 50

// postman keeps dead letters.
type postman struct {
	mu     sync.Mutex // Protects following.
	second int64
	count  int
}

// takes reports whether one more dead letter of this second is kept.
func (p *postman) takes(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if second := now.Unix(); second != p.second {
		p.second, p.count = second, 0
	}
	p.count++
	return p.count <= mostLettersASecond
}

// died keeps a message that nobody took.
func (s *System) died(l *actors.DeadLetter) {
	now := s.deps.Clock.Now()
	if s.cfg.Admin.DeadLetters > 0 && s.postman.takes(now) {
		letter := introspect.DeadLetter{At: now, Reason: l.Reason.String()}
		s.address(&letter, l)
		s.insight.letters.Add(letter)
	}
}

// address notes what the envelope of a dead letter says, and whose it is.
func (s *System) address(letter *introspect.DeadLetter, l *actors.DeadLetter) {
	letter.Kind = l.Kind.String()
	e := l.Envelope
	letter.Service, _ = envelope.Text(e.ServiceName)
	letter.Topic, _ = envelope.Text(e.Topic)
	letter.RequestID = string(e.RequestID)
	letter.Payload = e.Payload
	s.sent(letter, l.From, e.Topic)
}

// longestTopic bounds the topic of a dead letter that can be replayed, in bytes.
const longestTopic = 512

// sent notes who has sent a dead letter. From may be nil.
func (s *System) sent(letter *introspect.DeadLetter, from *actors.Peer, topic envelope.Raw) {
	if from == nil {
		return
	}
	letter.From = &introspect.Asker{ID: from.ID, User: from.UserName, Domain: from.Domain(), Name: from.Name}
	if from.Remote != nil {
		letter.From.Remote = from.Remote.String()
	}
	if letter.Kind == actors.RequestLetter.String() && s.cfg.Admin.Payloads && len(topic) <= longestTopic {
		letter.Origin = &origin{who: from.Identity, topic: append(envelope.Raw(nil), topic...)}
	}
}

// crashed keeps the message at which an actor panicked.
func (s *System) crashed(c *runtime.Crash) {
	letter := introspect.DeadLetter{At: s.deps.Clock.Now(), Reason: actors.ActorCrashed.String(), Actor: c.Actor,
		Type: fmt.Sprintf("%T", c.Message), Stack: string(c.Stack)}
	if l := actors.LetterOf(c); l != nil {
		s.address(&letter, l)
	}
	s.insight.letters.Add(letter)
}

// lost keeps what a service was doing when it crashed.
func (s *System) lost(d *service.DeadLetter) {
	letter := introspect.DeadLetter{At: d.At, Reason: actors.ActorCrashed.String(), Actor: place(servicesPlace, d.Service),
		Type: d.Task, Service: d.Service, Topic: d.Topic, Payload: d.Payload, Stack: string(d.Stack)}
	if d.Subscriber != "" {
		letter.Kind = actors.RequestLetter.String()
		s.sent(&letter, s.deps.Asker(d.Subscriber, d.Service), envelope.QuoteString(d.Topic))
	}
	s.insight.letters.Add(letter)
}

// Replay is for console.Source. A dead letter is replayed once, whatever becomes of it.
func (s shown) Replay(ctx context.Context, number uint64) (*console.Replayed, error) {
	why := ""
	var letter introspect.DeadLetter
	if !s.insight.letters.Change(number, func(d *introspect.DeadLetter) {
		if why = console.Obstacle(d); why == "" && s.deps.Registry.Lookup(d.Service) == nil {
			why = "nobody offers or watches " + d.Service
		}
		if why == "" {
			d.Replayed = s.deps.Clock.Now().UTC()
			letter = *d
		}
	}) {
		return nil, console.ErrGone
	}
	route := s.deps.Registry.Lookup(letter.Service)
	if why == "" && route == nil {
		why = "nobody offers or watches " + letter.Service
	}
	if why != "" {
		return nil, fmt.Errorf("%w: %s", console.ErrNotNow, why)
	}
	from, _ := letter.Origin.(*origin)
	answer := &catcher{came: make(chan *console.Replayed, 1), payloads: s.cfg.Admin.Payloads}
	replay := &actors.Replay{Route: route, Asker: &from.who, Remote: remoteText(letter.From.Remote), Answer: answer, Envelope: &envelope.Envelope{
		ServiceName: envelope.QuoteString(letter.Service), Topic: from.topic, Payload: letter.Payload,
		RequestID: envelope.QuoteString("replay-" + strconv.FormatUint(number, 10)),
	}}
	defer replay.Ask()()
	select {
	case r := <-answer.came:
		return r, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the service has not answered: %w", context.Cause(ctx))
	}
}

// remoteText is an address.
type remoteText string

func (r remoteText) String() string { return string(r) }

// catcher is an outlet that keeps the first message.
type catcher struct {
	came     chan *console.Replayed
	payloads bool
	window   runtime.Window
}

// Greet implements actors.Outlet.
func (c *catcher) Greet(m actors.Message) { c.Send(m) }

// Admit implements actors.Outlet.
func (c *catcher) Admit(_ actors.Role, m actors.Message) { c.Send(m) }

// Send implements actors.Outlet.
func (c *catcher) Send(m actors.Message) {
	decoded, err := envelope.Decode(m.Text(), envelope.MaxDepth)
	if err != nil {
		return
	}
	r := &console.Replayed{PayloadBytes: len(decoded.Payload)}
	r.Status, _ = strconv.Atoi(string(decoded.StatusCode)) // a reply may have none
	r.Topic, _ = envelope.Text(decoded.Topic)
	if c.payloads {
		payload := string(decoded.Payload)
		r.Payload = &payload
	}
	select {
	case c.came <- r:
	default: // a later one
	}
}

// Close implements actors.Outlet.
func (*catcher) Close(actors.End) {}

// Window implements actors.Outlet.
func (c *catcher) Window() *runtime.Window { return &c.window }
