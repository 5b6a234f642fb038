package config

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
)

// Error is one thing wrong with the configuration. Load and Validate return
// all of them joined; errors.As finds the first, and the joined error's
// Unwrap() []error lists every one.
type Error struct {
	// Source is the file, the environment variable or the flag (with its
	// dashes) the value came from; empty when it came from none of them.
	Source string
	// Line is the line in Source, counted from 1; 0 when it has none.
	Line int
	// Key is the key that is wrong; empty when the whole source is.
	Key string
	// Msg says what is wrong and, where that is clear, what to write.
	Msg string
}

// Error returns source, line, key and message on one line.
func (e *Error) Error() string {
	text := ""
	if e.Source != "" {
		text = e.Source
		if e.Line > 0 {
			text += ":" + strconv.Itoa(e.Line)
		}
		text += ": "
	}
	if e.Key != "" {
		text += e.Key + ": "
	}
	return text + e.Msg
}

// join returns all problems as one error, sorted by key, or nil.
func join(problems []*Error) error {
	slices.SortStableFunc(problems, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
	})
	list := make([]error, len(problems))
	for i, problem := range problems {
		list[i] = problem
	}
	return errors.Join(list...)
}
