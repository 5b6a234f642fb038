package logline

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"strowger/actors/clock"
)

const (
	// window is the time in which panics at one place make one line.
	window = time.Minute
	// mostPlaces is how many places are told apart at a time. All others count as one more.
	mostPlaces = 32
)

// panics knows which panics have a line of this minute.
type panics struct {
	clock clock.Clock

	mu     sync.Mutex // Protects following.
	closed bool
	open   map[place]*minute
}

// place is where a panic happened. The reason is no part of it, because a peer may have chosen its text.
// The zero place is that of all panics beyond the bound.
type place struct{ scope, message, frames string }

// minute is what happened at a place since a line was written.
type minute struct {
	stop    func() bool // the timer
	omitted int
	last    slog.Record // of those that got no line
	inner   slog.Handler
}

// leavesOut reports whether a record gets no line now.
func (p *panics) leavesOut(h *Handler, r slog.Record, stack string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	at := place{h.scope, r.Message, frames(stack)}
	if p.open[at] == nil && len(p.open) >= mostPlaces {
		at = place{}
	}
	m := p.open[at]
	if m == nil {
		p.begin(at)
		return false
	}
	m.omitted++
	m.last, m.inner = r, h.inner
	return true
}

// begin starts the minute of a place. The caller holds mu.
func (p *panics) begin(at place) {
	m := new(minute)
	p.open[at] = m
	m.stop = p.clock.AfterFunc(window, func() { p.ended(at, m) })
}

// ended writes the line at the end of a minute. A place where nothing happened is forgotten.
func (p *panics) ended(at place, m *minute) {
	p.mu.Lock()
	if p.open[at] != m {
		p.mu.Unlock()
		return // close has come first
	}
	delete(p.open, at)
	if m.omitted > 0 {
		p.begin(at)
	}
	p.mu.Unlock()
	p.tell(m)
}

// close writes all lines that wait for the end of their minute.
func (p *panics) close() {
	p.mu.Lock()
	open := p.open
	p.open, p.closed = nil, true
	p.mu.Unlock()
	for _, m := range open {
		m.stop()
		p.tell(m)
	}
}

// tell writes the last panic of a minute, with the number of those that got no line.
func (p *panics) tell(m *minute) {
	if m.omitted == 0 {
		return
	}
	r := m.last.Clone()
	r.Time = p.clock.Now()
	if m.omitted > 1 {
		r.AddAttrs(slog.Int("suppressed", m.omitted-1))
	}
	_ = m.inner.Handle(context.Background(), r) // as the logger does with an error
}

// frames returns the files and lines of a stack, without what differs from one goroutine to another.
func frames(stack string) string {
	var b strings.Builder
	for line := range strings.Lines(stack) {
		if file, ok := strings.CutPrefix(line, "\t"); ok {
			file, _, _ = strings.Cut(strings.TrimSuffix(file, "\n"), " +0x")
			b.WriteString(file)
			b.WriteByte('\n')
		}
	}
	return b.String()
}
