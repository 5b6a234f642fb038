package calls

import (
	"slices"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// tenant returns the domain whose pages show a channel in the context. Calls of all tenants begin in public, and those that the
// switch makes itself are in default.
func tenant(context, _ string) string {
	if context == "public" || context == "default" {
		return ""
	}
	return context
}

// own calls then if the channel is of the asker's domain, or talks with one that is, or if the asker sees all
// domains. If the switch has no such channel it calls missing, and the switch gets no command: one that begins at that
// moment may be of another domain. What missing answers counts only if no other node has the channel either. Otherwise
// own answers with an error.
func (l *life) own(r service.Request, uuid eventsocket.UUID, then, missing func()) {
	asker := r.Subscriber()
	all := asker.Has(seesAll)
	if leg, ok := l.calls.Leg(uuid); all && (ok || r.Alone()) || ok && leg.Of(asker.DomainName) {
		then()
		return
	}
	l.calls.Legs(uuid, func(legs []channels.Leg, err error) {
		ours := func(leg channels.Leg) bool { return leg.Of(asker.DomainName) }
		switch {
		case err != nil:
			r.Pass()
			r.FailWith(refusal(err))
		case len(legs) == 0:
			r.Pass()
			missing()
		case !all && !slices.ContainsFunc(legs, ours):
			l.ctx.Log().Warn("action on a call of another domain refused", "domain", asker.DomainName, "subscriber", asker.ID)
			r.FailWith(service.Errorf(envelope.Forbidden.Code, "the call is not of your domain"))
		default:
			then()
		}
	})
}
