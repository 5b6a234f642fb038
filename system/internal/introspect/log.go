package introspect

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"
)

// LogRecord is one line of the log.
type LogRecord struct {
	Number     uint64          `json:"number"` // counts all lines since the start
	At         time.Time       `json:"at"`
	Level      string          `json:"level"`
	Message    string          `json:"message"`
	Attributes json.RawMessage `json:"attributes"` // an object

	level slog.Level
}

// Log keeps the latest lines of a log. Its methods may be used from any goroutine.
type Log struct {
	records, most int // how many are kept, and how many bytes

	mu     sync.Mutex // Protects following.
	count  uint64
	kept   []*LogRecord // the oldest first
	bytes  int
	buffer bytes.Buffer // what the encoder of attributes writes
}

// longestRecord is how much of a line's attributes is kept, in bytes.
const longestRecord = 16 << 10

// NewLog returns a log that keeps so many lines of so many bytes together. 0 records keep none.
func NewLog(records, bytes int) *Log { return &Log{records: records, most: bytes} }

// Handler returns a handler that keeps what it passes on to inner.
func (l *Log) Handler(inner slog.Handler) slog.Handler {
	if l.records <= 0 {
		return inner
	}
	encoder := slog.NewJSONHandler(&l.buffer, &slog.HandlerOptions{Level: slog.Level(-1 << 20), ReplaceAttr: withoutHead})
	return &tee{log: l, inner: inner, encoder: encoder}
}

// withoutHead leaves out what a record has besides its attributes.
func withoutHead(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}

// tee passes records on and keeps them.
type tee struct {
	log            *Log
	inner, encoder slog.Handler
}

// Enabled implements slog.Handler.
func (t *tee) Enabled(ctx context.Context, level slog.Level) bool {
	return t.inner.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (t *tee) Handle(ctx context.Context, r slog.Record) error {
	t.log.add(ctx, r, t.encoder)
	return t.inner.Handle(ctx, r) //nolint:wrapcheck // passes on
}

// WithAttrs implements slog.Handler.
func (t *tee) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &tee{log: t.log, inner: t.inner.WithAttrs(attrs), encoder: t.encoder.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (t *tee) WithGroup(name string) slog.Handler {
	return &tee{log: t.log, inner: t.inner.WithGroup(name), encoder: t.encoder.WithGroup(name)}
}

func (l *Log) add(ctx context.Context, r slog.Record, encoder slog.Handler) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buffer.Reset()
	_ = encoder.Handle(ctx, r) // a buffer takes all
	attributes := bytes.TrimSpace(l.buffer.Bytes())
	if len(attributes) > longestRecord {
		attributes, _ = json.Marshal(map[string]string{"beginning": clip(string(attributes), longestRecord/2)})
	}
	l.count++
	kept := &LogRecord{Number: l.count, At: r.Time, Level: r.Level.String(), level: r.Level, Message: clip(r.Message, longestText),
		Attributes: bytes.Clone(attributes)}
	l.kept = append(l.kept, kept)
	l.bytes += kept.size()
	gone := 0
	for len(l.kept)-gone > l.records || l.bytes > l.most {
		l.bytes -= l.kept[gone].size()
		l.kept[gone] = nil
		gone++
	}
	l.kept = l.kept[gone:]
}

// recordCost is what a record takes besides its texts, about.
const recordCost = 128

func (r *LogRecord) size() int { return recordCost + len(r.Message) + len(r.Attributes) }

// AtLeast reports whether the line has this level or a higher one.
func (r *LogRecord) AtLeast(level slog.Level) bool { return r.level >= level }

// Count returns how many lines there were since the start.
func (l *Log) Count() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// After returns the lines kept whose number is greater, the oldest first. They must not be changed.
func (l *Log) After(number uint64) []*LogRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, r := range l.kept {
		if r.Number > number {
			return append([]*LogRecord(nil), l.kept[i:]...)
		}
	}
	return nil
}
