package token

import (
	"errors"
	"os"
	"testing"
)

// FuzzDecodePHP wants every input to end in a token or in ErrMalformed.
func FuzzDecodePHP(f *testing.F) {
	addVectors(f, "*.php")
	f.Fuzz(func(t *testing.T, data []byte) { fuzzDecode(t, PHP, data) })
}

// FuzzDecodeJSON wants every input to end in a token or in ErrMalformed.
func FuzzDecodeJSON(f *testing.F) {
	addVectors(f, "*.json")
	f.Fuzz(func(t *testing.T, data []byte) { fuzzDecode(t, JSON, data) })
}

func fuzzDecode(t *testing.T, format Format, data []byte) {
	t.Helper()
	token, err := format.decode(data, defaultLimits())
	if err != nil {
		if !errors.Is(err, ErrMalformed) || token != nil {
			t.Fatalf("got %v, %v", token, err)
		}
		return
	}
	checkDecoded(t, format, token)
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
