package conferences

import (
	"context"
	"slices"
	"strings"
	"time"

	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// The pauses between the calls that kick_all ends: after the first, after each other, and while the service has too much to
// do.
const (
	firstPause = 500 * time.Millisecond
	nextPause  = 10 * time.Millisecond
	busyPause  = 200 * time.Millisecond
)

// margin is how long before the deadline of a request its asker is told that kick_all goes on.
const margin = time.Second

// kicking ends the calls of all members of one conference, one after the other. It takes one place in the service's pool, and
// only while the switch has a command. Whoever asks meanwhile for the same conference waits for the next round, since members
// may have come.
type kicking struct {
	of            eventsocket.Command // for the list of the conference
	name          string
	calls         []eventsocket.UUID // that are left
	gone          map[string]bool    // the UUIDs, in lower case, of members who have left since the list was asked for
	listed        time.Time          // when the list came
	missed        bool               // events were missed since, so members may have left unnoticed
	fresh         bool               // no call was tried since
	ended         bool               // at least one was
	waiting, next []*asker
	pause         time.Duration
}

// asker waits until kick_all is done, or until the deadline of the request is near: with thousands of members it takes longer
// than a request may. What is queued for the deadline stays queued until then and keeps the asker. So the asker lets go of the
// request and its payload when that is answered.
type asker struct{ request service.Request } // nil: it was answered

func (l *life) newAsker(r service.Request) *asker {
	a := &asker{r}
	if at, ok := r.Deadline(); ok {
		l.later.Add(at.Sub(r.Now())-margin, func() {
			if r := a.take(); r != nil {
				r.ReplyWith(response, 200, outcome{true, "Action goes on"})
			}
		})
	}
	return a
}

// take returns the request, which the caller must answer, or nil if it was answered.
func (a *asker) take() service.Request {
	r := a.request
	a.request = nil
	return r
}

// tell answers with what came of it, unless the request was answered already.
func (a *asker) tell(l *life, k *kicking, err error) {
	r := a.take()
	switch {
	case r == nil:
	case err == nil:
		done(r)
	case k.ended:
		status, reason := explain(err)
		_ = deny(r, status, "Some calls were not ended: "+reason)
	default:
		l.failed(r, err)
	}
}

// kickAll ends the calls of all members. It goes on when the asker has left.
func (l *life) kickAll(r service.Request, t *target) {
	command, err := listOf(t.name)
	if err != nil {
		l.failed(r, err)
		return
	}
	l.here(r, t, func() {
		name := t.name.String()
		if k := l.kicking[name]; k != nil {
			k.next = append(k.next, l.newAsker(r))
			return
		}
		l.kickRound(&kicking{of: command, name: name, waiting: []*asker{l.newAsker(r)}})
	})
}

// kickRound begins with the members that the conference has now.
func (l *life) kickRound(k *kicking) {
	l.kicking[k.name] = k
	k.pause = firstPause
	l.kickList(k, func(members []eventsocket.UUID) { k.calls = members })
}

// kickList asks the switch for the members, hands them to take, and goes on with the next call.
func (l *life) kickList(k *kicking, take func(members []eventsocket.UUID)) {
	k.gone, k.missed = map[string]bool{}, l.watch.down
	l.ask(k.of, func(list []conference.Conference, err error) {
		k.listed, k.fresh = l.ctx.Now(), true
		if err != nil && !isMissing(err) {
			l.kickEnd(k, err)
			return
		}
		var members []eventsocket.UUID
		for _, c := range list {
			for _, m := range c.Members {
				if uuid, err := eventsocket.ParseUUID(m.UUID); err == nil && c.Name == k.name {
					members = append(members, uuid)
				}
			}
		}
		take(members)
		l.kickNext(k)
	})
}

// came notes that the member with the UUID has come to a conference. It may be one who had left and is kicked after all.
func (l *life) came(name, uuid string) {
	if k := l.kicking[name]; k != nil {
		delete(k.gone, strings.ToLower(uuid))
	}
}

// left notes that the member with the UUID has left a conference. The call may be anywhere by now, so kick_all does not end
// it. Without a UUID any member may have left, so kick_all asks the switch who is still there.
func (l *life) left(name, uuid string) {
	switch k := l.kicking[name]; {
	case k == nil:
	case uuid == "":
		k.missed = true
	default:
		k.gone[strings.ToLower(uuid)] = true
	}
}

// lost notes that events are missed, so that kick_all does not know who has left.
func (l *life) lost() {
	for _, k := range l.kicking {
		k.missed = true
	}
}

// kickAgain asks who of those that are left is still there, if members may have left unnoticed, and reports whether it does.
// Without events it asks once a second. However often events are missed, one call is tried after each list.
func (l *life) kickAgain(k *kicking) bool {
	if !k.missed || k.fresh || l.watch.down && l.ctx.Now().Sub(k.listed) < time.Second {
		return false
	}
	l.kickList(k, func(members []eventsocket.UUID) {
		there := make(map[eventsocket.UUID]bool, len(members))
		for _, uuid := range members {
			there[uuid] = true
		}
		k.calls = slices.DeleteFunc(k.calls, func(uuid eventsocket.UUID) bool { return !there[uuid] })
	})
	return true
}

// kickNext ends the next call of a member who is still in the conference.
func (l *life) kickNext(k *kicking) {
	for len(k.calls) > 0 && k.gone[strings.ToLower(k.calls[0].String())] {
		k.calls = k.calls[1:]
	}
	if len(k.calls) == 0 {
		l.kickEnd(k, nil)
		return
	}
	if l.kickAgain(k) {
		return
	}
	k.fresh = false
	command := eventsocket.API("uuid_kill", k.calls[0])
	if l.ctx.Go(func(ctx context.Context) func() {
		_, err := l.do(ctx, command)
		return func() { l.kicked(k, err) }
	}) {
		return
	}
	l.ctx.After(busyPause, func(service.Context) { l.kickNext(k) }) // the pool is full
}

func (l *life) kicked(k *kicking, err error) {
	if err != nil {
		l.kickEnd(k, err)
		return
	}
	k.ended = true
	if k.calls = k.calls[1:]; len(k.calls) == 0 {
		l.kickEnd(k, nil)
		return
	}
	l.ctx.After(k.pause, func(service.Context) { l.kickNext(k) })
	k.pause = nextPause
}

// kickEnd answers those who have waited, and begins the next round if somebody has asked for one.
func (l *life) kickEnd(k *kicking, err error) {
	delete(l.kicking, k.name)
	for _, a := range k.waiting {
		a.tell(l, k, err)
	}
	if len(k.next) > 0 {
		l.kickRound(&kicking{of: k.of, name: k.name, waiting: k.next})
	}
}
