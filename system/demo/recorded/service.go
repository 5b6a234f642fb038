package recorded

import (
	"context"
	"slices"
	"time"

	"strowger/actors/envelope"
	"strowger/config/policy"
	"strowger/system/service"
)

// Name is what clients call the service.
const Name = "demo.switch"

// The topics of the service: state is broadcast and answered, misbehave asks for a fault.
const (
	stateTopic     = "state"
	misbehaveTopic = "misbehave"
)

// order is the payload of misbehave.
type order struct {
	Fault Fault `json:"fault"`
}

// Service returns the service that says what the switch does. Everybody may know; who has the permission may have it
// misbehave.
func Service(p *Player, permission string) *service.Service {
	return &service.Service{
		Name: Name,
		Policy: &policy.Policy{
			Scopes:   []policy.Scope{{To: policy.All}},
			Requests: map[string][]string{misbehaveTopic: {permission}},
		},
		RequestTimeout: 5 * time.Second,
		Setup: func(s service.Setup) error {
			s.Source("switch", p.watch, func(c service.Context, state any) { c.Broadcast(stateTopic, state) })
			s.Handle(stateTopic, func(r service.Request) error {
				state, _ := p.now()
				r.Reply(state)
				return nil
			})
			service.Handle(s, misbehaveTopic, func(r service.Request, in order) error {
				if !slices.Contains([]Fault{Drop, Flood}, in.Fault) {
					return service.Errorf(envelope.BadRequest.Code, "fault is neither drop nor flood")
				}
				if !p.order(in.Fault) {
					return service.Errorf(envelope.Unavailable.Code, "the switch misbehaves already")
				}
				r.Reply(in)
				return nil
			})
			return nil
		},
	}
}

// watch tells of each state.
func (p *Player) watch(ctx context.Context, emit service.Emit) error {
	for {
		state, changed := p.now()
		if err := emit(state); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
