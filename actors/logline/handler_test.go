package logline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"strowger/actors/clock/clocktest"
)

// bench is a handler with a clock that a test moves and lines that it can read.
type bench struct {
	*Handler
	t     *testing.T
	clock *clocktest.Clock
	out   bytes.Buffer
	log   *slog.Logger
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, clock: clocktest.New()}
	b.Handler = New(slog.NewJSONHandler(&b.out, nil), b.clock)
	b.log = slog.New(b.Handler)
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

// want fails unless there is one line for each text, which has it and the number of lines that were left out.
func (b *bench) want(when string, want ...string) {
	b.t.Helper()
	lines := b.lines()
	if len(lines) != len(want) {
		b.t.Fatalf("%s: %d lines, want %d: %v", when, len(lines), len(want), lines)
	}
	for i, line := range lines {
		suppressed, _ := line["suppressed"].(float64)
		if got := fmt.Sprintf("%v %v", line["reason"], suppressed); got != want[i] || !strings.Contains(line["stack"].(string), "handler_test.go") {
			b.t.Errorf("%s: got %v, want %s with a stack", when, line, want[i])
		}
	}
}

// crash logs a panic as all of strowger does, with the stack of whoever calls.
func crash(log *slog.Logger, reason any) {
	log.Error("actor panicked", "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
}

// Ten thousand panics at one place make a line with the stack, and one at the end of the minute. Peers that choose
// the reason do not make more, and another place has its line.
func TestPanicsMakeALineAMinute(t *testing.T) {
	b := newBench(t)
	for i := range 10_000 {
		if i == 5000 {
			crash(b.log, "elsewhere")
		}
		b.log.Info("something else")
		crash(b.log, i)
	}
	lines, panics := b.out.String(), 0
	for line := range strings.Lines(lines) {
		if strings.Contains(line, "panicked") {
			panics += len(line)
		}
	}
	if n := strings.Count(lines, "something else"); n != 10_000 {
		t.Errorf("%d other lines, want all 10000", n)
	}
	if panics > 2*(maxStack+maxText) {
		t.Errorf("%d bytes for 10,000 panics", panics)
	}
	b.out.Reset()
	for line := range strings.Lines(lines) {
		if strings.Contains(line, "panicked") {
			b.out.WriteString(line)
		}
	}
	b.want("at once", "0 0", "elsewhere 0")
	b.clock.Advance(window)
	b.want("after a minute", "9999 9998")
	b.clock.Advance(window)
	b.want("after a quiet minute")
	if len(b.panics.open) != 0 {
		t.Errorf("%d places are kept for nothing", len(b.panics.open))
	}
	for i := range 2 {
		crash(b.log, i)
	}
	b.want("again", "0 0")
	b.Close()
	b.want("at the end", "1 0")
	crash(b.log, "late")
	b.want("after the end", "late 0")
	b.clock.Advance(window)
	b.want("a minute after the end")
}

// The same code that runs as two services has two lines. Attributes of one record do not count.
func TestServicesAreToldApart(t *testing.T) {
	b := newBench(t)
	for i := range 10 {
		crash(b.log.With("service", fmt.Sprint("s", i%2)), i)
	}
	b.want("at once", "0 0", "1 0")
	b.clock.Advance(window)
	b.lines()
	crash(b.log.WithGroup("g"), "in a group")
	if got := b.lines(); len(got) != 1 {
		t.Errorf("a group: %v, want a line", got)
	}
}

// Any number of places take a fixed number of lines and entries.
func TestPlacesAreBounded(t *testing.T) {
	b := newBench(t)
	for i := range 10_000 {
		b.log.Error("panicked", "stack", fmt.Sprintf("f()\n\t/file.go:%d +0x1\n", i))
	}
	if n := len(b.lines()); n != mostPlaces+1 || len(b.panics.open) != mostPlaces+1 {
		t.Errorf("%d lines and %d entries, want %d", n, len(b.panics.open), mostPlaces+1)
	}
	b.clock.Advance(window)
	if got := b.lines(); len(got) != 1 || got[0]["suppressed"] != float64(10_000-mostPlaces-2) {
		t.Errorf("after a minute: %v, want one line that counts the others", got)
	}
}

func TestPanicsFromManyGoroutines(t *testing.T) {
	b := newBench(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				crash(b.log, "boom")
			}
		})
	}
	all.Wait()
	b.want("at once", "boom 0")
	b.clock.Advance(window)
	b.want("after a minute", "boom 798")
}

func TestFrames(t *testing.T) {
	const stack = "goroutine 7 [running]:\nf(0x1)\n\t/a.go:1 +0x2f\ng(...)\n\t/b.go:2\ncreated by h in goroutine 3\n\t/c.go:3 +0x1\n"
	if got := frames(stack); got != "/a.go:1\n/b.go:2\n/c.go:3\n" {
		t.Errorf("got %q", got)
	}
}

type stringer struct{ text string }

func (s *stringer) String() string { return s.text }

type secret struct{ text string }

func (s secret) LogValue() slog.Value { return slog.GroupValue(slog.String("name", s.text)) }

// Whatever type has a long text, its line is short.
func TestTextsAreCut(t *testing.T) {
	long := strings.Repeat("x", 1<<20) + "\xff"
	many := make([]string, 1<<16)
	for name, value := range map[string]any{
		"text": long, "error": errors.New(long), "stringer": &stringer{long}, "list": []string{long, long}, "long list": many,
		"group": slog.GroupValue(slog.Int("n", 1), slog.String("a", long)), "value": secret{long}, "stack": "\t" + long,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			key := "k"
			if name == "stack" {
				key = name
			}
			b.log.Warn("m", "first", 5, key, value, "last", "z")
			b.log.With("bound", value).Warn("m", "first", 5, key, 1, "last", "z")
			if n := b.out.Len(); n > 2*maxStack {
				t.Errorf("two lines have %d bytes", n)
			}
			for _, line := range b.lines() {
				if line["first"] != 5.0 || line[key] == nil || line["last"] != "z" {
					t.Errorf("got %v", line)
				}
			}
		})
	}
}

// What is short stays as it is, and costs nothing.
func TestShortTextsStay(t *testing.T) {
	b := newBench(t)
	var missing *stringer
	b.log.Info("m", "text", "t", "err", errors.New("e"), "list", []string{"a", "b"}, "nil", nil, "missing", missing, "n", 1.5, "value", secret{"s"})
	got, err := json.Marshal(b.lines()[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"text":"t"`, `"err":"e"`, `"list":["a","b"]`, `"nil":null`, `"missing":null`, `"n":1.5`, `"value":{"name":"s"}`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	if b.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debug is on, and it is off in the handler inside")
	}
}
