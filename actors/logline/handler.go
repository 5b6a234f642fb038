package logline

import (
	"context"
	"log/slog"

	"strowger/actors/clock"
)

// stackKey is the key of a panic's stack. A record that has it is the record of a panic.
const stackKey = "stack"

// Handler passes records on to another handler. It cuts the texts of their attributes. Of records with a stack
// it passes on the first of each place, and after a minute the last one with the number of those in between.
// Its methods may be called from any goroutine.
type Handler struct {
	inner  slog.Handler
	panics *panics
	scope  string // the attributes that all records of this handler have
}

var _ slog.Handler = (*Handler)(nil)

// New returns a handler that passes on to inner and goes by c. The caller closes it.
func New(inner slog.Handler, c clock.Clock) *Handler {
	return &Handler{inner: inner, panics: &panics{clock: c, open: make(map[place]*minute)}}
}

// Close writes the records that wait for the end of their minute. Records that come later are passed on at once.
func (h *Handler) Close() { h.panics.close() }

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	r, stack := shorten(r)
	if stack != "" && h.panics.leavesOut(h, r, stack) {
		return nil
	}
	return h.inner.Handle(ctx, r) //nolint:wrapcheck // passes on
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	cut := make([]slog.Attr, len(attrs))
	scope := h.scope
	for i, a := range attrs {
		cut[i], _ = short(a)
		scope += " " + cut[i].String()
	}
	return &Handler{inner: h.inner.WithAttrs(cut), panics: h.panics, scope: scope}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{inner: h.inner.WithGroup(name), panics: h.panics, scope: h.scope + " " + name}
}
