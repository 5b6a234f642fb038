package token

import (
	"errors"
	"testing"
)

func TestDecodePHPBounds(t *testing.T) {
	const deep = "<?php return [[[]]];"
	tests := []struct {
		name  string
		bytes int64
		depth int
		want  string
	}{
		{"both at the bound", int64(len(deep)), 3, "malformed token: token: missing"},
		{"larger", int64(len(deep)) - 1, 3, "malformed token: the file has 20 bytes, tokens.max_bytes allows 19"},
		{"deeper", int64(len(deep)), 2, "malformed token: offset 15: tokens.max_depth allows 2 levels: arrays nested too deep"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lim := defaultLimits()
			lim.bytes, lim.depth = test.bytes, test.depth
			_, err := decodePHP([]byte(deep), lim)
			if !errors.Is(err, ErrMalformed) || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
