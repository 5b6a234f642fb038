// Package refusals counts whom and what the router refuses or cuts off, and names them in the log without
// filling it.
package refusals

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"strowger/actors/clock"
)

// Event is one refusal.
type Event struct {
	Cause   Cause
	Remote  string // the peer's address; empty if it is not known
	Role    string // what the peer was; empty before the handshake
	Kind    string // tells events of one cause apart that must not hide each other
	Setting string // the setting that decides, where the cause alone does not tell
	More    []any  // further attributes, as slog takes them
	// Details returns attributes that cost time to find. Add calls it before it returns, and only for an
	// event that gets a line of its own. The line at the minute's end repeats them. Nil: there are none.
	Details func() []any
}

// window is the time in which events that are alike make one line.
const window = time.Minute

// Bounds is how many kinds of events are told apart at a time. All beyond count as one for each cause.
type Bounds struct {
	Kinds int // of one cause; 0 means 16
	Lines int // of all causes together; 0 means 48
}

func (b Bounds) withDefaults() Bounds {
	if b.Kinds == 0 {
		b.Kinds = 16
	}
	if b.Lines == 0 {
		b.Lines = 48
	}
	return b
}

// Log writes one line for each cause, role, host and kind in a minute. The next line, or one of its own
// at the minute's end, says how many were left out. Its methods may be called from any goroutine.
type Log struct {
	log    *slog.Logger
	clock  clock.Clock
	bounds func() Bounds
	counts [causes]atomic.Int64
	latest [causes]atomic.Pointer[Latest]
	merged atomic.Int64

	mu       sync.Mutex // Protects following.
	open     map[key]*minute
	perCause [causes]int // entries of open
}

type key struct {
	cause            Cause
	role, host, kind string
}

// minute is what happened since a line was written.
type minute struct {
	ends       time.Time
	suppressed int
	last       Event     // of those that were left out
	lastAt     time.Time // when it came
	details    []any     // of the event that got the line
}

// New returns a Log that writes to log and goes by c. It calls bounds when an event of a new kind comes.
func New(log *slog.Logger, c clock.Clock, bounds func() Bounds) *Log {
	return &Log{log: log, clock: c, bounds: bounds, open: make(map[key]*minute)}
}

// Add counts e and logs it, unless an event like it was logged within the last minute.
func (l *Log) Add(e Event) {
	l.counts[e.Cause].Add(1)
	if !l.log.Enabled(context.Background(), e.Cause.text().level) {
		return
	}
	m, suppressed := l.due(e)
	if m == nil {
		return
	}
	if e.Details != nil {
		e.More = append(slices.Clip(e.More), l.detail(m, e.Details())...)
	}
	l.write(e, l.clock.Now(), suppressed)
}

// detail notes the details of a minute's first event and returns them.
func (l *Log) detail(m *minute, details []any) []any {
	l.mu.Lock()
	defer l.mu.Unlock()
	m.details = details
	return details
}

// due returns the minute that begins with e, and how many before it got no line. It is nil if e gets none
// either.
func (l *Log) due(e Event) (begun *minute, suppressed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	m := l.minute(e)
	if now.Before(m.ends) {
		m.suppressed++
		e.Details = nil // it would keep alive what it looks at
		m.last, m.lastAt = e, now
		return nil, 0
	}
	suppressed, m.suppressed = m.suppressed, 0
	m.ends = now.Add(window)
	return m, suppressed
}

// minute returns the entry for events like e. The caller holds mu.
func (l *Log) minute(e Event) *minute {
	k := key{e.Cause, e.Role, host(e.Remote), Clip(e.Kind)}
	if m := l.open[k]; m != nil {
		return m
	}
	if b := l.bounds().withDefaults(); l.perCause[e.Cause] >= b.Kinds || len(l.open) >= b.Lines {
		l.merged.Add(1)
		k = key{cause: e.Cause, host: "others"}
		if m := l.open[k]; m != nil {
			return m
		}
	}
	m := new(minute)
	l.open[k] = m
	l.perCause[e.Cause]++
	return m
}

// Sweep logs what was left out in minutes that have ended, and forgets those without any. The caller
// calls it every second or so.
func (l *Log) Sweep() {
	now := l.clock.Now()
	l.flush(func(m *minute) bool { return !now.Before(m.ends) })
}

// Close logs what was left out so far. It is for the end of the program.
func (l *Log) Close() {
	l.flush(func(*minute) bool { return true })
}

// flush handles the minutes that have ended.
func (l *Log) flush(ended func(*minute) bool) {
	var lines []minute
	l.mu.Lock()
	for k, m := range l.open {
		switch {
		case !ended(m):
		case m.suppressed == 0:
			delete(l.open, k)
			l.perCause[k.cause]--
		default:
			lines = append(lines, *m)
			*m = minute{ends: l.clock.Now().Add(window), details: m.details}
		}
	}
	l.mu.Unlock()
	for _, m := range lines {
		// The last one is what the line shows. The others were left out.
		m.last.More = append(slices.Clip(m.last.More), m.details...)
		l.write(m.last, m.lastAt, m.suppressed-1)
	}
}

// write writes the line of an event that came at a time.
func (l *Log) write(e Event, at time.Time, suppressed int) {
	t := e.Cause.text()
	attributes := []any{"cause", t.label}
	add := func(name, value string) {
		if value != "" {
			attributes = append(attributes, name, Clip(value))
		}
	}
	add("remote", e.Remote)
	add("role", e.Role)
	add("setting", setting(e, t))
	for _, a := range e.More {
		switch a := a.(type) {
		case string:
			attributes = append(attributes, Clip(a))
		case error:
			attributes = append(attributes, Clip(a.Error()))
		default:
			attributes = append(attributes, a)
		}
	}
	if suppressed > 0 {
		attributes = append(attributes, "suppressed", suppressed)
	}
	l.note(e.Cause, &Latest{At: at, Attributes: attributes[2:]})
	l.log.Log(context.Background(), t.level, t.message, attributes...)
}

func setting(e Event, t text) string {
	if e.Setting != "" {
		return e.Setting
	}
	return t.setting
}

// Counts returns how many events there were of each cause.
func (l *Log) Counts() map[string]int64 {
	counts := make(map[string]int64, causes)
	for c := range causes {
		counts[c.String()] = l.counts[c].Load()
	}
	return counts
}

// Count returns how many events there were of one cause.
func (l *Log) Count(c Cause) int64 { return l.counts[c].Load() }

// Merged returns how many events were not told apart from others of their cause, because of the bounds.
func (l *Log) Merged() int64 { return l.merged.Load() }

// host returns the address without its port; of IPv6 the network, since one host has all addresses of it.
func host(remote string) string {
	if h, _, err := net.SplitHostPort(remote); err == nil {
		remote = h
	}
	if a, err := netip.ParseAddr(remote); err == nil && a.Is6() && !a.Is4In6() {
		if network, err := a.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return Clip(remote)
}
