package system

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"strowger/actors"
	"strowger/actors/envelope"
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

// Event is a message that a service might say.
type Event struct {
	Topic   string
	Payload json.RawMessage // nil for null
}

// Explanation tells what a subscriber gets of what a service says, and which rule says so. It is
// what strowger explain prints.
type Explanation struct {
	Service string `json:"service"`
	Class   string `json:"class,omitempty"`
	// Policy is the name of the policy that counts; empty for the default.
	Policy string `json:"policy,omitempty"`
	// Source is builtin, configuration, default or service: where the policy stands.
	Source string `json:"source"`
	// Watches tells whether the subscriber gets the service's broadcasts at all.
	Watches bool `json:"watches"`
	// Scope is the scope that counts for the subscriber; empty if none does.
	Scope string `json:"scope,omitempty"`
	// Verdict is deliver or drop; empty without an event.
	Verdict string `json:"verdict,omitempty"`
	// Rule is what dropped the event or, without one, what keeps the subscriber out.
	Rule string `json:"rule,omitempty"`
	// Refused is the rule by which a request with the topic and payload of the event is answered 403
	// before the service sees it; empty if it may pass and, without an event, if Rule says it already. A 403 for a request that may pass stands in
	// place of a reply that Rule dropped.
	Refused string          `json:"refused,omitempty"`
	Topic   string          `json:"topic,omitempty"`
	Fields  []Field         `json:"fields,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"` // as the subscriber gets it
}

// Field tells what became of one key of the payload, or of one element of a list.
type Field struct {
	Key  string `json:"key"`
	Kept bool   `json:"kept"`
	Rule string `json:"rule,omitempty"` // empty where no rule speaks of it
}

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
	f, _ := policies.Of(&actors.Peer{Name: service, Class: class})
	e := &Explanation{Service: service, Class: class}
	e.Policy, e.Source = policyOf(cfg, service, class)
	for _, name := range t.Services {
		e.Watches = e.Watches || name == service
	}
	topic, payload := event.parts()
	subject := filter.Subject{Permissions: t.Permissions, Domain: t.DomainName, Extensions: t.Extensions}
	e.take(f.Explain(subject, topic, payload), f.Refusal(subject, envelope.QuoteString(topic), payload), event)
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
		e := &Explanation{Service: service, Class: account.Class, Watches: true}
		e.Policy, e.Source = policyOf(s.running.Load(), service, account.Class)
		if account.Own {
			e.Policy, e.Source = "", "service"
		}
		e.take(account.Explanation, account.Refused, event)
		all = append(all, e)
	}
	return all, nil
}

// check returns an error if the payload is not JSON. An absent event and an absent payload are fine.
func (e *Event) check() error {
	if e != nil && len(e.Payload) > 0 && !json.Valid(e.Payload) {
		return errors.New("explain: the event's payload is not JSON")
	}
	return nil
}

func (e *Event) parts() (topic string, payload []byte) {
	if e == nil {
		return "", nil
	}
	return e.Topic, e.Payload
}

// policyOf returns the name of the policy that counts and where it stands.
func policyOf(cfg *config.Config, service, class string) (name, source string) {
	builtin, err := policy.Builtin()
	if err != nil {
		return "", "default" // they are part of the program and tested
	}
	for _, name := range []string{service, class} {
		if _, found := cfg.Policies[name]; found {
			return name, "configuration"
		}
		if _, found := builtin[name]; found {
			return name, "builtin"
		}
	}
	return "", "default"
}

// take fills in what the filter said, of the event as a message and as a request.
func (e *Explanation) take(said filter.Explanation, refused string, event *Event) {
	e.Scope, e.Rule = said.Scope, said.Rule
	if event != nil || refused != said.Rule {
		e.Refused = refused
	}
	if event == nil {
		if !said.Out {
			e.Rule = "" // it speaks of the empty message that nobody asked about
		}
		return
	}
	e.Topic, e.Verdict, e.Payload = event.Topic, said.Verdict.String(), said.Payload
	for _, f := range said.Fields {
		e.Fields = append(e.Fields, Field(f))
	}
}
