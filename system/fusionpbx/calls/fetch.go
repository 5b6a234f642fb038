package calls

import (
	"context"
	"errors"
	"fmt"

	"strowger/system/fusionpbx/eventsocket"
)

// list is the switch's list of channels at one time.
type list struct {
	rows  []row
	since uint64 // number of the last event before the switch was asked
}

func (l *list) uuids() map[string]bool {
	uuids := make(map[string]bool, len(l.rows))
	for i := range l.rows {
		uuids[l.rows[i].UUID] = true
	}
	return uuids
}

// fetcher asks the switch for its list of channels. However many want one, one is on its way at a time; who comes
// meanwhile shares the next.
type fetcher struct {
	running bool
	waiting []func(list, error)
}

var errTooBusy = errors.New("too much work waits")

// list calls then, in the service's goroutine, with a list that was asked for after this call.
func (l *life) list(then func(list, error)) {
	l.fetch.waiting = append(l.fetch.waiting, then)
	if !l.fetch.running {
		l.ask()
	}
}

func (l *life) ask() {
	waiting := l.fetch.waiting
	l.fetch.waiting = nil
	since := l.calls.begin()
	done := func(rows []row, err error) {
		l.fetch.running = false
		for _, then := range waiting {
			then(list{rows, since}, err)
		}
		if len(l.fetch.waiting) > 0 && !l.fetch.running {
			l.ask()
			return
		}
		if !l.fetch.running {
			l.calls.finish()
		}
	}
	l.fetch.running = true
	if !l.ctx.Go(func(ctx context.Context) func() {
		rows, err := l.show(ctx)
		return func() { done(rows, err) }
	}) {
		done(nil, errTooBusy)
	}
}

func (l *life) show(ctx context.Context) ([]row, error) {
	reply, err := l.do(ctx, eventsocket.API("show channels as json"))
	if err != nil {
		return nil, err
	}
	return readList(reply.Body)
}

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

// begin notes from now on which channels end, and returns the number of the last event.
func (m *model) begin() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gone == nil {
		m.gone = map[string]bool{}
	}
	return m.events
}

// finish ends what begin began.
func (m *model) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = nil
}
