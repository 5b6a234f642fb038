package transport

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// fragmented returns a message in so many frames, each with the given payload but for the last one, which has end.
func fragmented(frames int, payload, end string) []byte {
	var all []byte
	for n := range frames - 1 {
		first := openMore
		if n == 0 {
			first = openText
		}
		all = append(all, masked(first, []byte(payload))...)
	}
	return append(all, masked(lastFragment, []byte(end))...)
}

// A message may have so many frames, however short they are, and not one more. Control frames between them do not count,
// and each message has its own count.
func TestFragmentsOfAMessage(t *testing.T) {
	const most = 20
	for name, payload := range map[string]string{"empty": "", "of one byte": "a"} {
		t.Run(name, func(t *testing.T) {
			for _, cut := range []int{1, 7, 1 << 20} {
				f := found{longest: 1 << 20, most: most}
				var d decoder
				feed := func(stream []byte) error {
					for piece := range slices.Chunk(stream, cut) {
						if err := d.feed(piece, &f); err != nil {
							return err
						}
					}
					return nil
				}
				fits := fragmented(most, payload, "z")
				half := len(fits) / 2 / len(masked(openMore, []byte(payload))) * len(masked(openMore, []byte(payload)))
				for range 3 {
					if err := feed(join(fits[:half], masked(ping, nil), masked(pong, nil), fits[half:])); err != nil {
						t.Fatalf("cut by %d: %v", cut, err)
					}
				}
				want := "message " + strings.Repeat(payload, most-1) + "z"
				if all := []string{"ping ", want, "ping ", want, "ping ", want}; !slices.Equal(f.events, all) {
					t.Errorf("cut by %d: got %q, want %q", cut, f.events, all)
				}
				err := feed(fragmented(most+1, payload, "z"))
				if v, ok := errors.AsType[*violation](err); !ok || v.code != frame.CloseTooBig || v.what != tooManyFrames {
					t.Errorf("cut by %d: one frame more: %v", cut, err)
				}
				if len(f.events) != 6 {
					t.Errorf("cut by %d: the message with one frame more was handed over", cut)
				}
			}
		})
	}
}

// The connection is closed with 1009, and the log names the setting. A reload counts for open connections.
func TestTooManyFragments(t *testing.T) {
	const most = 20
	s, lines, _ := rated(t, func(l *Limits) { l.Fragments = most })
	fits := s.login("client")
	fits.write(fragmented(most, " ", "{}"))
	fits.ping("fits")
	over := s.dial() // it holds for those who have not authenticated too
	over.write(fragmented(most+1, " ", "{}"))
	over.closed(frame.CloseTooBig)
	if n := s.deps.Refusals().Count(refusals.Fragments); n != 1 {
		t.Errorf("counted %d times, want once", n)
	}
	lines.want(t, fmt.Sprintf(`level=WARN msg="connection closed because of a message of too many frames" cause=fragments remote=127\.0\.0\.1:\d+ role=unauthenticated setting=limits\.fragments .*limit=%d\n`, most))
	allow := func(most int) {
		l := *s.limits.Load()
		l.Fragments = most
		s.limits.Store(&l)
	}
	allow(most + 1)
	fits.write(fragmented(most+1, " ", "{}"))
	fits.ping("fits too")
	allow(0) // any number
	fits.write(fragmented(1000, "", "{}"))
	fits.ping("fits still")
}
