package introspect

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

type stubborn struct{}

func (*stubborn) Error() string { panic("no") }

func TestReasonText(t *testing.T) {
	tests := map[string]struct {
		reason any
		want   string
	}{
		"nothing":             {nil, "unknown"},
		"text":                {"boom", "boom"},
		"error":               {errors.New("bad day"), "bad day"},
		"number":              {42, "42"},
		"a struct":            {struct{ Password string }{"secret"}, "struct { Password string }"},
		"a pointer":           {&struct{ Password string }{"secret"}, "*struct { Password string }"},
		"an error that fails": {new(stubborn), "%!v(PANIC=Error method: no)"},
		"not UTF-8":           {"a\xffb", "a?b"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := reasonText(test.reason); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestClip(t *testing.T) {
	tests := map[string]struct {
		text    string
		longest int
		want    string
	}{
		"short":                     {"abc", 3, "abc"},
		"long":                      {"abcd", 3, "abc..."},
		"between characters":        {"aäöü", 4, "aä..."},
		"nothing":                   {"abc", 0, "..."},
		"all continuation bytes":    {strings.Repeat("\x80", 20), 10, "?..."},
		"grows by no replacement":   {strings.Repeat("a\xff", 4), 8, "a?a?a?a?"},
		"empty":                     {"", 0, ""},
		"four bytes cut at any one": {"\U0001F600x", 3, "..."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := clip(test.text, test.longest)
			if got != test.want || !utf8.ValidString(got) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
