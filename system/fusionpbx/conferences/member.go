package conferences

import (
	"slices"
	"strconv"
	"strings"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// inConference calls then with whether a channel is that of a member of the conference. The switch is asked unless pages were
// told of the member, no event was missed, and none waits to be told: it may say that the member has left.
func (l *life) inConference(t *target, then func(bool, error)) {
	uuid := t.uuid.String()
	if l.watch.current && len(l.out.waiting) == 0 && l.known.Has(t.name, uuid) {
		then(true, nil)
		return
	}
	command, err := listOf(t.name)
	if err != nil {
		then(false, err)
		return
	}
	l.ask(command, func(list []conference.Conference, err error) {
		if isMissing(err) {
			err = nil
		}
		then(err == nil && slices.ContainsFunc(list, func(c conference.Conference) bool {
			return c.Name == t.name.String() && slices.ContainsFunc(c.Members, func(m conference.Member) bool { return strings.EqualFold(m.UUID, uuid) })
		}), err)
	})
}

// isActive calls then with whether the switch has the conference. It asks the switch where inConference does.
func (l *life) isActive(name conference.Name, then func(bool, error)) {
	if l.watch.current && len(l.out.waiting) == 0 && l.known.HasRoom(name) {
		then(true, nil)
		return
	}
	command, err := listOf(name)
	if err != nil {
		then(false, err)
		return
	}
	l.ask(command, func(list []conference.Conference, err error) {
		if isMissing(err) {
			err = nil
		}
		then(err == nil && len(list) > 0, err)
	})
}

// kick ends the call of a member.
func (l *life) kick(r service.Request, t *target) {
	if !t.hasUUID {
		_ = deny(r, envelope.BadRequest.Code, "UUID required")
		return
	}
	l.inConference(t, func(is bool, err error) {
		switch {
		case err != nil:
			r.Pass()
			l.failed(r, err)
		case !is:
			r.Pass()
			_ = deny(r, envelope.BadRequest.Code, "The member is not in the conference")
		default:
			l.command(r, eventsocket.API("uuid_kill", t.uuid), func(eventsocket.Reply) { done(r) })
		}
	})
}

// lowest is below every volume.
const lowest = -1 << 16

// level returns an action that raises a number of a member by step, or lowers it, but not below least.
func level(word eventsocket.Arg, step, least int64) func(*life, service.Request, *target) {
	return func(l *life, r service.Request, t *target) {
		if !t.hasMember || t.direction == "" {
			_ = deny(r, envelope.BadRequest.Code, "Member ID and direction required")
			return
		}
		l.here(r, t, func() {
			l.command(r, eventsocket.API("conference", t.room, word, t.member), func(reply eventsocket.Reply) {
				now, ok := readLevel(reply.Body)
				if !ok {
					done(r)
					return
				}
				if t.direction == "up" {
					now += step
				} else {
					now -= step
				}
				set := eventsocket.Int(max(now, least))
				l.command(r, eventsocket.API("conference", t.room, word, t.member, set), func(eventsocket.Reply) { done(r) })
			})
		})
	}
}

// readLevel reads the number in an answer such as "+OK Volume IN 5 = -2". It is false if the switch has refused.
func readLevel(body string) (int64, bool) {
	_, text, ok := strings.Cut(body, "=")
	if !ok || strings.HasPrefix(body, "-") {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	return n, err == nil
}
