package panel

import (
	"context"
	"time"

	"strowger/system/fusionpbx/channels"
)

// shared asks a question once for all who want the answer. It belongs to the service's goroutine.
type shared[V any] struct {
	l       *life
	age     time.Duration // how old an answer may be; 0: it must have been asked for later
	ask     func(ctx context.Context, key string) (V, error)
	entries map[string]*answer[V]
}

// answer is the answer for one key, and who waits for it.
type answer[V any] struct {
	value   V
	at      time.Time
	good    bool // value may be given out
	running bool
	stale   bool             // something has changed since the question was asked
	waiting []func(V, error) // for the answer that is on its way
	next    []func(V, error) // for the one after it
}

func newShared[V any](l *life, age time.Duration, ask func(ctx context.Context, key string) (V, error)) *shared[V] {
	return &shared[V]{l: l, age: age, ask: ask, entries: map[string]*answer[V]{}}
}

// get calls then with the answer, in the service's goroutine.
func (s *shared[V]) get(key string, then func(V, error)) {
	a := s.entries[key]
	if a == nil {
		a = &answer[V]{}
		s.entries[key] = a
	}
	switch {
	case a.good && s.l.ctx.Now().Sub(a.at) < s.age:
		then(a.value, nil)
	case a.running && s.age > 0 && !a.stale:
		a.waiting = append(a.waiting, then)
	case a.running:
		a.next = append(a.next, then)
	default:
		a.waiting = append(a.waiting, then)
		s.start(key, a)
	}
}

// asking reports whether an answer is on its way.
func (s *shared[V]) asking() bool {
	for _, a := range s.entries {
		if a.running {
			return true
		}
	}
	return false
}

// forget makes the next one who asks get a new answer.
func (s *shared[V]) forget(key string) {
	if a := s.entries[key]; a != nil {
		a.stale, a.good = true, false
	}
}

// forgetAll is forget for all keys.
func (s *shared[V]) forgetAll() {
	for key := range s.entries {
		s.forget(key)
	}
}

func (s *shared[V]) start(key string, a *answer[V]) {
	a.running, a.stale, a.good = true, false, false
	if !s.l.ctx.Go(func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, s.l.Timeout)
		defer cancel()
		value, err := s.ask(ctx, key)
		return func() { s.done(key, a, value, err) }
	}) {
		var none V
		s.done(key, a, none, channels.ErrTooBusy)
	}
}

func (s *shared[V]) done(key string, a *answer[V], value V, err error) {
	waiting := a.waiting
	a.waiting, a.next, a.running = a.next, nil, false
	if s.age > 0 && err == nil && !a.stale {
		a.value, a.at, a.good = value, s.l.ctx.Now(), true
		s.l.line.Add(s.age, func() { s.drop(key, a) })
	}
	for _, then := range waiting {
		then(value, err)
	}
	if len(a.waiting) > 0 && !a.running {
		s.start(key, a)
		return
	}
	s.drop(key, a)
}

// drop forgets an answer that is of no use any more.
func (s *shared[V]) drop(key string, a *answer[V]) {
	old := !a.good || s.l.ctx.Now().Sub(a.at) >= s.age
	if old && !a.running && s.entries[key] == a {
		delete(s.entries, key)
	}
}
