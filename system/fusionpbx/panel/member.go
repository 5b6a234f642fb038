package panel

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// memberAction changes what a member of a conference may do: mute, unmute, deaf or undeaf.
func memberAction(verbName string) func(*life, service.Request, fields) {
	verb := memberVerb(verbName)
	return func(l *life, r service.Request, in fields) {
		name, room, id, ok := l.member(r, in, "Member ID required")
		if !ok {
			return
		}
		const updated = "Conference member updated"
		command := eventsocket.API("conference", room, verb, id)
		plainly := func() { l.command(r, command, updated) }
		uuid := in.text("uuid")
		l.here(r, name, uuid, func() {
			if uuid == "" || !strings.HasSuffix(verbName, "mute") {
				plainly()
				return
			}
			// Who may speak, or may not, needs to raise no hand any more. A channel that has gone has no hand.
			l.channelOr(r, in, func(uuid eventsocket.UUID, _ []channels.Leg) { l.speak(r, command, updated, uuid) }, plainly)
		})
	}
}

// speak runs a command that mutes a member or ends that, and lowers the member's hand.
func (l *life) speak(r service.Request, command eventsocket.Command, message string, uuid eventsocket.UUID) {
	r.Go(func(ctx context.Context) func() {
		v, err := l.try(ctx, command, message)
		return func() {
			if err != nil {
				broken(r, err)
				return
			}
			answerWith(r, v)
			if v.Success {
				l.lowerHand(uuid)
			}
		}
	})
}

// here calls then if the switch of this node has the conference and, where the page says which channel the member's is,
// the member, or if there is no other node. Otherwise another node may have it.
func (l *life) here(r service.Request, name conference.Name, uuid string, then func()) {
	if r.Alone() {
		then()
		return
	}
	l.members.get(name.String(), func(list []conference.Conference, err error) {
		is := func(m conference.Member) bool { return uuid == "" || strings.EqualFold(m.UUID, uuid) }
		switch {
		case err != nil && !errors.Is(err, conference.ErrList):
			r.Pass()
			broken(r, err)
		case !slices.ContainsFunc(list, func(c conference.Conference) bool { return slices.ContainsFunc(c.Members, is) }):
			r.Pass()
			refuse(r, "-ERR Conference "+name.String()+" not found")
		default:
			then()
		}
	})
}

// lowerHand lowers the hand of a member. The operator has the answer already, because whatever becomes of the hand, the
// member is muted, or is not any more.
func (l *life) lowerHand(uuid eventsocket.UUID) {
	done := func(err error) {
		if err != nil {
			l.ctx.Log().Warn("the hand of a member was not lowered", "err", err)
		}
	}
	if !l.ctx.Go(func(ctx context.Context) func() {
		_, err := l.do(ctx, eventsocket.API("uuid_setvar", uuid, eventsocket.Text("hand_raised"), eventsocket.Text("false")))
		return func() { done(err) }
	}) {
		done(channels.ErrTooBusy)
	}
}

func memberVerb(name string) eventsocket.Arg {
	switch name {
	case "mute":
		return eventsocket.Text("mute")
	case "unmute":
		return eventsocket.Text("unmute")
	case "deaf":
		return eventsocket.Text("deaf")
	case "undeaf":
		return eventsocket.Text("undeaf")
	case "energy":
		return eventsocket.Text("energy")
	case "volume_in":
		return eventsocket.Text("volume_in")
	case "volume_out":
		return eventsocket.Text("volume_out")
	}
	return eventsocket.Arg{}
}

// member reads the conference and the member of an action.
func (l *life) member(r service.Request, in fields, missing string) (name conference.Name, room, id eventsocket.Arg, ok bool) {
	domain := r.Subscriber().DomainName
	name, ok = conference.FromRequest(in.text("conference_name"))
	room, err := name.Quoted()
	if !ok || err != nil {
		refuse(r, "Invalid conference name")
		return name, room, id, false
	}
	if name.Domain != domain || domain == "" {
		l.ctx.Log().Warn("action on a conference of another domain refused", "domain", domain, "subscriber", r.Subscriber().ID)
		refuse(r, "The conference is not of your domain")
		return name, room, id, false
	}
	text := in.text("member_id")
	number, err := strconv.ParseUint(text, 10, 32)
	switch {
	case text == "":
		refuse(r, missing)
		return name, room, id, false
	case err != nil:
		refuse(r, "Invalid member ID")
		return name, room, id, false
	}
	return name, room, eventsocket.Int(int64(number)), true
}

// level says how one step of a level goes, and between which values.
type level struct {
	step, least, most int64
	message           string
}

// levelAction changes a level of a member by one step: energy, volume_in or volume_out.
func levelAction(verbName string) func(*life, service.Request, fields) {
	verb := memberVerb(verbName)
	by := level{1, -4, 4, "Volume updated"}
	if verbName == "energy" {
		by = level{100, 0, 1800, "Energy updated"}
	}
	return func(l *life, r service.Request, in fields) {
		const missing = "Member ID and direction required"
		name, room, id, ok := l.member(r, in, missing)
		if !ok {
			return
		}
		direction := in.text("direction")
		if direction == "" {
			refuse(r, missing)
			return
		}
		l.here(r, name, "", func() {
			perform(r, func(ctx context.Context) (verdict, error) {
				reply, err := l.do(ctx, eventsocket.API("conference", room, verb, id))
				if err != nil {
					return verdict{}, err
				}
				value, ok := readLevel(reply.Body)
				if !ok {
					return failed(reply), nil
				}
				return l.try(ctx, eventsocket.API("conference", room, verb, id, eventsocket.Int(by.next(value, direction == "up"))), by.message)
			})
		})
	}
}

// next returns the level after a step up or down.
func (by level) next(value int64, up bool) int64 {
	if up {
		return min(value+by.step, by.most)
	}
	return max(value-by.step, by.least)
}

// readLevel reads an answer such as "Volume IN 6 = -1".
func readLevel(body string) (int64, bool) {
	i := strings.LastIndexByte(body, '=')
	if i < 0 || strings.HasPrefix(body, "-") {
		return 0, false
	}
	value, err := strconv.ParseInt(strings.TrimSpace(body[i+1:]), 10, 32)
	return value, err == nil
}
