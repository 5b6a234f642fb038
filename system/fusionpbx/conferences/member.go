package conferences

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// inConference calls then with whether a channel is that of a member of the conference. The switch is asked unless the
// events have told of the member and none was missed.
func (l *life) inConference(t *target, then func(bool, error)) {
	uuid := t.uuid.String()
	if l.watch.current && l.known.Has(t.name, uuid) {
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

// kick ends the call of a member.
func (l *life) kick(r service.Request, t *target) {
	if !t.hasUUID {
		_ = deny(r, envelope.BadRequest.Code, "UUID required")
		return
	}
	l.inConference(t, func(is bool, err error) {
		switch {
		case err != nil:
			l.failed(r, err)
		case !is:
			_ = deny(r, envelope.BadRequest.Code, "The member is not in the conference")
		default:
			l.command(r, eventsocket.API("uuid_kill", t.uuid), func(eventsocket.Reply) { done(r) })
		}
	})
}

// The pauses between the calls that kick_all ends: after the first, and after each other.
const (
	firstPause = 500 * time.Millisecond
	nextPause  = 10 * time.Millisecond
)

// kickAll ends the calls of all members, one after the other. It goes on when the asker has left.
func (l *life) kickAll(r service.Request, t *target) {
	command, err := listOf(t.name)
	if err != nil {
		l.failed(r, err)
		return
	}
	l.ask(command, func(list []conference.Conference, err error) {
		if err != nil && !isMissing(err) {
			l.failed(r, err)
			return
		}
		var calls []eventsocket.UUID
		for _, c := range list {
			for _, m := range c.Members {
				if uuid, err := eventsocket.ParseUUID(m.UUID); err == nil && c.Name == t.name.String() {
					calls = append(calls, uuid)
				}
			}
		}
		l.kickEach(r, calls, firstPause)
	})
}

func (l *life) kickEach(r service.Request, calls []eventsocket.UUID, pause time.Duration) {
	if len(calls) == 0 {
		done(r)
		return
	}
	if !l.ctx.Go(func(ctx context.Context) func() {
		_, err := l.do(ctx, eventsocket.API("uuid_kill", calls[0]))
		return func() {
			switch {
			case err != nil:
				l.failed(r, err)
			case len(calls) == 1:
				done(r)
			default:
				l.ctx.After(pause, func(service.Context) { l.kickEach(r, calls[1:], nextPause) })
			}
		}
	}) {
		l.failed(r, errTooBusy)
	}
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
