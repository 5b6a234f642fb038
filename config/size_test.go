package config

import (
	"encoding/json"
	"testing"
)

func TestSize(t *testing.T) {
	tests := []struct {
		text string
		want Size
		err  string
	}{
		{"0", 0, ""},
		{"1", 1, ""},
		{"65536", 64 * KiB, ""},
		{"64KiB", 64 * KiB, ""},
		{"64 KiB", 64 * KiB, ""},
		{"1MiB", MiB, ""},
		{"2GiB", 2 * GiB, ""},
		{"-1", -1, ""},
		{"9223372036854775807", 1<<63 - 1, ""},
		{"8589934591GiB", 8589934591 * GiB, ""},
		{"9223372036854775808", 0, "9223372036854775808 is out of range"},
		{"8589934592GiB", 0, "8589934592GiB is out of range"},
		{"17179869184GiB", 0, "17179869184GiB is out of range"},
		{"", 0, `"" is not a size such as 65536, 64KiB or 1MiB`},
		{"KiB", 0, "KiB is not a size such as 65536, 64KiB or 1MiB"},
		{"lots", 0, "lots is not a size such as 65536, 64KiB or 1MiB"},
		{"1.5MiB", 0, "1.5MiB is not a size such as 65536, 64KiB or 1MiB"},
		{"1 ", 0, `"1 " is not a size such as 65536, 64KiB or 1MiB`},
		{"1  KiB", 0, `"1  KiB" is not a size such as 65536, 64KiB or 1MiB`},
		{"010", 0, "010 is not a size such as 65536, 64KiB or 1MiB"},
		{"+1", 0, "+1 is not a size such as 65536, 64KiB or 1MiB"},
		{"1e6", 0, "1e6 has an unknown unit, use KiB, MiB or GiB"},
		{"64KB", 0, "64KB has an unknown unit, use KiB, MiB or GiB"},
		{"64k", 0, "64k has an unknown unit, use KiB, MiB or GiB"},
		{"64kib", 0, "64kib has an unknown unit, use KiB, MiB or GiB"},
		{"64KiB ", 0, `"64KiB " has an unknown unit, use KiB, MiB or GiB`},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got := Size(77)
			err := got.UnmarshalText([]byte(test.text))
			if test.err != "" {
				wantError(t, err, test.err)
				if got != 77 {
					t.Errorf("changed to %d on error", got)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %d and error %v, want %d", got, err, test.want)
			}
		})
	}
}

func TestSizeText(t *testing.T) {
	tests := map[Size]string{
		0: "0", 1: "1", 1000: "1000", KiB: "1KiB", KiB + 1: "1025", 1536 * KiB: "1536KiB",
		16 * MiB: "16MiB", 4 * GiB: "4GiB", 1024 * GiB: "1024GiB", -KiB: "-1KiB",
	}
	for size, want := range tests {
		text, err := json.Marshal(size)
		if err != nil || string(text) != `"`+want+`"` {
			t.Errorf("%d: got %s and error %v, want %q", int64(size), text, err, want)
		}
		var back Size
		if err := json.Unmarshal(text, &back); err != nil || back != size {
			t.Errorf("%s is read back as %d, error %v", text, int64(back), err)
		}
	}
}
