package php

import "strconv"

// Array is a PHP array: ordered, with int and string keys mixed.
type Array struct {
	Entries []Entry
}

// Entry is one key with its value.
type Entry struct {
	Key   Key
	Value any
}

// Key is a key of an array: an int or a string. The two kinds never compare equal.
type Key struct {
	Text   string
	Number int64
	IsInt  bool // Number holds the key; otherwise Text does.
}

// Object is (object) array(...), or \Class::__set_state(array(...)) with the
// class as written. Its keys are kept as written: '5' stays a string.
type Object struct {
	Class string // Empty for (object).
	Array
}

// EnumCase is \Class::Case.
type EnumCase struct {
	Class string
	Name  string
}

// TextKey returns the key PHP makes of a string: decimal integers become ints.
func TextKey(text string) Key {
	if number, ok := integerKey(text); ok {
		return Key{Number: number, IsInt: true}
	}
	return Key{Text: text}
}

// IntKey returns an int key.
func IntKey(number int64) Key { return Key{Number: number, IsInt: true} }

// integerKey reports whether text is an integer exactly as PHP would print it.
func integerKey(text string) (int64, bool) {
	const longest = len("-9223372036854775808")
	if text == "" || len(text) > longest || text[0] > '9' {
		return 0, false
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(number, 10) != text {
		return 0, false
	}
	return number, true
}

// String returns the key as PHP would turn it into a string.
func (k Key) String() string {
	if k.IsInt {
		return strconv.FormatInt(k.Number, 10)
	}
	return k.Text
}

// canonical returns the key as an array would hold it.
func (k Key) canonical() Key {
	if k.IsInt {
		return k
	}
	return TextKey(k.Text)
}

// At returns the value of a string key. It returns nil for a key that is absent and for one whose
// value is null, which PHP's isset treats alike. The array may be nil.
func (a *Array) At(name string) any {
	if a == nil {
		return nil
	}
	for i := range a.Entries {
		if k := &a.Entries[i].Key; !k.IsInt && k.Text == name {
			return a.Entries[i].Value
		}
	}
	return nil
}

// Append adds an entry. The key must not be in the array.
func (a *Array) Append(k Key, value any) {
	a.Entries = append(a.Entries, Entry{Key: k, Value: value})
}

// Set adds an entry with a string key, which must not be the text of an integer nor be in the array.
func (a *Array) Set(name string, value any) { a.Append(Key{Text: name}, value) }

// TypeName returns the PHP name of a value's type, for error messages.
func TypeName(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case string:
		return "string"
	case *Array:
		return "array"
	case *Object:
		return "object"
	case EnumCase:
		return "enum case"
	default:
		return "unknown"
	}
}
