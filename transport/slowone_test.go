package transport

import (
	"io"
	"strings"
	"testing"
)

// TestOneSlowOfMany: what only one member of a group is slow to take counts whole, however many others have taken it.
func TestOneSlowOfMany(t *testing.T) {
	r := newRig(t, nil)
	group := r.NewGroup()
	var all []*link
	for range 60 {
		l := r.linkTo(t, r.shards[0])
		all = append(all, l)
		if err := group.Add(l.socket); err != nil {
			t.Fatal(err)
		}
	}
	r.nothingWaits()
	all[0].Send(framed(strings.Repeat("x", 8<<20))) // it does not read
	r.settle()
	for _, l := range all[1:] {
		go func() { _, _ = io.Copy(io.Discard, l.far.br) }()
	}
	for _, size := range []int{4000, 40} {
		before := r.QueuedBytes()
		const messages = 100
		for range messages {
			group.Send(framed(strings.Repeat("y", size)), nil)
			r.settle()
			eventually(t, "all others have taken it", func() bool {
				for _, l := range all[1:] {
					waits := false
					l.look(func() bool { waits = l.waiting > 0; return true })
					if waits {
						return false
					}
				}
				return true
			})
		}
		want := int64(messages * len(framed(strings.Repeat("y", size)).Form))
		if got := r.QueuedBytes() - before; got != want {
			t.Errorf("%d bytes are counted, want %d", got, want)
		}
	}
}
