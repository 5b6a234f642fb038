package envelope

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '"' || c == '\\':
				dst = append(dst, '\\', c)
			case c >= ' ':
				dst = append(dst, c)
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		dst = utf8.AppendRune(dst, r)
		i += n
	}
	return append(dst, '"')
}

// QuoteString returns s as a JSON string.
func QuoteString(s string) []byte { return AppendString(make([]byte, 0, len(s)+2), s) }

// isString reports whether raw is a JSON string; raw must be valid JSON or nil.
func isString(raw []byte) bool { return len(raw) > 0 && raw[0] == '"' }

func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9')
}

// Text returns the string that raw is, and false if raw is no JSON string. raw must be valid JSON.
func Text(raw []byte) (string, bool) {
	if !isString(raw) {
		return "", false
	}
	return unquote(raw[1 : len(raw)-1]), true
}

// View is Text without a copy where raw is written without escapes: the string shares the memory of raw, which
// never changes, and keeps all of the message alive. It is for looking something up.
func View(raw []byte) (string, bool) {
	if isString(raw) && bytes.IndexByte(raw, '\\') < 0 {
		return unsafe.String(unsafe.SliceData(raw[1:]), len(raw)-2), true
	}
	return Text(raw)
}

// unquote decodes what stands between the quotes of a valid JSON string.
func unquote(inner []byte) string {
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	quoted := make([]byte, 0, len(inner)+2)
	quoted = append(append(append(quoted, '"'), inner...), '"')
	// The scanner has accepted these bytes, so Unmarshal cannot refuse them.
	_ = json.Unmarshal(quoted, &s)
	return s
}

// Name returns the name that raw spells: a string's text or the digits of an integer, as the
// router has always taken 42 for "42". It is false for anything else, and for the empty string. Like the result of
// View, the name may share the memory of raw.
func Name(raw []byte) (string, bool) {
	if s, ok := View(raw); ok {
		return s, s != ""
	}
	if !isNumber(raw) {
		return "", false
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return "", false
	}
	return strconv.FormatInt(n, 10), true
}

// IsEmpty reports whether raw is one of the values that PHP calls empty (protocol 5.4): absent,
// null, false, "", "0", zero, [] or {}.
func IsEmpty(raw []byte) bool {
	if len(raw) == 0 {
		return true
	}
	switch raw[0] {
	case 'n', 'f':
		return true
	case 't':
		return false
	case '"':
		if len(raw) > len(`"0"`) && raw[1] != '\\' {
			return false
		}
		s, _ := View(raw)
		return s == "" || s == "0"
	case '[', '{':
		return len(bytes.TrimLeft(raw[1:len(raw)-1], " \t\r\n")) == 0
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return err == nil && f == 0
}

// Key is a request id in a form that compares equal however a service spelled it when it echoed
// the id: 1.0 as 1, "a/b" as "a\/b". It has no pointers, so that a table of keys costs the collector nothing. The
// zero Key is that of no id.
type Key [32]byte

// The kinds of ids, in the first byte of a Key. The second byte is the length of the text that follows, or digest.
const (
	textKey   = '"'
	numberKey = 'n'
	otherKey  = 'j'
	digest    = 0xff
)

// longestID is how many bytes a list or object may have as an id to be compared however it is spelled. A longer one must
// come back as it was sent, because to read it takes a service's actor too long.
const longestID = 4 << 10

// KeyOf returns the key of raw, which must be valid JSON.
func KeyOf(raw []byte) Key {
	switch {
	case isString(raw) && bytes.IndexByte(raw, '\\') < 0:
		return makeKey(textKey, raw[1:len(raw)-1])
	case isString(raw):
		return makeKey(textKey, []byte(unquote(raw[1:len(raw)-1])))
	case isNumber(raw):
		f, _ := strconv.ParseFloat(string(raw), 64)
		var room [32]byte
		return makeKey(numberKey, strconv.AppendFloat(room[:0], f, 'g', -1, 64))
	case len(raw) > longestID:
		return makeKey(otherKey, raw)
	default:
		return makeKey(otherKey, []byte(canonical(raw)))
	}
}

// makeKey returns the key of a text, or of its digest if the text is too long.
func makeKey(kind byte, text []byte) Key {
	k := Key{kind, byte(len(text))}
	if len(text) <= len(k)-2 {
		copy(k[2:], text)
		return k
	}
	sum := sha256.Sum256(text)
	k[1] = digest
	copy(k[2:], sum[:])
	return k
}

// canonical spells a list, object or literal in one way; PHP turns {} into [].
func canonical(raw []byte) string {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return string(raw)
	}
	out, err := json.Marshal(emptyLists(v))
	if err != nil {
		return string(raw)
	}
	return string(out)
}

// emptyLists puts [] in the place of each {} in v, which it changes.
func emptyLists(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return []any{}
		}
		for k, inner := range v {
			v[k] = emptyLists(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = emptyLists(inner)
		}
	}
	return v
}
