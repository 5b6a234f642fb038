package transport

import (
	"fmt"
	"testing"

	"strowger/config/policy"
)

// A client that asks for a part of what a service says gets that and nothing else, also where it reads slowly: a gap has
// only what it would have got.
func TestNarrowedReader(t *testing.T) {
	s := listen(t, nil, nil, shedLimits)
	s.narrow()
	s.begin()
	s.govern(map[string]policy.Policy{"a": {Slow: policy.DropOldest}})
	a := speaking(s.dial(), "a")
	slow := s.deaf()
	slow.text(`{"service":"authentication","token":{"name":"client:a","hash":"x"},"payload":{"gaps":true,"filters":{"a":{"topics":["t"],"keys":{"key":"mine"}}}}}`)
	if e := slow.envelope(); string(e.Payload) != `{"gaps":true,"filters":{"a":true}}` {
		t.Fatalf("the 200 says %s", e.Payload)
	}
	mine := &speaker{peer: a.peer, name: "a", latest: make(map[string]int)} // numbers only what the reader asked for
	for i := 0; s.dropped() < 200; i++ {
		if i%3 == 0 {
			mine.say("mine", 2<<10, false)
		} else {
			a.text(fmt.Sprintf(`{"service":"a","topic":%q,"payload":{"key":"other","n":%d}}`, "t", i))
			a.text(`{"service":"a","topic":"u","payload":{"key":"mine"}}`)
		}
	}
	mine.say("mine", 1, true)
	of := slow.hear("a")["a"]
	of.exact(t, mine)
	if of.told == 0 || len(of.latest) != 1 || s.deps.Counters.Narrowed.Load() == 0 {
		t.Errorf("told of %d, heard of the keys %v", of.told, of.latest)
	}
	s.nothingWaits()
}
