package refusals

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"strowger/actors/clock/clocktest"
)

// bench is a Log with a clock that a test moves and lines that it can read.
type bench struct {
	*Log
	t      *testing.T
	clock  *clocktest.Clock
	out    bytes.Buffer
	bounds Bounds
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, clock: clocktest.New()}
	b.Log = New(slog.New(slog.NewJSONHandler(&b.out, nil)), b.clock, func() Bounds { return b.bounds })
	return b
}

// lines returns what was logged since the last call.
func (b *bench) lines() []map[string]any {
	b.t.Helper()
	var lines []map[string]any
	for d := json.NewDecoder(&b.out); d.More(); {
		var line map[string]any
		if err := d.Decode(&line); err != nil {
			b.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestOneLineAMinute(t *testing.T) {
	b := newBench(t)
	idle := Event{Cause: Idle, Remote: "10.0.0.1:99", Role: "client"}
	for range 100 {
		b.Add(idle)
	}
	got := b.lines()
	if len(got) != 1 || got[0]["cause"] != "idle" || got[0]["setting"] != "keepalive.idle_timeout" || got[0]["remote"] != "10.0.0.1:99" || got[0]["suppressed"] != nil {
		t.Fatalf("first minute: %v, want one line", got)
	}
	b.clock.Advance(window)
	b.Add(idle)
	if got := b.lines(); len(got) != 1 || got[0]["suppressed"] != 99.0 {
		t.Fatalf("second minute: %v, want one line that tells of 99", got)
	}
	if n := b.Count(Idle); n != 101 {
		t.Errorf("counted %d, want 101", n)
	}
	if n := b.Counts()["idle"]; n != 101 {
		t.Errorf("label counted %d, want 101", n)
	}
}

// What costs time to find is looked for once a line, and the line at the minute's end repeats it.
func TestDetails(t *testing.T) {
	b := newBench(t)
	calls := 0
	e := Event{Cause: ReplyDropped, Kind: "k", More: []any{"n", 1}, Details: func() []any { calls++; return []any{"rule", "r"} }}
	for range 3 {
		b.Add(e)
	}
	b.clock.Advance(window)
	b.Sweep()
	b.clock.Advance(window)
	b.Add(e)
	got := b.lines()
	if len(got) != 3 || calls != 2 {
		t.Fatalf("%d lines and %d calls, want 3 and 2: %v", len(got), calls, got)
	}
	for _, line := range got {
		if line["rule"] != "r" || line["n"] != 1.0 {
			t.Errorf("%v, want the details", line)
		}
	}
}

// What is left out shows even if nothing like it comes again.
func TestSweep(t *testing.T) {
	b := newBench(t)
	for range 5 {
		b.Add(Event{Cause: Token, Remote: "10.0.0.1:99"})
	}
	b.lines()
	b.Sweep()
	if got := b.lines(); len(got) != 0 {
		t.Fatalf("within the minute: %v, want nothing", got)
	}
	b.clock.Advance(window)
	b.Sweep()
	if got := b.lines(); len(got) != 1 || got[0]["suppressed"] != 3.0 {
		t.Fatalf("at the minute's end: %v, want one line for 4", got)
	}
	b.clock.Advance(window)
	b.Sweep()
	if got := b.lines(); len(got) != 0 || len(b.open) != 0 {
		t.Fatalf("later: %v, %d entries; want nothing", got, len(b.open))
	}
}

func TestClose(t *testing.T) {
	b := newBench(t)
	b.Add(Event{Cause: Idle})
	b.Add(Event{Cause: Idle})
	b.lines()
	b.Close()
	if got := b.lines(); len(got) != 1 {
		t.Fatalf("got %v, want one line", got)
	}
}

func TestWhatIsToldApart(t *testing.T) {
	b := newBench(t)
	for _, e := range []Event{
		{Cause: Token, Remote: "10.0.0.1:1", Kind: "a"},
		{Cause: Token, Remote: "10.0.0.1:2", Kind: "b"},
		{Cause: Token, Remote: "10.0.0.2:1", Kind: "a"},
		{Cause: TooBig, Remote: "10.0.0.1:1", Role: "client"},
		{Cause: TooBig, Remote: "10.0.0.1:1", Role: "service"},
	} {
		b.Add(e)
		b.Add(e)
	}
	if got := b.lines(); len(got) != 5 {
		t.Fatalf("%d lines, want 5: %v", len(got), got)
	}
}

// Any number of hosts take a fixed number of lines and entries.
func TestBounded(t *testing.T) {
	b := newBench(t)
	kinds := Bounds{}.withDefaults().Kinds
	for i := range 10_000 {
		b.Add(Event{Cause: Origin, Remote: fmt.Sprintf("10.0.%d.%d:1", i/256, i%256)})
	}
	if got := len(b.lines()); got != kinds+1 {
		t.Errorf("%d lines, want %d", got, kinds+1)
	}
	if len(b.open) != kinds+1 {
		t.Errorf("%d entries, want %d", len(b.open), kinds+1)
	}
	b.Add(Event{Cause: Idle})
	if got := b.lines(); len(got) != 1 {
		t.Errorf("another cause: %v, want a line", got)
	}
}

// The bounds are settings: they hold from the next event on, and what they merge is counted.
func TestBoundsAreSettings(t *testing.T) {
	b := newBench(t)
	add := func(c Cause, from, hosts int) (lines int) {
		for i := range hosts {
			b.Add(Event{Cause: c, Remote: fmt.Sprintf("10.0.0.%d:1", from+i)})
		}
		return len(b.lines())
	}
	b.bounds = Bounds{Kinds: 2, Lines: 100}
	if got := add(Origin, 0, 5); got != 3 || b.Merged() != 3 {
		t.Errorf("2 kinds: %d lines and %d merged, want 3 and 3", got, b.Merged())
	}
	b.bounds.Kinds = 4
	if got := add(Origin, 5, 5); got != 1 || b.Merged() != 7 {
		t.Errorf("4 kinds: %d lines and %d merged, want 1 and 7", got, b.Merged())
	}
	b.bounds = Bounds{Kinds: 100, Lines: 6}
	if got := add(Idle, 0, 5); got != 3 || b.Merged() != 10 {
		t.Errorf("6 lines for all: %d lines and %d merged, want 3 and 10", got, b.Merged())
	}
}

// A flood of events that differ in all that a peer can choose, and in causes, makes some hundred
// lines a minute at most, and as many entries.
func TestFloodOfDifferentRefusals(t *testing.T) {
	b := newBench(t)
	most := Bounds{}.withDefaults().Lines + int(causes)
	if most > 120 {
		t.Errorf("%d lines a minute are allowed, docs/admin.md says some hundred", most)
	}
	total := 0
	for minute := range 5 {
		for i := range 100_000 / 5 {
			n := minute*20_000 + i
			e := Event{Cause: Cause(n % int(causes)), Role: "client", Remote: fmt.Sprintf("10.%d.%d.%d:%d", n>>16, n>>8&255, n&255, 1024+n%60000),
				More: []any{"err", errors.New(fmt.Sprint("token ", n)), "origin", fmt.Sprintf("https://%d.example", n)}}
			if n%2 == 0 {
				e.Remote = fmt.Sprintf("[2001:db8:%x:%x::%x]:9", n>>8, n&255, n)
			}
			b.Add(e)
		}
		if len(b.open) > most {
			t.Errorf("minute %d: %d entries, want %d at most", minute, len(b.open), most)
		}
		b.clock.Advance(window)
		b.Sweep()
		lines := len(b.lines())
		total += lines
		if lines > 2*most { // those of the first events, and those of the minute's end
			t.Errorf("minute %d: %d lines, want %d at most", minute, lines, 2*most)
		}
	}
	if total > 6*most {
		t.Errorf("%d lines in 5 minutes, want %d at most", total, 6*most)
	}
	for range 2 { // nothing comes any more
		b.clock.Advance(window)
		b.Sweep()
	}
	if len(b.open) != 0 {
		t.Errorf("%d entries are kept for nothing", len(b.open))
	}
	var counted int64
	for c := range causes {
		counted += b.Count(c)
	}
	if counted != 100_000 {
		t.Errorf("counted %d, want 100000", counted)
	}
}

// One peer has one line for each cause, whatever it writes and from which address of its network.
func TestOnePeerHasOneLine(t *testing.T) {
	b := newBench(t)
	for i := range 1000 {
		b.Add(Event{Cause: Origin, Remote: fmt.Sprintf("[2001:db8::%x]:%d", i, 1024+i), More: []any{"origin", fmt.Sprint(i)}})
		b.Add(Event{Cause: Token, Remote: fmt.Sprintf("10.0.0.1:%d", 1024+i), Kind: "token not found", More: []any{"err", fmt.Sprint(i)}})
	}
	if got := b.lines(); len(got) != 2 {
		t.Errorf("%d lines, want 2", len(got))
	}
}

func TestTextIsClipped(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat("x", 1<<20) + "\xff"
	b.Add(Event{Cause: Origin, Remote: long, Kind: "k", More: []any{"origin", long, "err", errors.New(long), "n", 5}})
	if n := b.out.Len(); n > 2000 {
		t.Errorf("a line of %d bytes", n)
	}
	if got := b.lines(); len(got) != 1 || got[0]["n"] != 5.0 {
		t.Errorf("got %v", got)
	}
}

func TestEveryCauseHasAText(t *testing.T) {
	seen := map[string]bool{}
	for c := range causes {
		text := c.text()
		if text.label == "" || text.message == "" || seen[text.label] {
			t.Errorf("cause %d: %+v", c, text)
		}
		seen[text.label] = true
	}
}

// A port check is not worth a line.
func TestAbandonedIsDebug(t *testing.T) {
	b := newBench(t)
	b.Add(Event{Cause: Abandoned, Remote: "10.0.0.1:1"})
	if got := b.lines(); len(got) != 0 || b.Count(Abandoned) != 1 {
		t.Errorf("lines %v, counted %d; want none and 1", got, b.Count(Abandoned))
	}
}

// The latest event with a line is kept of each cause. Events without a line count.
func TestLatest(t *testing.T) {
	b := newBench(t)
	if got := b.Latest(); len(got) != 0 {
		t.Fatalf("before the first event: %v", got)
	}
	b.Add(Event{Cause: Idle, Remote: "10.0.0.1:1"})
	for range 3 {
		b.Add(Event{Cause: Token, Remote: "10.0.0.1:1", More: []any{"err", errors.New("too long"), "attempt", 2}})
	}
	b.clock.Advance(window)
	b.Add(Event{Cause: Token, Remote: "10.0.0.2:2", More: []any{"err", errors.New("too old"), "attempt", 1}})
	got := b.Latest()
	if len(got) != 2 {
		t.Fatalf("%d causes, want 2: %v", len(got), got)
	}
	token, idle := got[0], got[1]
	if token.Cause != "token" || token.Count != 4 || !token.At.Equal(b.clock.Now()) || token.Message == "" ||
		fmt.Sprint(token.Attributes...) != fmt.Sprint("remote", "10.0.0.2:2", "err", "too old", "attempt", 1) {
		t.Errorf("a refused token is %v", token)
	}
	if idle.Cause != "idle" || idle.Count != 1 || token.At.Sub(idle.At) != window {
		t.Errorf("an idle peer is %v", idle)
	}
	b.Close() // the first two had no line yet
	if got := b.Latest()[0]; !got.At.Equal(token.At) || fmt.Sprint(got.Attributes...) != fmt.Sprint(token.Attributes...) {
		t.Errorf("an event before the latest took its place: %v", got)
	}
}

// A cause whose lines are left out counts.
func TestLatestWithoutLines(t *testing.T) {
	l := New(slog.New(slog.DiscardHandler), clocktest.New(), func() Bounds { return Bounds{} })
	l.Add(Event{Cause: Token})
	if got := l.Latest(); len(got) != 1 || got[0].Cause != "token" || got[0].Count != 1 || !got[0].At.IsZero() || got[0].Message == "" {
		t.Errorf("got %v", got)
	}
}
