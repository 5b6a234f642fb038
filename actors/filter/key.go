package filter

import (
	"encoding/binary"

	"strowger/config/policy"
)

// Slow returns what becomes of broadcasts that pass the filter when too many of them wait for one reader.
func (f *Filter) Slow() policy.Slow {
	if f == nil {
		return ""
	}
	return f.slow
}

// keyLength is how many bytes a key may have, so that what waits for slow readers is not bigger than its frames.
const keyLength = 256

// Key returns of what a broadcast tells the latest, as the policy's coalesce has it: two payloads have the same key if
// they have the same values under all those names. It is empty if the payload lacks one of them, if the values are
// longer than 256 bytes together, or if the policy does not coalesce. Of a name that comes twice the last one counts.
// Numbers are compared as they are written.
func (f *Filter) Key(payload []byte) string {
	if f == nil || len(f.coalesce) == 0 || kind(payload) != '{' {
		return ""
	}
	values := make([][]byte, len(f.coalesce))
	s := scan(payload)
	for m, ok := s.next(); ok; m, ok = s.next() {
		name, _ := text(m.key)
		for i := range values {
			if string(name) == f.coalesce[i] {
				values[i] = m.value
			}
		}
	}
	var key []byte
	for _, value := range values {
		if value == nil {
			return ""
		}
		kind := byte('v')
		if said, ok := text(value); ok {
			kind, value = 't', said
		}
		key = binary.AppendUvarint(append(key, kind), uint64(len(value)))
		if key = append(key, value...); len(key) > keyLength {
			return ""
		}
	}
	return string(key)
}
