package replay

import (
	"encoding/json"
	"testing"
)

func TestMembers(t *testing.T) {
	tests := map[string]struct {
		text string
		want string // a line each: the key, the value as it was and its canonical form; "none" is an error
	}{
		"empty":          {` { } `, ""},
		"no spaces":      {`{"a":1,"b":"x","c":null}`, "a 1 1\nb \"x\" \"x\"\nc null null\n"},
		"spaces":         {" {\n\t\"a\" : 1.50 ,\r\n \"b\" : true } ", "a 1.50 1.50\nb true true\n"},
		"nested":         {`{"a":{"z":[1, {"y":"}"}],"b":2},"c":[]}`, "a {\"z\":[1, {\"y\":\"}\"}],\"b\":2} {\"b\":2,\"z\":[1,{\"y\":\"}\"}]}\nc [] []\n"},
		"escapes":        {`{"a\"\\":"\u00e9\/\"","\u0062":"<"}`, "a\"\\ \"\\u00e9\\/\\\"\" \"é/\\\"\"\nb \"<\" \"<\"\n"},
		"twice":          {`{"a":1,"a":2}`, "a 1 1\na 2 2\n"},
		"list":           {`["a",1]`, "none"},
		"text":           {`"a"`, "none"},
		"nothing":        {``, "none"},
		"not closed":     {`{"a":1`, "none"},
		"more after it":  {`{"a":1} x`, "none"},
		"value too many": {`{"a":1 2}`, "none"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fields, err := members([]byte(test.text))
			got := ""
			for i := range fields {
				got += fields[i].key + " " + string(fields[i].raw) + " " + fields[i].value() + "\n"
			}
			if err != nil {
				got = "none"
			}
			if got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// FuzzMembers compares members with encoding/json.
func FuzzMembers(f *testing.F) {
	for _, text := range []string{`{"a":1,"b":[{"c":"}\""}]}`, ` {"\u0061" : -1e5 } `, `{}`, `[]`, `{"a":{}}`, `{"a":"ü\u2028"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := map[string]json.RawMessage{}
		ok := json.Unmarshal(text, &want) == nil && want != nil
		fields, err := members(text)
		if (err == nil) != ok {
			t.Fatalf("members says %v; valid: %t", err, ok)
		}
		last := map[string]field{}
		for _, found := range fields {
			last[found.key] = found
		}
		if len(last) != len(want) {
			t.Fatalf("%d keys, want %d", len(last), len(want))
		}
		for key, raw := range want {
			if found := last[key]; string(found.raw) != string(raw) {
				t.Errorf("%q is %q, want %q", key, found.raw, raw)
			}
		}
	})
}
