package channels

import (
	"context"
	"errors"
	"fmt"

	"strowger/system/fusionpbx/eventsocket"
)

// fetcher asks the switch for its list of channels. However many want one, one is on its way at a time; who comes
// meanwhile shares the next.
type fetcher struct {
	running bool
	waiting []func(List, error)
}

// ErrTooBusy means that too much work waits for the service's pool.
var ErrTooBusy = errors.New("too much work waits")

// List calls then, in the service's goroutine, with a list that was asked for after this call. What events have said of a
// channel since the switch was asked counts more than its answer: a channel that has ended is left out, and one that has come to
// another domain is there with that.
func (w *Watch) List(then func(List, error)) {
	w.list(func(now List, err error) { then(w.known.newer(now), err) })
}

// list is List with the switch's answer as it came.
func (w *Watch) list(then func(List, error)) {
	w.fetch.waiting = append(w.fetch.waiting, then)
	if !w.fetch.running {
		w.ask()
	}
}

func (w *Watch) ask() {
	waiting := w.fetch.waiting
	w.fetch.waiting = nil
	since := w.known.begin()
	done := func(rows []Row, err error) {
		for _, then := range waiting {
			then(List{rows, since}, err)
		}
		w.fetch.running = false // not before: what ended since is noted until all have used the list
		if err == nil {
			w.recovered()
		}
		if w.fetch.running {
			return
		}
		if len(w.fetch.waiting) > 0 {
			w.ask()
			return
		}
		w.known.finish()
	}
	w.fetch.running = true
	if !w.ctx.Go(func(ctx context.Context) func() {
		rows, err := w.show(ctx)
		return func() { done(rows, err) }
	}) {
		done(nil, ErrTooBusy)
	}
}

func (w *Watch) show(ctx context.Context) ([]Row, error) {
	ctx, cancel := context.WithTimeout(ctx, w.o.Timeout)
	defer cancel()
	reply, err := w.o.Commands.Do(ctx, eventsocket.API("show channels as json"))
	if err != nil {
		return nil, fmt.Errorf("ask the switch: %w", err)
	}
	return readList(reply.Body)
}
