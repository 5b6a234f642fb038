package filter

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"strowger/config/policy"
)

// FuzzScan compares the scanner's members with those of encoding/json, and wants Apply and
// Explain to survive any bytes.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		call, ` { "a" : 1 , "a":[{"x":"]}"}] } `, `{"\u0061\"":"\\","b":-1.5e+3}`, `{}`, `[1,"a",{},[[]],null]`, `[]`,
		`"a"`, `1`, `1E700`, ``, `{`, `{"`, `{"a`, `{"a":`, `{"a":1,`, `{"\`, `["\\`, `{"a":1}}`, "{\"a\":1}\x00", `{"\u12":1}`, `[,]`, `{"a":{"b":[}]}`,
		`{"a":"x@one.example","a":"x@two.example","\u0061":1}`, strings.Repeat(`{"a":[`, 300) + strings.Repeat(`]}`, 300), strings.Repeat(`[`, 1000),
	} {
		f.Add([]byte(seed))
	}
	filter := compile(f, policy.Policy{
		Events: []string{"CHANNEL_CREATE"},
		Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"a@", "caller_context"}, ListKeys: []string{"a"}}},
		Absent: policy.Absent{Pass: true}, KeyPermissions: map[string][]string{"b": {"p"}}, TenantKeys: []string{"a@", "caller_context"},
	})
	s := Subject{Domain: "one.example"}
	f.Fuzz(func(t *testing.T, data []byte) {
		out, verdict := filter.Apply(filter.Class(s), "t", data, nil)
		filter.Explain(s, "t", data)
		filter.Refusal(s, data, data)
		keys, values, done := members(data)
		if !json.Valid(data) || !utf8.Valid(data) {
			return
		}
		if verdict == Deliver && !json.Valid(out) {
			t.Errorf("%q became %q", data, out)
		}
		wantKeys, wantValues, container := decodedMembers(t, data)
		if done != container {
			t.Fatalf("%q: read to the end: %t, a container: %t", data, done, container)
		}
		if len(keys) != len(wantKeys) || len(values) != len(wantValues) {
			t.Fatalf("%q: got keys %q, values %q, want %q, %q", data, keys, values, wantKeys, wantValues)
		}
		for i := range keys {
			if keys[i] != wantKeys[i] {
				t.Errorf("%q: key %d is %q, want %q", data, i, keys[i], wantKeys[i])
			}
		}
		for i := range values {
			if !bytes.Equal(values[i], wantValues[i]) {
				t.Errorf("%q: value %d is %q, want %q", data, i, values[i], wantValues[i])
			}
		}
	})
}

func members(data []byte) (keys []string, values [][]byte, done bool) {
	s := scan(data)
	for m, ok := s.next(); ok; m, ok = s.next() {
		if m.key != nil {
			key, _ := text(m.key)
			keys = append(keys, string(key))
		}
		values = append(values, m.value)
	}
	return keys, values, s.done
}

func decodedMembers(t *testing.T, data []byte) (keys []string, values []json.RawMessage, container bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // a float64 cannot hold them all
	open, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	delim, container := open.(json.Delim)
	for container && d.More() {
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key.(string))
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	return keys, values, container
}

func TestDeepNesting(t *testing.T) {
	f := compile(t, policy.Policy{KeyPermissions: map[string][]string{"b": {"p"}}})
	deep := bytes.Repeat([]byte("["), 1<<20)
	if got := applied(f, Subject{}, "t", `{"b":1,"a":`+string(deep)+`}`); got != dropped {
		t.Error("unended lists were delivered")
	}
	payload := `{"a":` + string(deep) + string(bytes.Repeat([]byte("]"), 1<<20)) + `}`
	if got := applied(f, Subject{}, "t", payload); got != payload {
		t.Error("ended lists were changed")
	}
}
