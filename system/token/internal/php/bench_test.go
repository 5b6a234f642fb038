package php

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParseHostile parses shapes that are slow where a parser goes back
// or searches. The larger size must take no longer a byte, but for what its memory
// costs.
func BenchmarkParseHostile(b *testing.B) {
	shapes := map[string]func(size int) string{
		"escapes":      func(size int) string { return "'" + strings.Repeat(`\\`, size/2) + "'" },
		"joins":        func(size int) string { return "''" + strings.Repeat(`."\0"`, size/5) },
		"blanks":       func(size int) string { return strings.Repeat(" ", size) + "1" },
		"digits":       func(size int) string { return strings.Repeat("1", size) },
		"elements":     func(size int) string { return "[" + strings.Repeat("1,", size/2) + "]" },
		"falling keys": fallingKeys,
		"unclosed":     func(size int) string { return "[" + strings.Repeat("'", size) },
	}
	for name, shape := range shapes {
		for _, size := range []int{1 << 14, 1 << 19} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				data := []byte("<?php return " + shape(size) + ";")
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					_, _ = Parse(data, maxDepth)
				}
			})
		}
	}
}

// fallingKeys returns an array that goes the slow way to look for duplicates.
func fallingKeys(size int) string {
	var text strings.Builder
	for i := size / 10; i > 0; i-- {
		fmt.Fprintf(&text, "%d=>1,", i)
	}
	return "[" + text.String() + "]"
}
