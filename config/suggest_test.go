package config

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	tests := []struct {
		from, to string
		want     int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "abd", 1},
		{"abc", "ac", 1}, {"ac", "abc", 1}, {"ab", "ba", 2}, {"kitten", "sitting", 3},
	}
	for _, test := range tests {
		if got := distance(test.from, test.to); got != test.want {
			t.Errorf("from %q to %q: got %d, want %d", test.from, test.to, got, test.want)
		}
	}
}

func TestUnknown(t *testing.T) {
	known := []string{"limits", "limits.depth", "log.level"}
	tests := []struct{ name, written, want string }{
		{"one letter", "limits.deth", "unknown key, did you mean limits.depth?"},
		{"no section", "level", "unknown key, did you mean log.level?"},
		{"nothing near", "colour", "unknown key"},
		{"nothing", "", "unknown key"},
		{"too long to compare", strings.Repeat("x", 64) + ".depth", "unknown key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := unknown(test.written, known); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got := unknown("limits.deth", nil); got != "unknown key" {
		t.Errorf("without known names: got %q", got)
	}
}
