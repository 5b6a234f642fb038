package token

import "strconv"

// A PHP value is one of: nil, bool, int64, float64, string (raw bytes), *array,
// *object, enumCase. Objects and enum cases are carried along, never built:
// no token field is one.

// array is a PHP array: ordered, with int and string keys mixed.
type array struct {
	entries []entry
}

// entry is one key with its value.
type entry struct {
	key   key
	value any
}

// key is a PHP array key. The two kinds never compare equal.
type key struct {
	text   string
	number int64
	isInt  bool
}

// object is (object) array(...), or \Class::__set_state(array(...)) with the
// class as written. Its keys are kept as written: '5' stays a string.
type object struct {
	class string // Empty for (object).
	array
}

// enumCase is \Class::Case.
type enumCase struct {
	class string
	name  string
}

// textKey returns the key PHP makes of a string: decimal integers become ints.
func textKey(text string) key {
	if number, ok := integerKey(text); ok {
		return key{number: number, isInt: true}
	}
	return key{text: text}
}

// intKey returns an int key.
func intKey(number int64) key { return key{number: number, isInt: true} }

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
func (k key) String() string {
	if k.isInt {
		return strconv.FormatInt(k.number, 10)
	}
	return k.text
}

// canonical returns the key as an array would hold it.
func (k key) canonical() key {
	if k.isInt {
		return k
	}
	return textKey(k.text)
}

// at returns the value behind a string key, or nil: PHP's isset treats an
// absent key and a null one alike, and so does whoever reads a token.
func (a *array) at(name string) any {
	if a == nil {
		return nil
	}
	for i := range a.entries {
		if k := &a.entries[i].key; !k.isInt && k.text == name {
			return a.entries[i].value
		}
	}
	return nil
}

// append adds an entry; the caller has made sure that the key is new.
func (a *array) append(k key, value any) {
	a.entries = append(a.entries, entry{key: k, value: value})
}

// set adds an entry under a string key that is not an integer.
func (a *array) set(name string, value any) { a.append(key{text: name}, value) }

// typeName returns the PHP name of a value's type, for error messages.
func typeName(value any) string {
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
	case *array:
		return "array"
	case *object:
		return "object"
	case enumCase:
		return "enum case"
	default:
		return "unknown"
	}
}
