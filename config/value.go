package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

var (
	errEmptyItem = errors.New("has an empty item")
	errControl   = errors.New("has control characters")
	errEncoding  = errors.New("is not UTF-8")
)

// parse reads one text as a value of the key's type and checks it. A list is
// written with commas between its items.
func (k key) parse(text string) (any, error) {
	if k.isList() {
		return k.parseList(splitList(text))
	}
	value, err := parseAs(k.def, text)
	if err != nil {
		return nil, err
	}
	return value, k.check(value)
}

// parseList takes the items of a list and checks them.
func (k key) parseList(items []string) (any, error) {
	if !k.isList() {
		return nil, errors.New("takes one value, not a list")
	}
	return items, k.check(items)
}

// parseAs reads a text as a value of the same type as kind.
func parseAs(kind any, text string) (any, error) {
	switch kind.(type) {
	case string:
		return text, nil
	case Secret:
		return Secret(text), nil
	case bool:
		return parseBool(text)
	case int:
		return parseInt(text)
	case Size:
		return parseSize(text)
	case time.Duration:
		return parseDuration(text)
	}
	return nil, fmt.Errorf("no key has values of type %T", kind)
}

func parseBool(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither true nor false", quote(text))
}

// parseInt takes plain decimal numbers only: 010 is eight to some readers and
// ten to others.
func parseInt(text string) (int, error) {
	number, err := strconv.Atoi(text)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s is out of range", quote(text))
	}
	if err != nil || strconv.Itoa(number) != text {
		return 0, fmt.Errorf("%s is not a plain whole number", quote(text))
	}
	return number, nil
}

// parseDuration refuses a bare number, even 0: which unit was meant is not
// for us to guess.
func parseDuration(text string) (time.Duration, error) {
	if text != "" && strings.Trim(text, "+-.0123456789") == "" {
		return 0, fmt.Errorf("%s has no unit, write %ss", quote(text), clip(text))
	}
	duration, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s is not a duration such as 10s, 1m30s or 250ms", quote(text))
	}
	return duration, nil
}

func splitList(text string) []string {
	items := []string{}
	if strings.TrimSpace(text) == "" {
		return items
	}
	for item := range strings.SplitSeq(text, ",") {
		items = append(items, strings.TrimSpace(item))
	}
	return items
}

// checkText refuses what cannot be a name, a path or an address, and could
// not be printed and read back.
func checkText(text string) error {
	if !utf8.ValidString(text) {
		return errEncoding
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return errControl
	}
	return nil
}

// format writes a value as the YAML that parse and a YAML reader take. A secret does not show.
func format(value any) string {
	switch value := value.(type) {
	case string:
		return strconv.Quote(value)
	case Secret:
		if value == "" {
			return `""`
		}
		return strconv.Quote(redacted)
	case []string:
		items := make([]string, len(value))
		for i, item := range value {
			items[i] = strconv.Quote(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case time.Duration:
		return formatDuration(value)
	}
	return fmt.Sprint(value)
}

// formatDuration drops the zero units of time.Duration.String: 1m0s is 1m.
func formatDuration(duration time.Duration) string {
	text := duration.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// quote prepares a text from outside for a message: short and on one line.
func quote(text string) string {
	short := clip(text)
	for _, r := range short {
		if r <= ' ' || r > '~' || r == '"' {
			return strconv.Quote(short)
		}
	}
	if short == "" {
		return `""`
	}
	return short
}

// clip shortens a text to what a message can hold.
func clip(text string) string {
	const longest = 64
	if utf8.RuneCountInString(text) <= longest {
		return text
	}
	return string([]rune(text)[:longest]) + "..."
}
