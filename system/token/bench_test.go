package token

import (
	"fmt"
	"os"
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
