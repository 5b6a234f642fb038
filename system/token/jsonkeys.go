package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// longestKey bounds the names of fields; ours are far shorter.
const longestKey = 32

// checkSyntax refuses what is not one JSON value from end to end.
func checkSyntax(data []byte) error {
	var whole json.RawMessage
	err := json.Unmarshal(data, &whole)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		// Offset counts the byte at fault as read.
		return fmt.Errorf("%w: offset %d: %s", ErrMalformed, max(syntax.Offset-1, 0), syntax.Error())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// checkKeys refuses what is well formed and encoding/json lets pass: a field
// given twice, a key that only matches a field when case is folded, and nesting
// without end. The keys of objects where none belongs may be anything.
func checkKeys(data []byte, maxDepth int) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var open []*jsonLevel
	for {
		item, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %s", ErrMalformed, jsonReason(err))
		}
		switch item {
		case json.Delim('{'), json.Delim('['):
			if len(open) == maxDepth {
				return fmt.Errorf("%w: offset %d: tokens.max_depth allows %d levels: nested too deep", ErrMalformed, decoder.InputOffset(), maxDepth)
			}
			hasFields := item == json.Delim('{') && (len(open) == 0 || len(open) == 1 && open[0].opensFields())
			if len(open) > 0 {
				open[len(open)-1].wantKey = true
			}
			open = append(open, newJSONLevel(hasFields))
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
			continue
		}
		if len(open) == 0 {
			continue
		}
		if err := open[len(open)-1].item(item); err != nil {
			return fmt.Errorf("%w: offset %d: %w", ErrMalformed, decoder.InputOffset(), err)
		}
	}
}

// jsonLevel is one open object or array; only an object with fields of ours has keys.
type jsonLevel struct {
	keys    map[string]struct{}
	last    string // the latest key
	wantKey bool
}

// opensFields reports whether the value of the latest key has fields of ours if it is an object.
func (l *jsonLevel) opensFields() bool {
	return l.last == "domain" || l.last == "user" || l.last == "service"
}

func newJSONLevel(hasFields bool) *jsonLevel {
	if !hasFields {
		return &jsonLevel{}
	}
	return &jsonLevel{keys: make(map[string]struct{}), wantKey: true}
}

// item takes the next scalar of the level: keys and values take turns. A key is
// shown in an error only when it has the form of a name.
func (l *jsonLevel) item(item json.Token) error {
	if l.keys == nil {
		return nil
	}
	isKey := l.wantKey
	l.wantKey = !l.wantKey
	if !isKey {
		return nil
	}
	name, ok := item.(string)
	if !ok || !isFieldName(name) {
		return errors.New("want a field name of lower-case letters and _")
	}
	if _, again := l.keys[name]; again {
		return fmt.Errorf("duplicate field %q", name)
	}
	l.keys[name] = struct{}{}
	l.last = name
	return nil
}

// isFieldName reports whether a key could be one of ours.
func isFieldName(name string) bool {
	if name == "" || len(name) > longestKey {
		return false
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return true
}

// jsonReason says why encoding/json refused a document that is well formed,
// without a value.
func jsonReason(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		path := wrong.Field
		if path == "" {
			path = "the file"
		}
		return fmt.Sprintf("offset %d: %s: want %s", wrong.Offset, path, jsonType(wrong.Type))
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// jsonType returns the JSON word for what a Go type is read from.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Pointer:
		return "an object"
	case reflect.Slice:
		return "an array"
	default:
		return "a string"
	}
}
