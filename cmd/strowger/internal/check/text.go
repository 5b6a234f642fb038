package check

import (
	"strings"
	"unicode"
)

// longest is how many bytes of a text a finding shows.
const longest = 600

// oneLine keeps what others wrote within its line, and on terminals harmless.
func oneLine(text string) string {
	if len(text) > longest {
		text = text[:longest] + "..."
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}

// firstLine returns the first line of a text that has anything in it.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
