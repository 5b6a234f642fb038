package envelope

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

// FuzzKeyOf checks that two values have the same key exactly if they are the same value once {}
// has become [].
func FuzzKeyOf(f *testing.F) {
	seeds := []string{`1`, `1.0`, `"1"`, `"a/b"`, `"a\/b"`, `"é"`, `"\u00e9"`, `{}`, `[]`, `["{}"]`, `["[]"]`, `[{}]`, `{"a":{}}`, `{"a":1,"b":2}`,
		`{"b":2,"a":1.0}`, `null`, `true`, `9007199254740993`, `-0`, `[-0]`, `1e30`, `"` + strings.Repeat("x", 200) + `"`, `[1e999]`}
	for i, seed := range seeds {
		f.Add([]byte(seed), []byte(seeds[(i+1)%len(seeds)]))
		f.Add([]byte(seed), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		left, ok := requestID(a)
		if !ok {
			return
		}
		if KeyOf(left.raw) == (Key{}) {
			t.Fatalf("%s: the key of no id", a)
		}
		// What a service that reads and writes JSON makes of the id has the same key.
		spelt, err := json.Marshal(left.value)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := KeyOf(spelt), KeyOf(left.raw); got != want {
			t.Fatalf("%s: got %q, want that of %s, %q", spelt, got, left.raw, want)
		}
		right, ok := requestID(b)
		if !ok {
			return
		}
		same := reflect.DeepEqual(plain(left.value), plain(right.value))
		if got := KeyOf(left.raw) == KeyOf(right.raw); got != same {
			t.Fatalf("%s and %s: same key %t, same value %t", left.raw, right.raw, got, same)
		}
	})
}

type identifier struct {
	raw   []byte
	value any
}

// requestID reads an id as the router would; ok is false for one that it does not route.
func requestID(data []byte) (id identifier, ok bool) {
	m, err := Decode(append(append([]byte(`{"request_id":`), data...), '}'), MaxDepth)
	if err != nil || m.Overflow {
		return id, false
	}
	if err := json.Unmarshal(m.RequestID, &id.value); err != nil {
		return id, false
	}
	id.raw = m.RequestID
	return id, true
}

// plain returns v with [] for {}, and with numbers that differ in the sign of zero kept apart.
func plain(v any) any {
	switch v := v.(type) {
	case float64:
		return math.Float64bits(v)
	case []any:
		out := []any{}
		for _, inner := range v {
			out = append(out, plain(inner))
		}
		return out
	case map[string]any:
		if len(v) == 0 {
			return []any{}
		}
		out := map[string]any{}
		for key, inner := range v {
			out[key] = plain(inner)
		}
		return out
	default:
		return v
	}
}
