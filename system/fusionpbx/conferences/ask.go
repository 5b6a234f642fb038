package conferences

import (
	"context"
	"errors"
	"fmt"

	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/eventsocket"
)

// errTooBusy means that too much work waits for the service's pool.
var errTooBusy = errors.New("too much work waits")

// question is a question to the switch that is on its way. Who asks meanwhile shares the next: the answer to this one
// may be older than what they ask about.
type question struct {
	waiting, next []func([]conference.Conference, error)
}

// all is the command for the switch's list of all conferences.
func all() eventsocket.Command { return eventsocket.API("conference json_list") }

// listOf is the command for one conference. It is an error if the name is not one of FusionPBX's.
func listOf(n conference.Name) (eventsocket.Command, error) {
	name, err := n.Quoted()
	if err != nil {
		return eventsocket.Command{}, err
	}
	return eventsocket.API("conference", name, eventsocket.Text("json_list")), nil
}

// ask calls then, in the service's goroutine, with an answer to the command that was asked for after this call.
func (l *life) ask(command eventsocket.Command, then func([]conference.Conference, error)) {
	key := command.String()
	if q := l.lists[key]; q != nil {
		q.next = append(q.next, then)
		return
	}
	l.start(command, &question{waiting: []func([]conference.Conference, error){then}})
}

func (l *life) start(command eventsocket.Command, q *question) {
	key := command.String()
	l.lists[key] = q
	done := func(list []conference.Conference, err error) {
		delete(l.lists, key)
		if len(q.next) > 0 {
			l.start(command, &question{waiting: q.next})
		}
		for _, then := range q.waiting {
			then(list, err)
		}
		if err == nil && key == all().String() {
			l.recovered()
		}
	}
	if !l.ctx.Go(func(ctx context.Context) func() {
		list, err := l.list(ctx, command)
		return func() { done(list, err) }
	}) {
		done(nil, errTooBusy)
	}
}

func (l *life) list(ctx context.Context, command eventsocket.Command) ([]conference.Conference, error) {
	reply, err := l.do(ctx, command)
	if err != nil {
		return nil, err
	}
	return conference.ReadAll(reply.Body)
}

// isMissing reports whether the switch said that there is no such conference.
func isMissing(err error) bool { return errors.Is(err, conference.ErrList) }

// do runs a command of the switch, which may take Timeout.
func (l *life) do(ctx context.Context, command eventsocket.Command) (eventsocket.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	reply, err := l.Commands.Do(ctx, command)
	if err != nil {
		return reply, fmt.Errorf("ask the switch: %w", err)
	}
	return reply, nil
}

// display calls then with the name that pages show. Without a database, and if that does not answer, it is the key.
func (l *life) display(n conference.Name, then func(string)) {
	if l.Database == nil {
		then(n.Key)
		return
	}
	if found, fresh := l.Database.CachedConference(n.Key, n.Domain); fresh {
		then(found.Name)
		return
	}
	waiting, asked := l.names[n]
	l.names[n] = append(waiting, then)
	if asked {
		return
	}
	done := func(name string) {
		waiting := l.names[n]
		delete(l.names, n)
		for _, then := range waiting {
			then(name)
		}
	}
	if !l.ctx.Go(func(ctx context.Context) func() {
		found, err := l.Database.Conference(ctx, n.Key, n.Domain)
		if err != nil {
			l.ctx.Log().Debug("a conference is shown without its name", "err", err)
		}
		return func() { done(found.Name) }
	}) {
		done(n.Key)
	}
}
