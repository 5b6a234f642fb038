package logline

import (
	"fmt"
	"log/slog"
	"strings"
)

const (
	maxText  = 1 << 10 // bytes of a text that a line shows
	maxStack = 8 << 10 // the same of a stack
	maxList  = 32      // elements of a list
)

// shorten returns r with texts that a line can hold, and the stack that it has.
func shorten(r slog.Record) (slog.Record, string) {
	stack, long := "", false
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == stackKey {
			stack = a.Value.String()
		}
		_, cut := short(a)
		long = long || cut
		return true
	})
	if !long {
		return r, stack
	}
	shorter := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		a, _ = short(a)
		shorter.AddAttrs(a)
		return true
	})
	return shorter, stack
}

// short cuts the texts of an attribute and reports whether there was anything to cut. Lists of texts and errors
// have texts. Values of other types stay as they are.
func short(a slog.Attr) (_ slog.Attr, cut bool) {
	longest := maxText
	if a.Key == stackKey {
		longest = maxStack
	}
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		if text := v.String(); len(text) > longest {
			return slog.Attr{Key: a.Key, Value: slog.StringValue(clip(text, longest))}, true
		}
	case slog.KindGroup:
		return shortGroup(a, v.Group())
	case slog.KindAny:
		return shortAny(a, v.Any())
	}
	return a, false
}

func shortGroup(a slog.Attr, group []slog.Attr) (_ slog.Attr, cut bool) {
	shorter := make([]slog.Attr, len(group))
	for i, inner := range group {
		var c bool
		shorter[i], c = short(inner)
		cut = cut || c
	}
	if !cut {
		return a, false
	}
	return slog.Attr{Key: a.Key, Value: slog.GroupValue(shorter...)}, true
}

func shortAny(a slog.Attr, value any) (_ slog.Attr, cut bool) {
	switch value := value.(type) {
	case error, fmt.Stringer:
		// Sprint survives methods that panic.
		if text := fmt.Sprint(value); len(text) > maxText {
			return slog.Attr{Key: a.Key, Value: slog.StringValue(clip(text, maxText))}, true
		}
	case []string:
		cut = len(value) > maxList
		shorter := make([]string, 0, min(len(value), maxList+1))
		for _, text := range value[:min(len(value), maxList)] {
			if len(text) > maxText/maxList {
				text, cut = clip(text, maxText/maxList), true
			}
			shorter = append(shorter, text)
		}
		if !cut {
			return a, false
		}
		if len(value) > maxList {
			shorter = append(shorter, fmt.Sprintf("and %d more", len(value)-maxList))
		}
		return slog.Attr{Key: a.Key, Value: slog.AnyValue(shorter)}, true
	}
	return a, false
}

// clip returns the beginning of a text as valid UTF-8. It holds on to nothing longer.
func clip(text string, longest int) string {
	return strings.ToValidUTF8(text[:longest], "?") + "..."
}
