package process

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// logger has the parent log what the service logs.
type logger struct {
	queue *queue
	level slog.Level
	inner slog.Handler // writes the attributes as JSON into shared.buffer
	*shared
}

type shared struct {
	mu     sync.Mutex // Protects following.
	buffer bytes.Buffer
}

func newLogger(q *queue, level slog.Level) *logger {
	s := &shared{}
	return &logger{queue: q, level: level, shared: s, inner: slog.NewJSONHandler(&s.buffer, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey || a.Key == "service") {
				return slog.Attr{} // the parent writes its own
			}
			return a
		},
	})}
}

// Enabled implements slog.Handler.
func (l *logger) Enabled(_ context.Context, level slog.Level) bool { return level >= l.level }

// Handle implements slog.Handler. A record is dropped while much waits for the parent.
func (l *logger) Handle(ctx context.Context, r slog.Record) error {
	if l.queue.waiting() > l.queue.limit/2 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buffer.Reset()
	if err := l.inner.Handle(ctx, r); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	text := bytes.TrimSpace(l.buffer.Bytes())
	if len(text) > longestAttrs {
		text = []byte(fmt.Sprintf(`{"bytes":%d}`, len(text)))
	}
	message := clip(r.Message, longestLine)
	frame := append(newFrame(frameLog, 32+len(message)+len(text)), byte(int8(max(min(r.Level, 127), -128)))) //nolint:gosec // it is bounded
	l.queue.put(appendText(appendText(frame, message), text))
	return nil
}

// WithAttrs implements slog.Handler.
func (l *logger) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logger{queue: l.queue, level: l.level, shared: l.shared, inner: l.inner.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (l *logger) WithGroup(name string) slog.Handler {
	return &logger{queue: l.queue, level: l.level, shared: l.shared, inner: l.inner.WithGroup(name)}
}
