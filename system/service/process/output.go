package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// The bounds of what the child writes into the log.
const (
	longestLine  = 1024     // bytes of a line, or of a message
	longestAttrs = 8 << 10  // bytes of its attributes
	longestTrace = 16 << 10 // bytes of what the runtime writes when it ends the child
)

// output logs what the child logs and what it writes to its standard output and error. What the runtime writes when it ends
// the child is kept for the failure.
type output struct {
	log  *slog.Logger
	most int // lines in a second

	mu      sync.Mutex // Protects following.
	second  time.Time
	lines   int // logged since second
	omitted int
	last    []byte    // from the line on with which the runtime begins
	began   time.Time // when that came
}

func newOutput(log *slog.Logger, most int) *output { return &output{log: log, most: most} }

// read reads to the end of the child's output.
func (o *output) read(from io.Reader) {
	in := bufio.NewReaderSize(from, longestLine)
	for {
		line, err := in.ReadSlice('\n')
		o.line(strings.TrimRight(string(line), "\r\n"))
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a long line
			_, err = in.ReadSlice('\n')
		}
		if err != nil {
			return
		}
	}
}

// endings are how the lines begin with which the runtime begins to say why it ends a process.
var endings = []string{"panic: ", "fatal error: ", "runtime: ", "SIG", "unexpected fault address "}

// dying is how long the runtime writes before the process ends. What comes later shows that it was not the runtime.
const dying = 5 * time.Second

func (o *output) line(text string) {
	if text == "" {
		return
	}
	if !o.fromRuntime(text) {
		o.write(text)
	}
}

// write logs what the child has written.
func (o *output) write(text string) {
	omitted, ok := o.next()
	if !ok {
		return
	}
	attributes := []any{"text", text}
	if omitted > 0 {
		attributes = append(attributes, "omitted", omitted)
	}
	o.log.Warn("the service's process has written", attributes...)
}

// fromRuntime keeps a line if the runtime may have written it because it ends the process.
func (o *output) fromRuntime(text string) bool {
	begins := slices.ContainsFunc(endings, func(ending string) bool { return strings.HasPrefix(text, ending) })
	if earlier := o.takeOld(); earlier != "" {
		o.write(earlier)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.last == nil && !begins:
		return false
	case o.last == nil:
		o.began = time.Now()
	}
	if len(o.last)+len(text) < longestTrace {
		o.last = append(append(o.last, text...), '\n')
	}
	return true
}

// takeOld returns what was kept if the process has gone on after it.
func (o *output) takeOld() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == nil || time.Since(o.began) <= dying {
		return ""
	}
	earlier := string(o.last)
	o.last = nil
	return earlier
}

// next reports whether a line may be logged, and how many were not since the last one.
func (o *output) next() (omitted int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := time.Now(); now.Sub(o.second) >= time.Second {
		o.second, o.lines = now, 0
	}
	if o.lines >= o.most {
		o.omitted++
		return 0, false
	}
	o.lines++
	omitted, o.omitted = o.omitted, 0
	return omitted, true
}

// record logs what the child has logged.
func (o *output) record(b *body) {
	level, text, raw := slog.Level(int8(b.octet())), b.text(), b.bytes() //nolint:gosec // a level fits
	if b.bad || !o.log.Enabled(context.Background(), level) {
		return
	}
	omitted, ok := o.next()
	if !ok {
		return
	}
	var fields map[string]any
	if len(raw) <= longestAttrs {
		_ = json.Unmarshal(raw, &fields) // what is no object has no attributes
	}
	var attributes []any
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		attributes = append(attributes, key, fields[key])
	}
	if omitted > 0 {
		attributes = append(attributes, "omitted", omitted)
	}
	o.log.Log(context.Background(), level, text[:min(len(text), longestLine)], attributes...)
}

// trace returns what the runtime has written, never nil.
func (o *output) trace() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]byte{}, o.last...)
}

// first returns the first line of what the runtime has written.
func (o *output) first() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	line, _, _ := strings.Cut(string(o.last), "\n")
	return line
}
