package token

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// superadmin is a token the size of a real one.
func superadmin() Spec {
	spec := Spec{Services: []string{"active.calls"}, DomainName: "a.example.com", UserName: "admin", Extensions: []string{"1001@a.example.com"}}
	for i := range 300 {
		spec.Permissions = append(spec.Permissions, fmt.Sprintf("some_permission_%03d", i))
	}
	return spec
}

func BenchmarkDecode300Permissions(b *testing.B) {
	for _, format := range []Format{PHP, JSON} {
		b.Run(format.String(), func(b *testing.B) {
			_, path, err := Create(b.TempDir(), superadmin(), format)
			if err != nil {
				b.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := format.decode(data, defaultLimits()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkClaim(b *testing.B) {
	for _, format := range []Format{PHP, JSON} {
		b.Run(format.String(), func(b *testing.B) {
			dir := b.TempDir()
			s, err := Open(Options{Dir: dir})
			if err != nil {
				b.Fatal(err)
			}
			spec := superadmin()
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				token, _, err := Create(dir, spec, format)
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if _, err := s.Claim(token.Name, token.Hash); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkParsePHPHostile parses shapes that are slow where a parser goes back
// or searches. The larger size must take no longer a byte, but for what its memory
// costs.
func BenchmarkParsePHPHostile(b *testing.B) {
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
					_, _ = parsePHP(data, defaultLimits())
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
