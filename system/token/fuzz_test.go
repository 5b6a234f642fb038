package token

import (
	"errors"
	"os"
	"testing"
)

// FuzzParsePHP wants every input to end in a value or in ErrMalformed, and
// every value to survive being printed and parsed again.
func FuzzParsePHP(f *testing.F) {
	addVectors(f, "*.php")
	f.Add([]byte(`<?php return [-9223372036854775808 => -9223372036854775807-1, 'a' . "\0" . 'b' => (object) array('5' => \A\B::__set_state(array(-0.0)))];`))
	f.Add([]byte(`<?php return array ('x' => \S::H, NAN, -INF, 1.0E-50, 'it\'s \\ \n', "\0\0", TrUe,);`))
	f.Fuzz(func(t *testing.T, data []byte) {
		lim := defaultLimits()
		value, err := parsePHP(data, lim)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || value != nil {
				t.Fatalf("got %v, %v", value, err)
			}
			return
		}
		// Escapes and indents make a text longer.
		lim.bytes = 1 << 30
		printed := printPHP(value)
		again, err := parsePHP(printed, lim)
		if err != nil || !equal(again, value) {
			t.Fatalf("%q\nprints as\n%q\nwhich reads as %v, %v", data, printed, again, err)
		}
		if twice := printPHP(again); string(twice) != string(printed) {
			t.Fatalf("prints as\n%q\nand then as\n%q", printed, twice)
		}
		if token, err := decodePHP(data, defaultLimits()); err == nil {
			checkDecoded(t, PHP, token)
		}
	})
}

// FuzzParseJSON wants every input to end in a token or in ErrMalformed.
func FuzzParseJSON(f *testing.F) {
	addVectors(f, "*.json")
	f.Fuzz(func(t *testing.T, data []byte) {
		token, err := decodeJSON(data, defaultLimits())
		if err != nil {
			if !errors.Is(err, ErrMalformed) || token != nil {
				t.Fatalf("got %v, %v", token, err)
			}
			return
		}
		checkDecoded(t, JSON, token)
	})
}

// checkDecoded wants a token to hold what Token promises, and to read the same
// after it was written.
func checkDecoded(t *testing.T, format Format, token *Token) {
	t.Helper()
	if token.Name == "" || token.Hash == "" || token.Limit < 0 || (token.Kind == Service) != (token.ServiceName != "") {
		t.Fatalf("broken promise: %+v", *token)
	}
	if format == PHP {
		return // encodePHP leaves out what only a Spec would refuse.
	}
	data, err := format.encode(token)
	if err != nil {
		t.Fatal(err)
	}
	lim := defaultLimits()
	lim.bytes = 1 << 30
	again, err := format.decode(data, lim)
	if err != nil {
		t.Fatalf("%s\nreads as %v", data, err)
	}
	second, err := format.encode(again)
	if err != nil || string(second) != string(data) {
		t.Fatalf("%s\nreads as\n%s\n%v", data, second, err)
	}
}

// addVectors seeds a fuzz target with the files of testdata.
func addVectors(f *testing.F, pattern string) {
	f.Helper()
	paths, err := vectorFiles(pattern)
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}
