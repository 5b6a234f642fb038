package introspect

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// longestText bounds, in bytes, what is kept of a name or a reason.
const longestText = 512

// reasonText says why an actor failed. A value that is no text by itself is named by its type: to
// print it would read what others may be writing.
func reasonText(reason any) string {
	switch reason := reason.(type) {
	case nil:
		return "unknown"
	case string:
		return clip(reason, longestText)
	case error, fmt.Stringer, bool, int, int64, uint64, float64:
		return clip(fmt.Sprint(reason), longestText)
	}
	return clip(fmt.Sprintf("%T", reason), longestText)
}

// longestStack bounds, in bytes, what is kept of a stack.
const longestStack = 8 << 10

// stackOf returns the stack of a panic, if the reason knows it.
func stackOf(reason any) string {
	if r, ok := reason.(interface{ Trace() []byte }); ok {
		return clip(string(r.Trace()), longestStack)
	}
	return ""
}

// clip shortens a text to so many bytes, between two characters, and makes it valid UTF-8. What it
// returns holds on to nothing longer.
func clip(text string, longest int) string {
	cut := len(text) > longest
	if cut {
		end := longest
		for end > 0 && longest-end < utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	text = strings.ToValidUTF8(text, "?")
	if cut {
		return text + "..."
	}
	return strings.Clone(text)
}
