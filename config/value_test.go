package config

import (
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		kind any
		text string
		want any    // nil when it is an error
		err  string // what it says
	}{
		{"text", "", " a b ", " a b ", ""},
		{"true", false, "true", true, ""},
		{"false", true, "false", false, ""},
		{"capital bool", true, "True", nil, "True is neither true nor false"},
		{"empty bool", true, "", nil, `"" is neither true nor false`},
		{"number", 0, "42", 42, ""},
		{"negative number", 0, "-42", -42, ""},
		{"plus", 0, "+42", nil, "+42 is not a plain whole number"},
		{"fraction", 0, "4.2", nil, "4.2 is not a plain whole number"},
		{"hexadecimal", 0, "0x10", nil, "0x10 is not a plain whole number"},
		{"separator", 0, "1_000", nil, "1_000 is not a plain whole number"},
		{"blank", 0, " 1", nil, `" 1" is not a plain whole number`},
		{"huge number", 0, "99999999999999999999", nil, "99999999999999999999 is out of range"},
		{"duration", time.Second, "1h2m3s4ms", time.Hour + 2*time.Minute + 3*time.Second + 4*time.Millisecond, ""},
		{"fraction of a second", time.Second, "1.5s", 1500 * time.Millisecond, ""},
		{"zero duration", time.Second, "0s", time.Duration(0), ""},
		{"bare number", time.Second, "10", nil, "10 has no unit, write 10s"},
		{"bare zero", time.Second, "0", nil, "0 has no unit, write 0s"},
		{"bare fraction", time.Second, "1.5", nil, "1.5 has no unit, write 1.5s"},
		{"bare negative", time.Second, "-1", nil, "-1 has no unit, write -1s"},
		{"days", time.Second, "1d", nil, "1d is not a duration such as 10s, 1m30s or 250ms"},
		{"word", time.Second, "soon", nil, "soon is not a duration such as 10s, 1m30s or 250ms"},
		{"infinity", time.Second, "inf", nil, "inf is not a duration such as 10s, 1m30s or 250ms"},
		{"no duration", time.Second, "", nil, `"" is not a duration such as 10s, 1m30s or 250ms`},
		{"huge duration", time.Second, "9999999999h", nil, "9999999999h is not a duration such as 10s, 1m30s or 250ms"},
		{"size", Size(0), "64KiB", 64 * KiB, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseAs(test.kind, test.text)
			if test.want == nil {
				wantError(t, err, test.err)
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %v and error %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestFormatIsReadBack(t *testing.T) {
	tests := []struct {
		value any
		want  string
	}{
		{true, "true"},
		{-7, "-7"},
		{64 * KiB, "64KiB"},
		{Size(1000), "1000"},
		{time.Duration(0), "0s"},
		{time.Minute, "1m"},
		{90 * time.Second, "1m30s"},
		{time.Hour, "1h"},
		{time.Hour + time.Second, "1h0m1s"},
		{time.Hour + 10*time.Minute, "1h10m"},
		{10 * time.Minute, "10m"},
		{1500 * time.Microsecond, "1.5ms"},
		{-time.Minute, "-1m"},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			text := format(test.value)
			if text != test.want {
				t.Errorf("format: got %s, want %s", text, test.want)
			}
			if back, err := parseAs(test.value, text); err != nil || back != test.value {
				t.Errorf("parse: got %v and error %v, want %v", back, err, test.value)
			}
		})
	}
}

func TestQuote(t *testing.T) {
	tests := map[string]string{
		"plain":  "plain",
		"":       `""`,
		"a b":    `"a b"`,
		"a\nb":   `"a\nb"`,
		`a"b`:    `"a\"b"`,
		"é":      `"é"`,
		"\x1b[m": `"\x1b[m"`,
		"\xff":   `"\xff"`,
	}
	for text, want := range tests {
		if got := quote(text); got != want {
			t.Errorf("quote(%q) is %s, want %s", text, got, want)
		}
	}
	if got, want := quote(strings.Repeat("é", 65)), `"`+strings.Repeat("é", 64)+`..."`; got != want {
		t.Errorf("long text: got %s", got)
	}
}
