package web

import (
	"strings"
	"testing"

	"strowger/actors"
)

func TestIDIsBounded(t *testing.T) {
	var p positions
	p.begin(nil)
	if id := p.id(); id != "" {
		t.Errorf("id %q of a stream that is nowhere", id)
	}
	at := actors.Position{Epoch: "abc", Offset: 7}
	p.set("s", at)
	rest := maxID - len(p.id())
	p.set(strings.Repeat("a", rest-len("&=abc.7")), at)
	if id := p.id(); len(id) != maxID || len(positionsOf(id)) != 2 {
		t.Errorf("%d bytes with %d positions, want %d with 2", len(id), len(positionsOf(id)), maxID)
	}
	p.set("s", actors.Position{Epoch: "abc", Offset: 10})
	if id := p.id(); id != noID || len(positionsOf(id)) != 0 {
		t.Errorf("got %q for one byte too many", id)
	}
}

// Whatever the names are, the id is one line, and says what went into it.
func FuzzID(f *testing.F) {
	f.Add("numbers", "a=b&c", int64(1), int64(2))
	f.Add("", "a\r\nb", int64(0), int64(1<<53-1))
	f.Add("%", "\xff", int64(5), int64(6))
	f.Fuzz(func(t *testing.T, one, other string, m, n int64) {
		if m < 0 || n < 0 || m > 1<<53-1 || n > 1<<53-1 || one == other {
			t.Skip()
		}
		var p positions
		p.begin(nil)
		want := map[string]actors.Position{one: {Epoch: "abc", Offset: m}, other: {Epoch: "x_-9", Offset: n}}
		for service, at := range want {
			p.set(service, at)
		}
		id := p.id()
		if strings.ContainsAny(id, "\r\n\x00") || len(id) > maxID {
			t.Fatalf("id %q", id)
		}
		if id == noID {
			t.Skip()
		}
		got := positionsOf(id)
		if len(got) != len(want) {
			t.Fatalf("%d positions in %q", len(got), id)
		}
		for service, at := range want {
			if got[service] == nil || *got[service] != at {
				t.Errorf("%q is at %v, want %v", service, got[service], at)
			}
		}
	})
}
