package envelope

import (
	"strings"
	"testing"
)

func TestKeyOfSameValue(t *testing.T) {
	long := strings.Repeat("é/", 100)
	for _, c := range []struct {
		name  string
		spelt []string
	}{
		{"one", []string{`1`, `1.0`, `1e0`, `10E-1`, `0.1e+1`}},
		{"a great number", []string{`1e30`, `1.0e+30`, `1000000000000000000000000000000`}},
		{"a fraction", []string{`0.5`, `5e-1`, `0.50`}},
		{"negative", []string{`-2`, `-2.0`}},
		{"slash", []string{`"a/b"`, `"a\/b"`, `"a\u002fb"`, `"\u0061\u002Fb"`}},
		{"not ASCII", []string{`"é"`, `"\u00e9"`, `"\u00E9"`}},
		{"a surrogate pair", []string{`"😀"`, `"\ud83d\ude00"`}},
		{"empty object and list", []string{`{}`, `[]`, `{ }`, "[\n]"}},
		{"nested empty object", []string{`{"a":{}}`, `{"a":[]}`, `{ "a" : [ ] }`}},
		{"empty object in a list", []string{`[{},[{}]]`, `[[],[[]]]`}},
		{"list", []string{`[1,"a/b",null]`, `[ 1.0 , "a\/b" , null ]`}},
		{"order of keys", []string{`{"a":1,"b":"é"}`, `{"b":"\u00e9","a":1.0}`}},
		{"key twice", []string{`{"a":1,"a":2}`, `{"a":2}`}},
		{"markup", []string{`["<&>"]`, `["\u003c\u0026\u003e"]`}},
		{"literal", []string{`true`, `true`}},
		{"long text", []string{`"` + long + `"`, `"` + strings.ReplaceAll(strings.ReplaceAll(long, "/", `\/`), "é", `\u00e9`) + `"`}},
		{"long list", []string{`["` + long + `"]`, `[ "` + long + `" ]`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := KeyOf([]byte(c.spelt[0]))
			for _, raw := range c.spelt[1:] {
				if got := KeyOf([]byte(raw)); got != want {
					t.Errorf("%s: got %q, want that of %s, %q", raw, got, c.spelt[0], want)
				}
			}
		})
	}
}

func TestKeyOfOtherValue(t *testing.T) {
	long := strings.Repeat("x", 200)
	raws := []string{`1`, `"1"`, `1.5`, `-1`, `2`, `10`, `"1.0"`, `"a"`, `"A"`, `"a/b"`, `"a\\/b"`, `""`, `" "`, `"n1"`, `"s1"`,
		`null`, `"null"`, `true`, `"true"`, `false`, `[]`, `"[]"`, `[1]`, `["1"]`, `[[]]`, `[[],[]]`, `["[]"]`, `["{}"]`, `"{}"`, `{"a":1}`, `{"a":"1"}`, `{"b":1}`,
		`{"{}":1}`, `{"[]":1}`, `[null]`, `"jnull"`, `"` + long + `"`, `"` + long + `x"`, `["` + long + `"]`, `["` + long + `x"]`}
	seen := map[Key]string{}
	for _, raw := range raws {
		key := KeyOf([]byte(raw))
		if other, twice := seen[key]; twice {
			t.Errorf("%s and %s have the same key", other, raw)
		}
		seen[key] = raw
	}
}

func TestKeyOfLongText(t *testing.T) {
	long := strings.Repeat("x", 30)
	seen := map[Key]string{}
	for _, raw := range []string{
		`"` + long[1:] + `"`, `"` + long + `"`, `"` + long + `x"`, `"` + long + `xx"`, `"` + strings.Repeat("x", 255) + `"`, `"` + strings.Repeat("x", 256+30) + `"`,
		`[` + strings.Repeat("1,", 1000) + `1]`, `0.` + strings.Repeat("1", 1000),
	} {
		key := KeyOf([]byte(raw))
		if other, twice := seen[key]; twice {
			t.Errorf("%s and %s have the same key", other, raw)
		}
		if key == (Key{}) {
			t.Errorf("%s has the key of no id", raw)
		}
		seen[key] = raw
	}
}

func TestKeyOfAllocatesNothing(t *testing.T) {
	for _, raw := range []string{`"17"`, `17`, `1234.5`, `"7c0c59d4-5f3e-4b2b-9b5f-0e6a3b7c9d21"`} {
		id := []byte(raw)
		if n := testing.AllocsPerRun(100, func() { KeyOf(id) }); n != 0 {
			t.Errorf("%s: %v allocations, want none", raw, n)
		}
	}
}
