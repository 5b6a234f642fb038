package introspect

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

func newRing(t *testing.T, o RingOptions) *Ring {
	t.Helper()
	r, err := NewRing(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRingKeepsTheLatest(t *testing.T) {
	tests := map[string]struct {
		kept, added int
		want        []uint64
	}{
		"empty":          {3, 0, nil},
		"not full":       {3, 2, []uint64{2, 1}},
		"full":           {3, 3, []uint64{3, 2, 1}},
		"round and on":   {3, 8, []uint64{8, 7, 6}},
		"a ring of one":  {1, 5, []uint64{5}},
		"the default":    {0, 300, nil},
		"one by default": {0, 1, []uint64{1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRing(t, RingOptions{Letters: test.kept})
			for i := range test.added {
				r.Add(DeadLetter{Reason: "late_reply", RequestID: fmt.Sprint(i + 1)})
			}
			letters := r.Letters()
			if test.kept == 0 && test.added > 256 {
				if len(letters) != 256 || letters[0].Number != 300 || letters[255].Number != 45 {
					t.Fatalf("%d letters from %d", len(letters), letters[0].Number)
				}
				return
			}
			if len(letters) != len(test.want) {
				t.Fatalf("%d letters, want %d", len(letters), len(test.want))
			}
			for i, letter := range letters {
				if letter.Number != test.want[i] || letter.RequestID != fmt.Sprint(test.want[i]) {
					t.Errorf("letter %d is number %d with request %s, want %d", i, letter.Number, letter.RequestID, test.want[i])
				}
			}
			if got := r.Count(); got != uint64(test.added) {
				t.Errorf("counted %d, want %d", got, test.added)
			}
		})
	}
}

func TestRingRefusesNegative(t *testing.T) {
	if _, err := NewRing(RingOptions{Bytes: -1}); err == nil {
		t.Error("no error")
	}
}

// Of so many bytes exactly as many letters are kept as fit, and one byte less is one letter less.
func TestRingBoundsItsBytes(t *testing.T) {
	letter := DeadLetter{Reason: "late_reply", Payload: make([]byte, 1000)}
	size := letter.size()
	for name, test := range map[string]struct{ bytes, kept int }{
		"three fit":          {3 * size, 3},
		"three do not":       {3*size - 1, 2},
		"one fits":           {size, 1},
		"one alone does not": {size - 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRing(t, RingOptions{Bytes: test.bytes})
			for range 5 {
				r.Add(letter)
			}
			letters := r.Letters()
			if len(letters) != test.kept || r.Count() != 5 || r.bytes != test.kept*size {
				t.Fatalf("%d letters of %d, %d bytes; want %d", len(letters), r.Count(), r.bytes, test.kept)
			}
			if test.kept > 0 && letters[0].Number != 5 {
				t.Errorf("the latest is %d", letters[0].Number)
			}
		})
	}
	r := newRing(t, RingOptions{Letters: -1})
	r.Add(letter)
	if len(r.Letters()) != 0 || r.Count() != 1 {
		t.Error("a ring of no letters keeps some, or does not count")
	}
}

func TestRingChanges(t *testing.T) {
	r := newRing(t, RingOptions{Letters: 2})
	for range 3 {
		r.Add(DeadLetter{Reason: "late_reply"})
	}
	before, revision := r.Letters(), r.Revision()
	at := time.Unix(1, 0)
	if r.Change(1, func(*DeadLetter) { t.Error("called") }) {
		t.Error("a letter that is gone was changed")
	}
	if !r.Change(2, func(d *DeadLetter) { d.Replayed = at }) || !r.Letters()[1].Replayed.Equal(at) || r.Revision() == revision {
		t.Error("not changed")
	}
	if !before[1].Replayed.IsZero() {
		t.Error("a copy has changed")
	}
}

func TestRingBoundsALetter(t *testing.T) {
	tests := map[string]struct {
		o              RingOptions
		payload, stack int // lengths kept
	}{
		"by default": {RingOptions{}, 4 << 10, 8<<10 + len("...")},
		"as set":     {RingOptions{PayloadBytes: 10, StackBytes: 20}, 10, 20 + len("...")},
		"nothing":    {RingOptions{PayloadBytes: -1, StackBytes: -1}, 0, 0},
	}
	long := strings.Repeat("x", 1<<20)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRing(t, test.o)
			r.Add(DeadLetter{Payload: []byte(long), Stack: long, Service: long, RequestID: long})
			got := r.Letters()[0]
			if len(got.Payload) != test.payload || cap(got.Payload) > 2*test.payload || len(got.Stack) != test.stack {
				t.Errorf("kept %d bytes (capacity %d) and a stack of %d, want %d and %d",
					len(got.Payload), cap(got.Payload), len(got.Stack), test.payload, test.stack)
			}
			if got.Bytes != 1<<20 {
				t.Errorf("length is %d, want that of the whole payload", got.Bytes)
			}
			if len(got.Service) > longestText+3 || len(got.RequestID) > longestText+3 {
				t.Errorf("texts of %d and %d bytes", len(got.Service), len(got.RequestID))
			}
		})
	}
}

func TestRingOwnsItsLetters(t *testing.T) {
	r := newRing(t, RingOptions{})
	payload := []byte("before")
	r.Add(DeadLetter{Payload: payload})
	copy(payload, "after!")
	if got := string(r.Letters()[0].Payload); got != "before" {
		t.Errorf("payload became %q", got)
	}
}

// Numbers are neither lost nor given twice, and the ring ends with the latest letters.
func TestRingManyWriters(t *testing.T) {
	const writers, each, kept = 8, 500, 16
	r := newRing(t, RingOptions{Letters: kept})
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				r.Add(DeadLetter{Reason: "expired"})
				r.Letters()
			}
		})
	}
	wg.Wait()
	letters := r.Letters()
	if len(letters) != kept {
		t.Fatalf("%d letters, want %d", len(letters), kept)
	}
	for i, letter := range letters {
		if want := uint64(writers*each - i); letter.Number != want {
			t.Errorf("letter %d has number %d, want %d", i, letter.Number, want)
		}
	}
}

func TestDeadLetterIsRedacted(t *testing.T) {
	const secret = "what people say"
	letter := DeadLetter{Number: 7, At: time.Unix(0, 0), Reason: "late_reply", Service: "active.calls",
		Bytes: len(secret), Payload: []byte(secret)}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("dead letter", "letter", letter)
	text, err := json.Marshal(letter)
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]string{"log": log.String(), "JSON": string(text)} {
		if strings.Contains(got, secret) || strings.Contains(got, "d2hhdCBwZW9wbGUgc2F5") {
			t.Errorf("%s shows the payload: %s", what, got)
		}
		for _, want := range []string{`"number":7`, `"reason":"late_reply"`, `"service":"active.calls"`, `"payload_bytes":15`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %s: %s", what, want, got)
			}
		}
		if strings.Contains(got, `"topic"`) {
			t.Errorf("%s has a topic although there is none: %s", what, got)
		}
	}
}

func BenchmarkRingAdd(b *testing.B) {
	r, err := NewRing(RingOptions{})
	if err != nil {
		b.Fatal(err)
	}
	letter := DeadLetter{Reason: "late_reply", Service: "active.calls", RequestID: "1", Payload: make([]byte, 200)}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.Add(letter)
		}
	})
}
