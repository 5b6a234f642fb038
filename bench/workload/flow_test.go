package workload

import (
	"strings"
	"testing"
	"time"

	"strowger/bench/dialect"
	"strowger/bench/load"
)

// event is a message with those numbers in it.
func event(numbers ...uint32) []byte {
	var message []byte
	for _, n := range numbers {
		mark := make([]byte, load.MarkSize)
		load.Mark{Seq: n}.Put(mark)
		message = append(append(append(message, `{"mark":"`...), mark...), '"', '}')
	}
	return message
}

func newTestFlow(t *testing.T, members int) *flow {
	t.Helper()
	loop, err := load.NewLoop()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(loop.Close)
	return &flow{loop: loop, dialect: dialect.Hub{}, members: members, drained: make(chan struct{}), failed: make(chan struct{})}
}

// What a server does wrong must be seen, or every other figure means nothing.
func TestFlowSeesWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		messages [][]byte
		want     string // in the error; empty for none
	}{
		"all in order":          {messages: [][]byte{event(1), event(2), event(3)}},
		"several in a message":  {messages: [][]byte{event(1, 2), event(3)}},
		"one is lost":           {messages: [][]byte{event(1), event(3)}, want: "got event 3 after 1"},
		"one comes twice":       {messages: [][]byte{event(1), event(1)}, want: "got event 1 after 1"},
		"out of order":          {messages: [][]byte{event(2), event(1)}, want: "got event 2 after 0"},
		"lost inside a message": {messages: [][]byte{event(1, 3)}, want: "got event 3 after 1"},
		"cut":                   {messages: [][]byte{event(1)[:15]}, want: "broken mark"},
		"something else":        {messages: [][]byte{[]byte("hello")}, want: "hello"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newTestFlow(t, 1)
			f.sent.Store(3)
			c := new(load.Conn)
			for _, message := range test.messages {
				f.Frame(c, message)
			}
			if test.want == "" && (f.err != nil || f.got != 3 || f.done != 3) {
				t.Fatalf("got %d, done %d, %v", f.got, f.done, f.err)
			}
			if test.want != "" && (f.err == nil || !strings.Contains(f.err.Error(), test.want)) {
				t.Fatalf("got %v, want %q", f.err, test.want)
			}
		})
	}
}

func TestFlowSeesWhatIsNotFiltered(t *testing.T) {
	guarded := func(without int) []byte {
		message := event(1)
		for i := range dialect.Classes {
			if i != without {
				message = append(message, dialect.GuardedKey(i)...)
			}
		}
		return message
	}
	for name, test := range map[string]struct {
		without int
		wrong   bool
	}{"its own key is missing": {without: 3}, "another key is missing": {without: 4, wrong: true}, "nothing is missing": {without: -1, wrong: true}} {
		t.Run(name, func(t *testing.T) {
			f := newTestFlow(t, 1)
			f.filters, f.classes = true, dialect.Classes
			f.sent.Store(1)
			f.Frame(&load.Conn{Index: 3}, guarded(test.without))
			if (f.err != nil) != test.wrong {
				t.Fatalf("got %v, want an error: %t", f.err, test.wrong)
			}
		})
	}
}

func TestFlowMissesTheLastEvent(t *testing.T) {
	f := newTestFlow(t, 2)
	f.sent.Store(2)
	one, other := new(load.Conn), new(load.Conn)
	f.Frame(one, event(1))
	f.Frame(one, event(2))
	f.Frame(other, event(1))
	if err := f.drain(time.Millisecond); err == nil || !strings.Contains(err.Error(), "1 deliveries are missing") {
		t.Fatalf("got %v", err)
	}
}

func TestFlowSeesTheEnd(t *testing.T) {
	f := newTestFlow(t, 2)
	f.sent.Store(1)
	f.Frame(new(load.Conn), event(1))
	f.loop.Post(func() { f.Frame(new(load.Conn), event(1)) })
	if err := f.drain(time.Minute); err != nil {
		t.Fatal(err)
	}
}

func TestVisitor(t *testing.T) {
	tests := map[string]struct {
		known    uint32
		messages [][]byte
		want     string
	}{
		"from what was under way":   {known: 9, messages: [][]byte{event(8), event(9), event(10)}},
		"from the first afterwards": {known: 9, messages: [][]byte{event(10), event(11)}},
		"the first is lost":         {known: 9, messages: [][]byte{event(11)}, want: "got 11 first"},
		"one in between is lost":    {known: 9, messages: [][]byte{event(10), event(12)}, want: "got event 12 after 10"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := &visitor{flow: newTestFlow(t, 1), known: test.known, left: make(chan error, 1)}
			c := new(load.Conn)
			for _, message := range test.messages {
				v.Frame(c, message)
			}
			v.leave(nil)
			err := <-v.left
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestData(t *testing.T) {
	for _, size := range []int{128, EventSize, 32 << 10} {
		if got := len(newData(size, size > 128)); got != size {
			t.Errorf("got %d bytes, want %d", got, size)
		}
	}
}

func TestLatencies(t *testing.T) {
	l := new(latencies)
	for i := 1000; i > 0; i-- {
		l.add(time.Duration(i) * time.Millisecond)
	}
	f := Figures{}
	l.into(f)
	if f[P50] != 500 || f[P99] != 990 || f[P999] != 999 {
		t.Fatalf("got %v", f)
	}
}
