package system

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"strowger/actors/clock"
	"strowger/actors/runtime"
	"strowger/system/internal/introspect"
)

// heart finds out which parts of the core do not get on. From time to time it asks each of them, and never a second time
// before the first answer is there. A part that has not answered for heartbeat.limit is silent. The heart waits for no part,
// but it does for the log.
type heart struct {
	clock clock.Clock
	log   *slog.Logger
	times func() (interval, limit time.Duration)
	fixed []*part
	// crowd calls found with each part that comes and goes, unless that is idle.
	crowd func(found func(k *kind, name func() string, p runtime.Pulse))

	beating sync.Mutex // Protects following; held for one beat.
	met     map[runtime.Pulse]*part
	due     time.Time // of this beat

	mu       sync.Mutex // Protects following.
	stop     func() bool
	stopped  bool
	resting  int       // how many keep parts from answering
	last     time.Time // beat; zero: there was none
	silent   []introspect.Silence
	silences map[string]int64
}

// kind is a sort of parts.
type kind struct {
	name   string
	grade  introspect.Grade
	effect string // what its silence does
	hint   string // what to do about it
}

// part is something that can be asked whether it gets on. One of ask and look is set.
type part struct {
	kind  *kind
	name  string
	actor string // path in the tree, if it is there
	// ask has answered called when the part gets on. It must not wait.
	ask func(answered func())
	// look returns a number that changes as long as the part gets on, and whether it has nothing to do.
	look func() (turns uint64, idle bool)

	// The rest belongs to the beat, but for back.
	asked  time.Time // or when it was seen to get on; zero: never
	back   atomic.Bool
	turns  uint64
	silent bool
}

// drowsy is how late a beat may be. One that is later finds that the process did not run, which is no part's fault.
const drowsy = time.Second

// begin starts beating.
func (h *heart) begin() {
	h.met = make(map[runtime.Pulse]*part)
	h.due = h.clock.Now()
	h.beat()
}

// end stops it. A beat under way may still come to its end.
func (h *heart) end() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	h.silent = nil
	if h.stop != nil {
		h.stop()
	}
}

// rest says that parts may not answer from now on, because somebody holds them, until the function that it returns is
// called.
func (h *heart) rest() (wake func()) {
	if h == nil {
		return func() {}
	}
	h.count(1)
	return func() { h.count(-1) }
}

func (h *heart) count(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.resting += n
}

// beat looks after all parts once, and sets the time of the next beat.
func (h *heart) beat() {
	h.beating.Lock()
	defer h.beating.Unlock()
	now := h.clock.Now()
	interval, limit := h.times()
	h.forgive(now)
	h.forget()
	h.crowd(func(k *kind, name func() string, p runtime.Pulse) {
		if h.met[p] == nil {
			h.met[p] = &part{kind: k, name: name(), ask: p.Beat}
		}
	})
	wait := interval
	var silent []introspect.Silence
	var changed []*part
	for p := range h.parts() {
		was := p.silent
		p.see(now, limit)
		if p.silent != was {
			changed = append(changed, p)
		}
		if p.silent {
			silent = append(silent, introspect.Silence{Kind: p.kind.name, Part: p.name, Actor: p.actor, Since: p.asked, Grade: p.kind.grade})
		} else if left := p.asked.Add(limit).Sub(now); left > 0 {
			wait = min(wait, left)
		}
	}
	if !h.publish(now, silent, changed) {
		return
	}
	for _, p := range changed {
		h.tell(p, now)
	}
	h.next(wait)
}

// forget drops parts that come and go and have answered.
func (h *heart) forget() {
	for pulse, p := range h.met {
		if p.back.Load() && !p.silent {
			delete(h.met, pulse)
		}
	}
}

// parts calls yield with all parts.
func (h *heart) parts() func(yield func(*part) bool) {
	return func(yield func(*part) bool) {
		for _, p := range h.fixed {
			if !yield(p) {
				return
			}
		}
		for _, p := range h.met {
			if !yield(p) {
				return
			}
		}
	}
}

// forgive takes the time in which the process did not run, or in which somebody held the parts, from what counts.
func (h *heart) forgive(now time.Time) {
	h.mu.Lock()
	resting := h.resting > 0
	h.mu.Unlock()
	late := now.Sub(h.due)
	for p := range h.parts() {
		switch {
		case p.asked.IsZero():
		case resting && !p.silent:
			p.asked = now
		case late > drowsy:
			p.asked = p.asked.Add(late)
		}
	}
}

// see finds out whether the part gets on, and asks it again if it has answered.
func (p *part) see(now time.Time, limit time.Duration) {
	if p.look != nil {
		turns, idle := p.look()
		if idle || turns != p.turns || p.asked.IsZero() {
			p.turns, p.asked, p.silent = turns, now, false
			return
		}
	} else if p.asked.IsZero() || p.back.Load() {
		p.asked, p.silent = now, false
		p.back.Store(false)
		p.ask(p.answered)
		return
	}
	p.silent = now.Sub(p.asked) >= limit
}

func (p *part) answered() { p.back.Store(true) }

// publish makes known what a beat has found. It returns false if the heart has stopped.
func (h *heart) publish(now time.Time, silent []introspect.Silence, changed []*part) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return false
	}
	h.last, h.silent = now, silent
	for _, p := range changed {
		if p.silent {
			h.silences[p.kind.name]++
		}
	}
	return true
}

// tell logs that a part does not answer, or does again.
func (h *heart) tell(p *part, now time.Time) {
	if !p.silent {
		h.log.Warn("a part of the core answers again", "part", p.name)
		return
	}
	h.log.Error("a part of the core does not answer: "+p.kind.effect, "part", p.name, "for", now.Sub(p.asked).Round(time.Millisecond).String(), "hint", p.kind.hint)
}

func (h *heart) next(wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopped {
		h.due = h.clock.Now().Add(wait)
		h.stop = h.clock.AfterFunc(wait, h.beat)
	}
}

// silence returns the parts that do not answer. If the heart does not beat, it is the first of them.
func (h *heart) silence() []introspect.Silence {
	if h == nil {
		return nil
	}
	interval, limit := h.times()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped || h.last.IsZero() {
		return nil
	}
	now := h.clock.Now()
	all := slices.Clone(h.silent)
	for i := range all {
		all[i].For = now.Sub(all[i].Since)
	}
	if late := now.Sub(h.last) - interval; late >= limit {
		all = slices.Insert(all, 0, introspect.Silence{Kind: heartKind.name, Part: heartKind.name, Since: h.last, For: now.Sub(h.last), Grade: heartKind.grade})
	}
	return all
}

// stats returns how many parts of each kind are silent and were.
func (h *heart) stats() introspect.Heart {
	s := introspect.Heart{Silent: make(map[string]int64), Silences: make(map[string]int64)}
	for _, k := range kinds {
		s.Silent[k.name] = 0
		s.Silences[k.name] = 0
	}
	for _, one := range h.silence() {
		s.Silent[one.Kind]++
	}
	if h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		maps.Copy(s.Silences, h.silences)
	}
	return s
}

// reason says that a part does not answer.
func reason(s *introspect.Silence) string {
	return fmt.Sprintf("has not answered for %v", s.For.Round(time.Second))
}

// Healthy returns nil as long as the core of the system gets on: the router, the names and topics, what reads and writes,
// and what accepts. Otherwise the error names each part that has not answered for heartbeat.limit. A system that has not
// started, or has stopped, is not healthy. Healthy waits for nobody.
func (s *System) Healthy() error {
	if !s.made() || s.stage.Load() != started {
		return errors.New("the system does not run")
	}
	var problems []error
	for _, p := range s.source().Lost() {
		problems = append(problems, fmt.Errorf("%s %s", p.Part, p.Reason))
	}
	return errors.Join(problems...)
}
