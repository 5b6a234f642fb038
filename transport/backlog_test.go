package transport

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"strowger/actors"
)

// waiting returns a backlog, and a function that pushes a frame and drops victims while there are more than most.
func waiting(most int) (b *backlog, push func(service string, loss actors.Loss, key string, frame byte)) {
	b = &backlog{services: make(map[string]*shedding)}
	return b, func(service string, loss actors.Loss, key string, frame byte) {
		w := &waiter{frame: []byte{frame}, share: 2}
		var replaced *waiter
		if service != "" {
			w.of, w.key = b.of(&actors.Recorded{Service: service, Loss: loss, Key: key}), key
			for b.messages >= most {
				victim, replaces := b.victim(w.of, key, false)
				if replaces {
					replaced = victim
				}
				b.drop(victim)
			}
		}
		b.push(w, replaced)
	}
}

// Whatever is pushed, dropped and taken, what comes out is in order, and each service's gaps are exact.
func TestBacklog(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		most := 1 + r.IntN(12)
		b, push := waiting(most)
		said, heard := map[string]int{}, map[string]int{}
		kept := 0 // pushed that may not be dropped, and not taken
		take := func(service string, missed int, w *waiter) {
			heard[service] += missed
			switch {
			case w == nil:
			case w.of == nil:
				kept--
			default:
				if heard[service]++; w.frame[0] != byte(heard[service]) {
					t.Fatalf("seed %d: %s: got %d, want %d", seed, service, w.frame[0], byte(heard[service]))
				}
			}
		}
		for range 500 {
			switch n := r.IntN(10); {
			case n < 2:
				push("", actors.LoseNothing, "", 0)
				kept++
			case n < 4:
				said["a"]++
				push("a", actors.LoseOldest, "", byte(said["a"]))
			case n < 7:
				said["b"]++
				push("b", actors.LoseOlder, []string{"", "k", "l", "m"}[r.IntN(4)], byte(said["b"]))
			case b.first != nil:
				w := b.first
				b.remove(w)
				service := ""
				if w.of != nil {
					service = w.of.service
				}
				take(service, w.missed, w)
			}
			frames := 0
			b.each(func(_ string, _ int, w *waiter) {
				if w != nil {
					frames++
				}
			})
			if b.messages > most || frames != b.messages+kept || b.share != 2*int64(frames) || b.bytes != int64(b.messages) {
				t.Fatalf("seed %d: %d frames, %d of them may be dropped, of %d bytes, with a share of %d", seed, frames, b.messages, b.bytes, b.share)
			}
		}
		b.each(func(service string, missed int, w *waiter) {
			if w != nil && w.of != nil {
				service = w.of.service
			}
			take(service, missed, w)
		})
		if kept != 0 || heard["a"] != said["a"] || heard["b"] != said["b"] {
			t.Fatalf("seed %d: heard of %v, said %v", seed, heard, said)
		}
	}
}

// What changes most often reaches a reader that is always slow, and nothing is lost of which there is no newer one.
func TestCoalesceIsFair(t *testing.T) {
	const keys = 8
	b, push := waiting(2 * keys)
	sent, got := map[string]byte{}, map[string]int{}
	n := byte(0)
	say := func(key string) {
		n++
		sent[key] = n
		push("a", actors.LoseOlder, key, n)
	}
	last := map[string]byte{}
	take := func() {
		w := b.first
		b.remove(w)
		got[w.key]++
		last[w.key] = w.frame[0]
	}
	for i := range 4000 {
		say("often")
		say(fmt.Sprint("key ", i%(keys-1)))
		if i%2 == 0 && i > 2*keys {
			take()
		}
	}
	for b.first != nil {
		take()
	}
	for key := range sent {
		if got[key] < 50 || last[key] != sent[key] {
			t.Errorf("%s came %d times, last as %d, want %d", key, got[key], last[key], sent[key])
		}
	}
}

// A service that says much does not push out what another one says.
func TestMostPays(t *testing.T) {
	b, push := waiting(4)
	push("quiet", actors.LoseOldest, "", 1)
	for i := range 100 {
		push("loud", actors.LoseOldest, "", byte(i))
	}
	push("third", actors.LoseOldest, "", 1)
	for service, want := range map[string]int{"quiet": 1, "loud": 2, "third": 1} {
		if got := b.services[service].messages; got != want {
			t.Errorf("of %s wait %d, want %d", service, got, want)
		}
	}
}
