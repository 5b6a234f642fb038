package calls

import (
	"slices"
	"strings"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// own calls then if the channel is of the asker's domain, or talks with one that is, or if the asker sees all
// domains. Otherwise it returns an error or, if the switch must be asked first, answers with one. A channel that does not
// exist is nobody's; the switch says so.
func (l *life) own(r service.Request, uuid eventsocket.UUID, then func()) error {
	asker := r.Subscriber()
	id := strings.ToLower(uuid.String())
	if asker.Has(seesAll) {
		then()
		return nil
	}
	if l.watch.current {
		return l.judge(l.calls.legs(id), asker, then)
	}
	// Events may have been missed, so the switch is asked whose it is.
	l.list(func(now list, err error) {
		if err != nil {
			r.FailWith(refusal(err))
			return
		}
		legs := now.legs(id)
		if legs == nil {
			legs = l.calls.legs(id)
		}
		if err := l.judge(legs, asker, then); err != nil {
			r.FailWith(err)
		}
	})
	return nil
}

func (l *life) judge(legs []leg, asker *service.Subscriber, then func()) error {
	ours := func(leg leg) bool { return leg.of(asker.DomainName) }
	if len(legs) > 0 && !slices.ContainsFunc(legs, ours) {
		l.ctx.Log().Warn("action on a call of another domain refused", "domain", asker.DomainName, "subscriber", asker.ID)
		return service.Errorf(envelope.Forbidden.Code, "the call is not of your domain")
	}
	then()
	return nil
}

// leg is a channel, or one that it talks with: whose it is.
type leg struct{ context, presence string }

func (l leg) of(domain string) bool {
	_, presence, ok := strings.Cut(l.presence, "@")
	return domain != "" && (l.context == domain || ok && presence == domain)
}

// legs returns the channel and those that it talks with, nothing if there is no such channel.
func (m *model) legs(uuid string) []leg {
	m.mu.Lock()
	defer m.mu.Unlock()
	ch := m.channels[uuid]
	if ch == nil {
		return nil
	}
	legs := []leg{ch.leg()}
	for _, other := range m.channels {
		if other != ch && (other.uuid == ch.get(keyOther) || other.get(keyOther) == uuid) {
			legs = append(legs, other.leg())
		}
	}
	return legs
}

func (ch *channel) leg() leg { return leg{ch.get(keyContext), ch.get(keyPresence)} }

// legs is the same by the switch's list, in which the legs of a call have the same call_uuid.
func (l *list) legs(uuid string) []leg {
	var of *row
	for i := range l.rows {
		if l.rows[i].UUID == uuid {
			of = &l.rows[i]
		}
	}
	if of == nil {
		return nil
	}
	legs := []leg{of.leg()}
	for i := range l.rows {
		other := &l.rows[i]
		if other != of && (other.UUID == of.CallUUID || other.CallUUID != "" && (other.CallUUID == of.CallUUID || other.CallUUID == uuid)) {
			legs = append(legs, other.leg())
		}
	}
	return legs
}

func (r *row) leg() leg { return leg{r.Context, r.Presence} }
