package console

import (
	"context"
	"errors"
	"time"

	"strowger/config/policy"
	"strowger/system/service"
)

// pulseEvery is the time between two pulses.
const pulseEvery = time.Second

// lookTime is how long the router may take to answer a question about itself.
const lookTime = 5 * time.Second

// service returns the service of the console's world. What it knows is the console's, so that a crash loses nothing.
func (c *Console) service() *service.Service {
	return &service.Service{
		Name:   Name,
		Policy: &policy.Policy{Scopes: []policy.Scope{{To: policy.All, Permission: mayLook}}},
		Setup: func(s service.Setup) error {
			p := &pulse{console: c}
			s.Handle("hello", func(r service.Request) error {
				p.begin(s)
				c.hello(r)
				return nil
			})
			s.Handle("status", func(r service.Request) error { c.status(r); return nil })
			c.handleViews(s)
			c.handleActions(s)
			return nil
		},
	}
}

// pulse tells all who are connected what has changed, once a second while there is somebody.
type pulse struct {
	console *Console
	timer   service.Timer // nil: nobody is there
	last    Reading
}

type beat struct {
	At       int64     `json:"at_ms"`
	Revision revisions `json:"revision"`
	Sample   Sample    `json:"sample"`
}

type revisions struct {
	Tree        uint64 `json:"tree"`
	DeadLetters uint64 `json:"dead_letters"`
	Log         uint64 `json:"log"`
	Audit       uint64 `json:"audit"`
}

func (c *Console) revisions() (r revisions) {
	r.Tree, r.DeadLetters, r.Log = c.source.Revisions()
	r.Audit = c.audit.revision()
	return r
}

func (p *pulse) begin(s service.Context) {
	if p.timer != nil {
		return
	}
	p.last = p.console.source.Reading()
	p.timer = s.Every(pulseEvery, p.beat)
}

func (p *pulse) beat(c service.Context) {
	if !p.console.watched() {
		p.timer.Stop()
		p.timer = nil
		return
	}
	now := p.console.source.Reading()
	c.Broadcast("pulse", beat{At: now.At.UnixMilli(), Revision: p.console.revisions(), Sample: between(&p.last, &now)})
	p.last = now
}

type you struct {
	Name    string `json:"name"`
	From    string `json:"from"`
	Actions bool   `json:"actions"`
}

func (c *Console) hello(r service.Request) {
	who := r.Subscriber()
	r.Reply(struct {
		Hello
		You  you            `json:"you"`
		Page map[string]int `json:"page"`
	}{c.source.Hello(), you{who.User.Name, who.DomainName, who.Has(mayAct)}, map[string]int{"default": defaultPage, "most": mostPage}})
}

func (c *Console) status(r service.Request) {
	before := c.source.Reading()
	r.After(time.Second/2, func(service.Context) {
		now := c.source.Reading()
		r.Reply(struct {
			Hello
			Sample Sample `json:"sample"`
		}{c.source.Hello(), between(&before, &now)})
	})
}

// aside answers a request with what f returns, which may wait.
func aside(r service.Request, f func(ctx context.Context) (any, error)) error {
	r.Go(func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
		answer, err := f(ctx)
		if err != nil {
			r.FailWith(failure(err))
			return nil
		}
		r.Reply(answer)
		return nil
	})
	return nil
}

// failure gives the errors of a Source a status.
func failure(err error) error {
	var known *service.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, ErrGone), errors.Is(err, ErrUnknown):
		return service.Errorf(404, "%s", err)
	case errors.Is(err, ErrNotNow):
		return service.Errorf(409, "%s", err)
	case errors.Is(err, context.DeadlineExceeded):
		return service.Errorf(504, "the router did not answer within %s", lookTime)
	}
	return err
}
