package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"testing"
	"unicode/utf8"
)

// decodeValue reads one JSON value so that equal values become equal Go values: numbers by value,
// {} as []. It refuses what no reader can rely on: broken UTF-8, a key twice in one object, anything
// behind the value.
func decodeValue(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := nextValue(decoder)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("more behind the value")
	}
	return value, nil
}

func nextValue(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			return nextList(decoder)
		}
		return nextObject(decoder)
	case json.Number:
		return plainNumber(token), nil
	default:
		return token, nil
	}
}

func nextList(decoder *json.Decoder) (any, error) {
	list := []any{}
	for decoder.More() {
		value, err := nextValue(decoder)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := decoder.Token() // the closing bracket
	return list, err
}

// nextObject returns an empty object as an empty list: PHP has one empty array for both.
func nextObject(decoder *json.Decoder) (any, error) {
	object := map[string]any{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name := key.(string) // the decoder refuses other keys
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("key %q twice", name)
		}
		if object[name], err = nextValue(decoder); err != nil {
			return nil, err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if len(object) == 0 {
		return []any{}, nil
	}
	return object, nil
}

// plainNumber writes a number as its reader has it: an exact integer where it fits 64 bits, else
// the nearest double. 1, 1.0 and 1e0 are one number, and so are 2^63 and its shortest double form.
func plainNumber(n json.Number) json.Number {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return json.Number(strconv.FormatInt(i, 10))
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return n // beyond every double: it equals only itself
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
		return json.Number(strconv.FormatInt(int64(f), 10))
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

// encodeValue writes a decoded value on one line, keys sorted, nothing escaped that need not be.
func encodeValue(value any) (string, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("encode value: %w", err)
	}
	return string(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
}

func TestEqualValuesLookEqual(t *testing.T) {
	for name, c := range map[string]struct{ a, b string }{
		"key order":            {`{"a":1,"b":2}`, `{"b":2,"a":1}`},
		"escapes":              {`"\/\u00e9\ud83d\ude00"`, `"/é😀"`},
		"white space":          {"[1,2]", " [ 1 ,\n2 ] "},
		"empty object or list": {`{"a":{}}`, `{"a":[]}`},
		"integral floats":      {`[1.0,1e2,-0.0]`, `[1,100,0]`},
		"beyond 64 bits":       {`[9223372036854775808,12345678901234567890]`, `[9.223372036854776e+18,1.2345678901234567e+19]`},
		"exponents":            {`[1.0e-7,1.0e+23]`, `[0.0000001,100000000000000000000000]`},
		"markup":               {`"</script>&"`, `"<\/script>\u0026"`},
	} {
		t.Run(name, func(t *testing.T) {
			if a, b := canonical(t, c.a), canonical(t, c.b); a != b {
				t.Fatalf("%s and %s", a, b)
			}
		})
	}
}

func TestDifferentValuesLookDifferent(t *testing.T) {
	for name, c := range map[string]struct{ a, b string }{
		"number and string": {`5`, `"5"`},
		"null and empty":    {`null`, `""`},
		"false and null":    {`false`, `null`},
		"list order":        {`[1,2]`, `[2,1]`},
		"integers above 53": {`9007199254740993`, `9007199254740992`},
		"largest integer":   {`9223372036854775807`, `9223372036854775808`},
		"tenths":            {`0.3`, `0.30000000000000004`},
		"missing key":       {`{"a":null}`, `{"a":null,"b":null}`},
		"list of one":       {`[[]]`, `[]`},
		"beyond doubles":    {`1e999`, `1e998`},
	} {
		t.Run(name, func(t *testing.T) {
			if a, b := canonical(t, c.a), canonical(t, c.b); a == b {
				t.Fatalf("both %s", a)
			}
		})
	}
}

func TestDecodeValueRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"nothing":           "",
		"half an object":    `{"a":1`,
		"half a list":       `[1`,
		"a key twice":       `{"a":1,"b":{"c":1,"c":1}}`,
		"more behind":       `{} {}`,
		"broken UTF-8":      "\"\xff\"",
		"a key of no words": `{1:2}`,
	} {
		t.Run(name, func(t *testing.T) {
			if value, err := decodeValue([]byte(data)); err == nil {
				t.Fatalf("decoded to %v", value)
			}
		})
	}
}

func canonical(t *testing.T, data string) string {
	t.Helper()
	value, err := decodeValue([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := encodeValue(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
