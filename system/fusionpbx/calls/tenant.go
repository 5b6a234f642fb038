package calls

import (
	"slices"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// own calls then if the channel is of the asker's domain, or talks with one that is, or if the asker sees all
// domains. Otherwise it answers with an error. If there is no such channel it calls then too, because the switch's answer to
// the command says so.
func (l *life) own(r service.Request, uuid eventsocket.UUID, then func()) {
	asker := r.Subscriber()
	if leg, ok := l.calls.Leg(uuid); asker.Has(seesAll) || ok && leg.Of(asker.DomainName) {
		then()
		return
	}
	l.calls.Legs(uuid, func(legs []channels.Leg, err error) {
		ours := func(leg channels.Leg) bool { return leg.Of(asker.DomainName) }
		switch {
		case err != nil:
			r.FailWith(refusal(err))
		case len(legs) > 0 && !slices.ContainsFunc(legs, ours):
			l.ctx.Log().Warn("action on a call of another domain refused", "domain", asker.DomainName, "subscriber", asker.ID)
			r.FailWith(service.Errorf(envelope.Forbidden.Code, "the call is not of your domain"))
		default:
			then()
		}
	})
}
