package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// field is one key of an object.
type field struct {
	key string
	raw json.RawMessage // the value as it was

	text string // what value has returned
}

// value returns the value as canonical does.
func (f *field) value() string {
	if f.text == "" {
		f.text = canonical(f.raw)
	}
	return f.text
}

var errNoObject = errors.New("the text is no JSON object")

// members returns the keys and values of an object in order. A text that is not valid JSON is an error.
func members(text []byte) ([]field, error) {
	if !json.Valid(text) {
		return nil, errNoObject
	}
	if text = bytes.TrimSpace(text); text[0] != '{' {
		return nil, errNoObject
	}
	return split(text), nil
}

// split is members for an object that is known to be valid. A scenario has thousands of values of which few are looked
// at, so it decodes none.
func split(object []byte) []field {
	var fields []field
	for at := next(object, bytes.IndexByte(object, '{')+1); object[at] != '}'; at = next(object, at) {
		end := after(object, at)
		f := field{key: text(object[at:end])}
		at = next(object, end)
		end = after(object, at)
		f.raw = object[at:end:end]
		fields = append(fields, f)
		at = end
	}
	return fields
}

// text returns the text of a JSON string.
func text(quoted []byte) string {
	if plain(quoted) {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // it is valid
	return s
}

// next returns the place of the next value, key or closing brace.
func next(text []byte, at int) int {
	for strings.IndexByte(" \t\r\n,:", text[at]) >= 0 {
		at++
	}
	return at
}

// after returns the place after the value that begins there.
func after(text []byte, at int) int {
	depth := 0
	for ; ; at++ {
		switch text[at] {
		case '"':
			for at++; text[at] != '"'; at++ {
				if text[at] == '\\' {
					at++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default:
			if depth > 0 || strings.IndexByte(" \t\r\n,:}]", text[at+1]) < 0 {
				continue
			}
		}
		if depth == 0 {
			return at + 1
		}
	}
}

// canonical returns a text that is the same for equal values: compact JSON with the keys of objects sorted. A text that
// is not valid JSON stays as it is.
func canonical(raw []byte) string {
	if len(raw) == 0 || plain(raw) {
		return string(raw)
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return string(raw)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return string(raw)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// plain reports whether a value can be written in one way only: no list, no object, and no text with escapes or with
// other characters than those of ASCII.
func plain(raw []byte) bool {
	for _, c := range raw {
		if c == '{' || c == '[' || c == '\\' || c <= ' ' && raw[0] != '"' || c >= 0x80 {
			return false
		}
	}
	return true
}
