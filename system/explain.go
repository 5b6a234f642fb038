package system

import (
	"errors"
	"fmt"
	"time"

	"strowger/actors"
	"strowger/actors/filter"
	"strowger/config"
	"strowger/config/policy"
	"strowger/system/token"
)

// explainTimeout is how long a topic has to explain; it is busy with broadcasts besides.
const explainTimeout = 5 * time.Second

// The errors of Explain.
var (
	ErrUnknownService = errors.New("nobody offers or watches this service")
	ErrNoMember       = errors.New("this subscriber does not watch this service")
	ErrNoInstance     = errors.New("nobody offers this service at the moment")
)

// ExplainToken tells what the holder of a token would get of an event of a service, by the policies
// of cfg. Class is that of the service's token; empty for one that is known by its name. The event
// may be nil, and a nil cfg means the defaults. The token is not used up.
func ExplainToken(cfg *config.Config, t *token.Token, service, class string, event *Event) (*Explanation, error) {
	if t == nil {
		return nil, errors.New("explain: the token is nil")
	}
	if cfg == nil {
		cfg = config.Default()
	}
	if err := event.check(); err != nil {
		return nil, err
	}
	if class == "" {
		class = policy.BuiltinClass(service)
	}
	var g governors
	policies, err := g.policies(cfg)
	if err != nil {
		return nil, err
	}
	ruling := policies.Of(&actors.Peer{Identity: actors.Identity{Name: service, Class: class}})
	e := &Explanation{Service: service, Class: class, Policy: ruling.Policy, Source: string(ruling.Source)}
	for _, name := range t.Services {
		e.Watches = e.Watches || name == service
	}
	topic, payload := event.parts()
	subject := filter.Subject{Permissions: t.Permissions, Domain: t.DomainName, Extensions: t.Extensions}
	e.take(ruling.Filter.Explain(subject, topic, payload), event)
	return e, nil
}

// Explain tells what a subscriber gets of an event that a service might say now, once for each
// instance of the service. The event may be nil. The error is ErrUnknownService, ErrNoMember,
// ErrNoInstance or says that the topic did not answer.
func (s *System) Explain(subscriber, service string, event *Event) ([]*Explanation, error) {
	if !s.made() {
		return nil, ErrUnknownService
	}
	if err := event.check(); err != nil {
		return nil, err
	}
	route := s.deps.Registry.Lookup(service)
	if route == nil {
		return nil, ErrUnknownService
	}
	topic, payload := event.parts()
	question := &actors.Explain{Subscriber: subscriber, Topic: topic, Payload: payload}
	result, err := s.deps.System.Root.RequestFuture(route.Topic.PID(), question, explainTimeout).Result()
	if err != nil {
		return nil, fmt.Errorf("ask the topic: %w", err)
	}
	answer, ok := result.(*actors.Explained)
	switch {
	case !ok:
		return nil, fmt.Errorf("ask the topic: it answered with a %T", result)
	case !answer.Member:
		return nil, ErrNoMember
	case len(answer.Accounts) == 0:
		return nil, ErrNoInstance
	}
	var all []*Explanation
	for _, account := range answer.Accounts {
		e := &Explanation{Service: service, Class: account.Class, Policy: account.Policy, Source: string(account.Source), Watches: true}
		e.take(account.Explanation, event)
		all = append(all, e)
	}
	return all, nil
}
