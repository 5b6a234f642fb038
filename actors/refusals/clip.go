package refusals

import "strings"

// maxText is how many bytes of a text from outside a log line shows.
const maxText = 200

// Clip shortens a text from outside to what a log line can hold, and makes it valid UTF-8.
func Clip(text string) string {
	if len(text) <= maxText {
		return strings.ToValidUTF8(text, "?")
	}
	return strings.ToValidUTF8(text[:maxText], "?") + "..."
}
