package php

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzParse wants every input to end in a value or in an error, and every value to survive being printed and
// parsed again.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("../../../../testdata/token/*.php")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no token files: %v", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`<?php return [-9223372036854775808 => -9223372036854775807-1, 'a' . "\0" . 'b' => (object) array('5' => \A\B::__set_state(array(-0.0)))];`))
	f.Add([]byte(`<?php return array ('x' => \S::H, NAN, -INF, 1.0E-50, 'it\'s \\ \n', "\0\0", TrUe,);`))
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := Parse(data, maxDepth)
		if err != nil {
			if value != nil {
				t.Fatalf("got %v, %v", value, err)
			}
			return
		}
		printed := Print(value)
		again, err := Parse(printed, maxDepth)
		if err != nil || !equal(again, value) {
			t.Fatalf("%q\nprints as\n%q\nwhich reads as %v, %v", data, printed, again, err)
		}
		if twice := Print(again); string(twice) != string(printed) {
			t.Fatalf("prints as\n%q\nand then as\n%q", printed, twice)
		}
	})
}
