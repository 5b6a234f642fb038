package demo

import (
	"context"
	"regexp"
	"slices"
	"time"

	"strowger/actors/envelope"
	"strowger/config/policy"
	"strowger/system/service"
)

// CallsName is what clients call the service of simulated calls.
const CallsName = "demo.calls"

var uuidPattern = regexp.MustCompile(`^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// Calls returns a service that tells of the calls of a simulated switch, with the topics, payloads
// and permissions of FusionPBX's active.calls. It answers in.progress with one CHANNEL_CALLSTATE
// for each call and in.progress in the end, and hangup of {"unique_id"} with "+OK". Like a real
// one the switch goes on while the service is down, and all homes of the service share it.
func Calls(o Options) *service.Service {
	o = o.withDefaults()
	v := o.Chaos.victim(CallsName)
	x := newExchange(o.Random, o.Clock.Now())
	return &service.Service{
		Name:           CallsName,
		Policy:         callsPolicy(),
		RequestTimeout: 5 * time.Second,
		Supervision:    supervision(),
		Setup: func(s service.Setup) error {
			v.join(s)
			watch := func(ctx context.Context, emit service.Emit) error { return x.run(ctx, o.Clock, emit) }
			s.Source("exchange", watch, func(c service.Context, told any) {
				e := told.(event)
				c.Broadcast(e.name, e.payload)
			})
			s.Handle("in.progress", v.guard(func(r service.Request) error { return inProgress(r, x) }))
			s.Handle("hangup", v.guard(func(r service.Request) error { return hangup(r, x) }))
			return nil
		},
	}
}

// inProgress asks the switch in the pool, where a real one may take its time.
func inProgress(r service.Request, x *exchange) error {
	r.Go(func(context.Context) func() {
		channels := x.channels()
		return func() {
			for _, ch := range channels {
				r.Stream(ch.EventName, ch)
			}
			r.Reply(nil)
		}
	})
	return nil
}

// hangup ends a call that the subscriber may see. To others it does not exist.
func hangup(r service.Request, x *exchange) error {
	var in struct {
		UniqueID string `json:"unique_id"`
	}
	if err := r.Decode(&in); err != nil || !uuidPattern.MatchString(in.UniqueID) {
		return service.Errorf(envelope.BadRequest.Code, "unique_id is no UUID")
	}
	if !x.hangup(in.UniqueID, func(ch *channel) bool { return sees(r.Subscriber(), ch) }) {
		return service.Errorf(envelope.NotFound.Code, "no such channel")
	}
	r.Reply("+OK")
	return nil
}

// sees repeats the scopes of the policy, which says who is told of a call, not who may end it.
func sees(s *service.Subscriber, ch *channel) bool {
	switch {
	case s.Has("call_active_all"):
		return true
	case s.Has("call_active_domain"):
		return ch.CallerContext == s.DomainName
	default:
		return slices.Contains(s.User.Extensions, ch.ChannelPresenceID)
	}
}

// callsPolicy is the built-in one for FusionPBX's active.calls, and what the service says of
// itself besides calls.
func callsPolicy() *policy.Policy {
	builtin, err := policy.Builtin()
	if err != nil {
		return new(policy.Policy) // has no rules, so the start is refused
	}
	p, ok := builtin[policy.ActiveCallsClass]
	if !ok {
		return new(policy.Policy)
	}
	p.Absent.Topics = append(p.Absent.Topics, service.StateTopic, chaosTopic)
	p.Keys = append(p.Keys, "service", "state", "since", "retry_after", "reason", "fault")
	p.Requests[chaosTopic] = []string{ChaosPermission}
	return &p
}
