package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzDecode compares Decode with encoding/json. They differ in three things: Decode refuses lone
// surrogates and bytes that are not UTF-8, and it has a bound for the depth.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"request_id":"2","service":"weather","topic":"today","token":{"name":"n","hash":"h"},"payload":{}}`,
		`{"service":"authentication","token":{"name":"n","hash":"h","x":[{}]}}`,
		`{"service":"a","service_name":"b","statusCode":200,"status_code":"","statusString":"ok","status_string":null}`,
		`{"id":1.0,"payload":[1E+2,-0.5,1e999,true,false,null],"permissions":{"a":true},"domain_name":"é","domain_uuid":"\u00e9","resource_id":"r"}`,
		`{"t\u006fpic":"\ud83d\ude00","topic":"\\\"\/\b\f\n\r\t","token":{"n\u0061me":1,"name":2},"token_name":3,"token":[]}`,
		" {\t\"a\" : [ [ ] , { } , [ [ { \"b\" : [ 1 , 2 ] } ] ] ]\r}\n", `{"id":"\ud800"}`, `{"id":"\udc00\ud800"}`, `{"id":"\\ud800"}`,
		`{}`, `[]`, `""`, `null`, `0`, `-`, `{"a":01}`, `{"a":1}x`, `{"a":[1}}`, `{"a":"` + "\n" + `"}`, "{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\x80\"}", "",
		`{"token":{"token":{"name":1}},"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`,
		`{"a":` + strings.Repeat("9", 310) + `}`, `{"a":0.` + strings.Repeat("9", 310) + `}`,
	} {
		f.Add([]byte(seed), uint16(64))
		f.Add([]byte(seed), uint16(2))
		f.Add([]byte(seed), uint16(MaxDepth))
	}
	f.Fuzz(func(t *testing.T, data []byte, depth uint16) {
		given := bytes.Clone(data)
		m, err := Decode(data, int(depth))
		if !bytes.Equal(data, given) {
			t.Fatal("the data was changed")
		}
		if want := refusals(data, min(int(depth), MaxDepth)); !errors.Is(err, want[0]) && !errors.Is(err, want[len(want)-1]) {
			t.Fatalf("got %v, want one of %v", err, want)
		}
		if err != nil {
			return
		}
		want := expected(t, data)
		if got := present(&m.Envelope); !maps.Equal(got, want.fields) {
			t.Fatalf("got %v, want %v", got, want.fields)
		}
		if m.Authentication != want.authentication || m.Overflow != overflows(t, data) {
			t.Fatalf("got Authentication %t, Overflow %t", m.Authentication, m.Overflow)
		}
		checkAppend(t, m)
	})
}

// refusals returns the one error that Decode must give, or two of which either will do.
func refusals(data []byte, depth int) []error {
	if !utf8.Valid(data) {
		return []error{ErrUTF8}
	}
	deep := nesting(data) > depth
	switch bad := !json.Valid(data) || loneSurrogate(data); {
	case bad && deep:
		return []error{ErrSyntax, ErrDepth}
	case bad:
		return []error{ErrSyntax}
	case deep:
		return []error{ErrDepth}
	}
	trimmed := bytes.TrimSpace(data)
	if trimmed[0] != '{' {
		return []error{ErrNotObject}
	}
	if len(bytes.TrimSpace(trimmed[1:len(trimmed)-1])) == 0 {
		return []error{ErrEmpty}
	}
	return []error{nil}
}

// nesting counts brackets outside of texts; for what is not JSON it is a guess.
func nesting(data []byte) (deepest int) {
	depth, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

var escapes = regexp.MustCompile(`(?s)\\(?:u([0-9a-fA-F]{4})|.)`)

// loneSurrogate reports whether an escape in data, which should be JSON, is half a character.
func loneSurrogate(data []byte) bool {
	high := -1 // where the low half of a character must begin
	for _, at := range escapes.FindAllSubmatchIndex(data, -1) {
		var unit uint64
		if at[2] >= 0 {
			unit, _ = strconv.ParseUint(string(data[at[2]:at[3]]), 16, 16)
		}
		low := unit >= 0xDC00 && unit <= 0xDFFF
		if low != (high == at[0]) || high >= 0 && !low {
			return true
		}
		high = -1
		if unit >= 0xD800 && unit <= 0xDBFF {
			high = at[1]
		}
	}
	return high >= 0
}

type expectation struct {
	fields         map[string]string
	authentication bool
}

// expected reads the message's fields with encoding/json.
func expected(t *testing.T, data []byte) expectation {
	t.Helper()
	written := map[string]string{}
	for _, k := range envelopeKeys {
		written[k.name] = k.name
		written[k.alias] = k.name
	}
	delete(written, "")
	want := expectation{fields: map[string]string{}}
	for _, p := range pairs(t, data) {
		if p.key == "token" && p.value[0] == '{' {
			for _, part := range pairs(t, []byte(p.value)) {
				if name, ok := written["token."+part.key]; ok {
					want.fields[name] = part.value
				}
			}
		}
		name, ok := written[p.key]
		if !ok || strings.HasPrefix(p.key, "token.") {
			continue
		}
		want.fields[name] = p.value
		if p.key == "service" {
			var service string
			isText := p.value[0] == '"' && json.Unmarshal([]byte(p.value), &service) == nil
			want.authentication = isText && service == "authentication"
		}
	}
	return want
}

type pair struct{ key, value string }

// pairs returns the keys and raw values of a JSON object in the order written.
func pairs(t *testing.T, object []byte) []pair {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var all []pair
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		all = append(all, pair{key.(string), string(value)})
	}
	return all
}

// overflows reports whether a number in data is too great for a float64.
func overflows(t *testing.T, data []byte) bool {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err == io.EOF {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := token.(json.Number); ok {
			if f, _ := n.Float64(); math.IsInf(f, 0) {
				return true
			}
		}
	}
}

// checkAppend writes the message and reads it again.
func checkAppend(t *testing.T, m *Message) {
	t.Helper()
	out := m.Append(nil)
	if !json.Valid(out) {
		t.Fatalf("Append writes %s", out)
	}
	keys := pairs(t, out)
	if len(keys) != len(envelopeKeys) {
		t.Fatalf("Append writes %d keys", len(keys))
	}
	want := present(&m.Envelope)
	for i, k := range envelopeKeys {
		if keys[i].key != k.name {
			t.Fatalf("Append writes %s at place %d", keys[i].key, i)
		}
		if want[k.name] == "" {
			want[k.name] = k.absent
		}
	}
	again, err := Decode(out, MaxDepth)
	if err != nil {
		t.Fatalf("decode %s: %v", out, err)
	}
	got := present(&again.Envelope)
	if want["id"] == "" {
		delete(want, "id")
		delete(got, "id")
	}
	if !maps.Equal(got, want) {
		t.Fatalf("got %v again, want %v", got, want)
	}
	if got, bound := len(again.Append(nil)), again.Size(); got > bound {
		t.Fatalf("%d bytes are written, the bound is %d", got, bound)
	}
}
