package jwt

import "testing"

func BenchmarkVerify(b *testing.B) {
	for _, alg := range []string{"HS256", "RS256", "ES256", "EdDSA"} {
		b.Run(alg, func(b *testing.B) {
			p := pairs()[alg]
			v, err := New(options(p.entry(b)), nil)
			if err != nil {
				b.Fatal(err)
			}
			defer v.Close()
			token := p.sign(b, claims(map[string]any{"permissions": []string{"a", "b"}, "services": []string{"weather"}}), nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
