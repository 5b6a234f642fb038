package main

import (
	"context"
	"log/slog"
)

// brief is a log without stacks, for somebody who breaks things on purpose and watches.
type brief struct{ slog.Handler }

// Handle passes the record on without its stack.
func (b brief) Handle(ctx context.Context, r slog.Record) error {
	short := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "stack" {
			short.AddAttrs(a)
		}
		return true
	})
	return b.Handler.Handle(ctx, short)
}

// WithAttrs keeps the log brief.
func (b brief) WithAttrs(attrs []slog.Attr) slog.Handler { return brief{b.Handler.WithAttrs(attrs)} }

// WithGroup keeps the log brief.
func (b brief) WithGroup(name string) slog.Handler { return brief{b.Handler.WithGroup(name)} }
