package jwt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// mostDepth bounds how deep the JSON of tokens and keys may nest.
const mostDepth = 16

// decode reads base64url as RFC 7515 has it: no padding, and nothing that a decoder would ignore.
func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("is no base64url")
	}
	return base64.RawURLEncoding.Strict().DecodeString(text) //nolint:wrapcheck // the callers say what it is
}

// object is a JSON object. Its keys count as they are spelled.
type object map[string]any

// parseObject reads one JSON object, in which every key is there once, in the objects within it too. Numbers are
// json.Number.
func parseObject(data []byte) (object, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	value, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	o, ok := value.(object)
	if !ok {
		return nil, errors.New("is no JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("has something after the JSON object")
	}
	return o, nil
}

// parseValue reads the next value.
func parseValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, errors.New("is no JSON")
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth == mostDepth {
		return nil, fmt.Errorf("nests deeper than %d levels", mostDepth)
	}
	if delim == '[' {
		return parseList(d, depth)
	}
	o := object{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errors.New("is no JSON")
		}
		text := name.(string) // the decoder lets nothing else be a key
		if _, twice := o[text]; twice {
			return nil, errors.New("has a key twice: " + shown(text))
		}
		if o[text], err = parseValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	return o, end(d)
}

func parseList(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		value, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, end(d)
}

// end reads the end of an object or a list.
func end(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errors.New("is no JSON")
	}
	return nil
}

// text returns a text of the object, "" if it has none of that name. It is an error if the value is something else.
func (o object) text(name string) (string, error) {
	value, there := o[name]
	if !there {
		return "", nil
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%s is no text", name)
	}
	return text, nil
}

// bytes returns what a text of the object has in base64url.
func (o object) bytes(name string) ([]byte, error) {
	text, err := o.text(name)
	if err != nil {
		return nil, err
	}
	data, err := decode(text)
	if err != nil || len(data) == 0 {
		return nil, fmt.Errorf("%s is no base64url", name)
	}
	return data, nil
}
