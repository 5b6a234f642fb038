package envelope

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		raw, want string
		ok        bool
	}{
		{`""`, "", true},
		{`"a b"`, "a b", true},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t", true},
		{`"\u00e9é"`, "éé", true},
		{`"\ud83d\ude00"`, "😀", true},
		{`"\u0000"`, "\x00", true},
		{`"null"`, "null", true},
		{``, "", false}, {`null`, "", false}, {`true`, "", false}, {`42`, "", false}, {`-1`, "", false}, {`["a"]`, "", false}, {`{"a":"b"}`, "", false},
	} {
		if got, ok := Text([]byte(c.raw)); got != c.want || ok != c.ok {
			t.Errorf("%s: got %q, %t, want %q, %t", c.raw, got, ok, c.want, c.ok)
		}
	}
	if _, ok := Text(nil); ok {
		t.Error("an absent value is a text")
	}
}

func TestName(t *testing.T) {
	for _, c := range []struct {
		raw, want string
		ok        bool
	}{
		{`"weather"`, "weather", true},
		{`"a\/b\u00e9"`, "a/bé", true},
		{`"0"`, "0", true},
		{`" "`, " ", true},
		{`"1.0"`, "1.0", true},
		{`42`, "42", true}, {`0`, "0", true}, {`-7`, "-7", true},
		{`9223372036854775807`, "9223372036854775807", true},
		{`-9223372036854775808`, "-9223372036854775808", true},
		{`""`, "", false},
		{`9223372036854775808`, "", false}, {`-9223372036854775809`, "", false}, {`1.0`, "", false}, {`1.5`, "", false}, {`1e2`, "", false},
		{``, "", false}, {`null`, "", false}, {`true`, "", false}, {`false`, "", false}, {`[1]`, "", false}, {`{"a":1}`, "", false}, {`[]`, "", false},
	} {
		if got, ok := Name([]byte(c.raw)); got != c.want || ok != c.ok {
			t.Errorf("%s: got %q, %t, want %q, %t", c.raw, got, ok, c.want, c.ok)
		}
	}
}

func TestIsEmpty(t *testing.T) {
	empty := []string{``, `null`, `false`, `""`, `"0"`, `"\u0030"`, `0`, `-0`, `0.0`, `-0.00`, `0e5`, `0E-3`, `1e-999`, `[]`, "[ \t\r\n]", `{}`, `{ }`}
	for _, raw := range empty {
		if !IsEmpty([]byte(raw)) {
			t.Errorf("%s is taken for something", raw)
		}
	}
	if !IsEmpty(nil) {
		t.Error("an absent value is taken for something")
	}
	full := []string{`true`, `1`, `-1`, `0.1`, `1e5`, `1e999`, `5e-324`, `"00"`, `"0.0"`, `"-0"`, `" "`, `"null"`, `"false"`, `"[]"`, `"\u0000"`, `"\n"`,
		`[0]`, `[null]`, `[[]]`, `{"a":null}`, `{"":""}`}
	for _, raw := range full {
		if IsEmpty([]byte(raw)) {
			t.Errorf("%s is taken for empty", raw)
		}
	}
}

func TestAppendString(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", `""`},
		{"plain", "active.calls", `"active.calls"`},
		{"quote and backslash", `a"b\c`, `"a\"b\\c"`},
		{"slash and markup stay", "</b>&'", `"</b>&'"`},
		{"control characters", "\x00\t\n\x1f\x7f", "\"\\u0000\\u0009\\u000a\\u001f\x7f\""},
		{"not ASCII", "é😀\u2028", "\"é😀\u2028\""},
		{"the replacement character itself", "\ufffd", "\"\ufffd\""},
		{"a stray byte", "a\xffb", "\"a\ufffdb\""},
		{"two stray bytes", "\xff\xfe", "\"\ufffd\ufffd\""},
		{"cut off", "é\xc3", "\"é\ufffd\""},
		{"a surrogate in UTF-8", "\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\""},
		{"too long a spelling", "\xc0\xaf", "\"\ufffd\ufffd\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(AppendString([]byte("x"), c.text)); got != "x"+c.want {
				t.Errorf("got %q, want x%q", got, c.want)
			}
			if got := string(QuoteString(c.text)); got != c.want {
				t.Errorf("QuoteString: got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAppendStringOfEveryCharacter(t *testing.T) {
	var b strings.Builder
	for r := rune(0); r < 0x3000; r++ {
		b.WriteRune(r)
	}
	quoted := QuoteString(b.String())
	var got string
	if err := json.Unmarshal(quoted, &got); err != nil {
		t.Fatal(err)
	}
	if got != b.String() {
		t.Error("encoding/json reads another text")
	}
	if got, ok := Text(quoted); !ok || got != b.String() {
		t.Error("Text reads another text")
	}
}
