package php

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// maxDepth is as deep as the values of the tests may be nested.
const maxDepth = 64

// list builds an array of keys and values in turn.
func list(keysAndValues ...any) *Array {
	a := &Array{}
	for i := 0; i < len(keysAndValues); i += 2 {
		switch k := keysAndValues[i].(type) {
		case int:
			a.Append(IntKey(int64(k)), keysAndValues[i+1])
		case int64:
			a.Append(IntKey(k), keysAndValues[i+1])
		case string:
			a.Set(k, keysAndValues[i+1])
		}
	}
	return a
}

func TestParseReads(t *testing.T) {
	tests := []struct {
		name string
		text string // What stands between return and the semicolon.
		want any
	}{
		{"null", "NULL", nil},
		{"null in lower case", "null", nil},
		{"true", "true", true},
		{"true in any case", "tRuE", true},
		{"false", "FALSE", false},
		{"zero", "0", int64(0)},
		{"int", "42", int64(42)},
		{"negative int", "-7", int64(-7)},
		{"largest int", "9223372036854775807", int64(math.MaxInt64)},
		{"smallest int", "-9223372036854775807-1", int64(math.MinInt64)},
		{"next to smallest int", "-9223372036854775807", int64(-math.MaxInt64)},
		{"int too large", "9223372036854775808", float64(1 << 63)},
		{"int too small", "-9223372036854775809", float64(math.MinInt64)},
		{"smallest int without a subtraction", "-9223372036854775808", float64(math.MinInt64)},
		{"smallest int as an element", "[-9223372036854775808]", list(0, float64(math.MinInt64))},
		{"float too large", "1.0E+999", math.Inf(1)},
		{"float", "1.0", 1.0},
		{"float with exponent", "1.0E+50", 1e50},
		{"small float", "1.0E-7", 1e-7},
		{"minus zero", "-0.0", math.Copysign(0, -1)},
		{"infinity", "INF", math.Inf(1)},
		{"minus infinity", "-INF", math.Inf(-1)},
		{"not a number", "NAN", math.NaN()},
		{"empty string", "''", ""},
		{"escapes", `'it\'s \\ here'`, `it's \ here`},
		{"backslash that escapes nothing", `'a\nb\"'`, `a\nb\"`},
		{"raw newlines", "'a\r\nb'", "a\r\nb"},
		{"UTF-8 and other bytes", "'gr\u00fc\xff'", "gr\u00fc\xff"},
		{"PHP tags in a string", "'<?php ?> // /* #'", "<?php ?> // /* #"},
		{"NUL", `'a' . "\0" . 'b'`, "a\x00b"},
		{"two NULs", `'' . "\0" . '' . "\0" . ''`, "\x00\x00"},
		{"two NULs in one", `"\0\0"`, "\x00\x00"},
		{"empty double quotes", `""`, ""},
		{"joined without blanks", `'a'.'b'`, "ab"},
		{"empty array", "array (\n)", list()},
		{"empty array without blank", "array()", list()},
		{"empty short array", "[]", list()},
		{"list", "array (\n  0 => 'a',\n  1 => 'b',\n)", list(0, "a", 1, "b")},
		{"no trailing comma", "array(0 => 'a')", list(0, "a")},
		{"short list", "['a', 'b',]", list(0, "a", 1, "b")},
		{"keys go on after the largest", "[5 => 'a', 'b', 2 => 'c', 'd']", list(5, "a", 6, "b", 2, "c", 7, "d")},
		{"integers as string keys become ints", "['7' => 1, '-7' => 2]", list(7, int64(1), -7, int64(2))},
		{"other digits stay strings", "['07' => 1, '-0' => 2, '1.5' => 3, '9223372036854775808' => 4]",
			list("07", int64(1), "-0", int64(2), "1.5", int64(3), "9223372036854775808", int64(4))},
		{"smallest int as key", "[-9223372036854775808 => 1]", list(int64(math.MinInt64), int64(1))},
		{"key with NUL", `['a' . "\0" . 'b' => 1]`, list("a\x00b", int64(1))},
		{"nested", "array (\n  'a' => \n  array (\n    'b' => NULL,\n  ),\n)", list("a", list("b", nil))},
		{"object", "(object) array(\n   'a' => 1,\n)", &Object{Array: *list("a", int64(1))}},
		{"integers as object keys stay as written", "(object) array('5' => 1)", &Object{Array: *list("5", int64(1))}},
		{"object of a class", `\A\B_2::__set_state(array('a' => 1))`, &Object{Class: `\A\B_2`, Array: *list("a", int64(1))}},
		{"enum case", `\A\Suit::Hearts`, EnumCase{Class: `\A\Suit`, Name: "Hearts"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse([]byte("<?php\nreturn "+test.text+";\n"), maxDepth)
			if err != nil {
				t.Fatal(err)
			}
			if !equal(got, test.want) {
				t.Errorf("got %s, want %s", Print(got), Print(test.want))
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name string
		text string
		want string
	}{
		{"nothing", "", `offset 0: want <?php and a blank`},
		{"no PHP", "plain text", `offset 0: want <?php and a blank`},
		{"text before PHP", "\ufeff<?php return 1;", `offset 0: want <?php and a blank`},
		{"no blank after the tag", "<?phpreturn 1;", `offset 0: want <?php and a blank`},
		{"the tag alone", "<?php", `offset 0: want <?php and a blank`},
		{"no return", "<?php exit(0);", `offset 6: want return, got "e"`},
		{"return and more", "<?php returns 1;", `offset 6: want return, got "r"`},
		{"no value", "<?php return ;", `offset 13: want a value, got ";"`},
		{"no semicolon", "<?php return 1", `offset 14: want ";", got the end of the file`},
		{"half written", "<?php\nreturn array ( 'token' => arr", `offset 32: want a value, got an unknown word`},
		{"half a string", "<?php return 'abc", `offset 13: string is not closed`},
		{"escape at the end", `<?php return 'abc\`, `offset 13: string is not closed`},
		{"closing tag", "<?php return 1; ?>", `offset 16: want the end of the file after the final ";"`},
		{"second statement", "<?php return 1; unlink('x');", `offset 16: want the end of the file after the final ";"`},
		{"slash comment", "<?php return 1; // x", `offset 16: want the end of the file after the final ";"`},
		{"hash comment", "<?php # x\nreturn 1;", `offset 6: want return, got "#"`},
		{"block comment", "<?php return [/* x */];", `offset 14: want a value, got "/"`},
		{"call", "<?php return phpinfo();", `offset 13: want a value, got an unknown word`},
		{"backquotes", "<?php return `id`;", "offset 13: want a value, got \"`\""},
		{"variable", "<?php return $x;", `offset 13: want a value, got "$"`},
		{"variable in double quotes", `<?php return "$x";`, `offset 14: want \0 or the closing double quote, got "$"`},
		{"other escape in double quotes", `<?php return "\x41";`, `offset 14: want \0 or the closing double quote, got "\\"`},
		{"octal in double quotes", `<?php return "\01";`, `offset 16: want \0 or the closing double quote, got "1"`},
		{"heredoc", "<?php return <<<X\nX;", `offset 13: want a value, got "<"`},
		{"join with a number", "<?php return 'a' . 1;", `offset 19: want a quoted string, got "1"`},
		{"sum", "<?php return 1 + 1;", `offset 15: want ";", got "+"`},
		{"subtraction from another number", "<?php return -5-1;", `offset 15: want ";", got "-"`},
		{"subtraction of ten", "<?php return -9223372036854775807-10;", `offset 35: want the end of a number, got "0"`},
		{"subtraction of a float", "<?php return -9223372036854775807-1.0;", `offset 35: want the end of a number, got "."`},
		{"plus sign", "<?php return +1;", `offset 13: want a value, got "+"`},
		{"minus alone", "<?php return -;", `offset 14: want a digit, got ";"`},
		{"minus infinity and more", "<?php return -INFO;", `offset 14: want a digit, got "I"`},
		{"infinity in lower case", "<?php return inf;", `offset 13: want a value, got an unknown word`},
		{"octal", "<?php return 010;", `offset 13: number with a leading zero`},
		{"hexadecimal", "<?php return 0x10;", `offset 14: want the end of a number, got "x"`},
		{"underscore in a number", "<?php return 1_000;", `offset 14: want the end of a number, got "_"`},
		{"float without fraction", "<?php return 1.;", `offset 15: want a digit, got ";"`},
		{"float without whole part", "<?php return .5;", `offset 13: want a value, got "."`},
		{"exponent without sign", "<?php return 1.0E5;", `offset 17: want the sign of an exponent, got "5"`},
		{"exponent without digits", "<?php return 1.0E+;", `offset 18: want a digit, got ";"`},
		{"two points", "<?php return 1.0.0;", `offset 16: want the end of a number, got "."`},
		{"array without parenthesis", "<?php return array;", `offset 18: want "(", got ";"`},
		{"array not closed", "<?php return array (1", `offset 21: want "," or ")", got the end of the file`},
		{"array closed wrongly", "<?php return [1);", `offset 15: want "," or "]", got ")"`},
		{"two commas", "<?php return [1,,];", `offset 16: want a value, got ","`},
		{"comma first", "<?php return [,];", `offset 14: want a value, got ","`},
		{"key without value", "<?php return ['a' => ];", `offset 21: want a value, got "]"`},
		{"two keys", "<?php return ['a' => 'b' => 1];", `offset 25: want "," or "]", got "="`},
		{"float as key", "<?php return [1.5 => 1];", `offset 14: want a string or an int as key, got float`},
		{"null as key", "<?php return [NULL => 1];", `offset 14: want a string or an int as key, got null`},
		{"array as key", "<?php return [[] => 1];", `offset 14: want a string or an int as key, got array`},
		{"duplicate key", "<?php return ['a' => 1, 'a' => 2];", `offset 24: duplicate key`},
		{"duplicate key as int and string", "<?php return [5 => 1, '5' => 2];", `offset 22: duplicate key`},
		{"duplicate key in an object", "<?php return (object) array(5 => 1, '5' => 2);", `offset 36: duplicate key`},
		{"no key after a negative one", "<?php return [-5 => 1, 2];", `offset 23: want a key after a negative one`},
		{"no key after the largest", "<?php return [9223372036854775807 => 1, 2];", `offset 40: no int key left`},
		{"spread", "<?php return [...[1]];", `offset 14: want a value, got "."`},
		{"reference", "<?php return [&$x];", `offset 14: want a value, got "&"`},
		{"other cast", "<?php return (int) 5;", `offset 14: want object, got "i"`},
		{"cast not closed", "<?php return (object array());", `offset 21: want ")", got "a"`},
		{"cast of a string", "<?php return (object) 'x';", `offset 22: want array, got "'"`},
		{"other static call", `<?php return \A::run();`, `offset 20: want ";", got "("`},
		{"class without a member", `<?php return \A;`, `offset 15: want "::", got ";"`},
		{"class without a name", `<?php return \::x;`, `offset 14: want a name, got ":"`},
		{"static variable", `<?php return \A::$x;`, `offset 17: want a name, got "$"`},
		{"set_state without array", `<?php return \A::__set_state(1);`, `offset 29: want array, got "1"`},
		{"set_state not closed", `<?php return \A::__set_state(array();`, `offset 36: want ")", got ";"`},
		{"set_state without call", `<?php return \A::__set_state;`, `offset 28: want "(", got ";"`},
		{"function name without backslash", `<?php return A::B;`, `offset 13: want a value, got an unknown word`},
		{"end in a key", "<?php return ['a'", `offset 17: want "," or "]", got the end of the file`},
		{"NUL outside of a string", "<?php return \x00;", `offset 13: want a value, got "\x00"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse([]byte(test.text), maxDepth)
			if err == nil {
				t.Fatalf("accepted as %s", Print(got))
			}
			if err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestParseBoundsDepth(t *testing.T) {
	nested := func(depth int) []byte {
		return []byte("<?php return " + strings.Repeat("[", depth) + strings.Repeat("]", depth) + ";")
	}
	if _, err := Parse(nested(5), 5); err != nil {
		t.Errorf("at the bound: %v", err)
	}
	_, err := Parse(nested(6), 5)
	if want := "offset 18: arrays nested too deep"; !errors.As(err, new(*DepthError)) || err.Error() != want {
		t.Errorf("over the bound: got %v, want %s", err, want)
	}
	wide := "<?php return [" + strings.Repeat("[[]],", 100) + "];"
	if _, err := Parse([]byte(wide), 5); err != nil {
		t.Errorf("neighbours count as depth: %v", err)
	}
	for _, opening := range []string{"[", "(object) array(", `\A::__set_state(array(`, "array(array(1 => "} {
		if _, err := Parse([]byte("<?php return "+strings.Repeat(opening, 10_000)), 5); err == nil {
			t.Errorf("%q without end was accepted", opening)
		}
	}
}

// TestParseFindsDuplicatesInLargeArrays covers the way from looking at each
// entry to a map.
func TestParseFindsDuplicatesInLargeArrays(t *testing.T) {
	for size := 1; size < 4*smallArray; size++ {
		var text strings.Builder
		for i := range size {
			fmt.Fprintf(&text, "'k%d' => 1, %d => 2, ", i, 2*i)
		}
		if _, err := Parse([]byte("<?php return ["+text.String()+"];"), maxDepth); err != nil {
			t.Fatalf("%d pairs: %v", size, err)
		}
		for _, again := range []string{"'k0' => 3", fmt.Sprintf("'k%d' => 3", size-1), "0 => 3", fmt.Sprintf("%d => 3", 2*(size-1))} {
			if _, err := Parse([]byte("<?php return ["+text.String()+again+"];"), maxDepth); err == nil {
				t.Fatalf("%d pairs: duplicate %s was accepted", size, again)
			}
		}
	}
}

// equal compares two PHP values: floats by their bits, all not-a-numbers alike.
func equal(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && (math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b))
	case *Array:
		b, ok := b.(*Array)
		return ok && equalEntries(a, b)
	case *Object:
		b, ok := b.(*Object)
		return ok && a.Class == b.Class && equalEntries(&a.Array, &b.Array)
	default:
		return a == b
	}
}

func equalEntries(a, b *Array) bool {
	if len(a.Entries) != len(b.Entries) {
		return false
	}
	for i := range a.Entries {
		if a.Entries[i].Key != b.Entries[i].Key || !equal(a.Entries[i].Value, b.Entries[i].Value) {
			return false
		}
	}
	return true
}
