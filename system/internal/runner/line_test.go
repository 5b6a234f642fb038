package runner

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"strowger/system/service"
)

// TestLineTakesTurns compares a line with one queue for each asker, in which the longest served waits longest.
func TestLineTakesTurns(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var l line[string]
	var ring []string
	queues := make(map[string][]string)
	length := 0
	for step := range 200_000 {
		asker := strconv.Itoa(random.IntN(1 + step/10_000*2))
		switch {
		case random.IntN(100) < 49:
			x := fmt.Sprint(asker, " ", step)
			l.push(asker, x)
			if len(queues[asker]) == 0 {
				ring = append(ring, asker)
			}
			queues[asker] = append(queues[asker], x)
			length++
		default:
			got, ok := l.pop()
			if ok != (len(ring) > 0) {
				t.Fatalf("step %d: pop is %t, want %t", step, ok, !ok)
			}
			if !ok {
				continue
			}
			first := ring[0]
			ring = ring[1:]
			want := queues[first][0]
			if queues[first] = queues[first][1:]; len(queues[first]) > 0 {
				ring = append(ring, first)
			}
			length--
			if got != want {
				t.Fatalf("step %d: pop returns %q, want %q", step, got, want)
			}
		}
		if l.length != length || l.askers != len(ring) {
			t.Fatalf("step %d: %d of %d askers wait, want %d of %d", step, l.length, l.askers, length, len(ring))
		}
	}
}

func TestLineYields(t *testing.T) {
	var l line[int]
	for n := range 5 {
		l.push("heavy", n)
	}
	l.push("other", 10)
	l.push("other", 11)
	for want := 4; want >= 3; want-- {
		if got, ok := l.yield("new"); !ok || got != want {
			t.Fatalf("yield returns %d, %t, want the newest of the heaviest, %d", got, ok, want)
		}
	}
	if got, ok := l.yield("other"); ok {
		t.Errorf("one who has 2 takes the place of %d of one who has 3", got)
	}
	var rest []int
	for x, ok := l.pop(); ok; x, ok = l.pop() {
		rest = append(rest, x)
	}
	if want := []int{0, 10, 1, 11, 2}; !slices.Equal(rest, want) {
		t.Errorf("what is left is served as %v, want %v", rest, want)
	}
}

// TestLineKeepsNothing: a line through which much has gone keeps a little room, and nothing alive.
func TestLineKeepsNothing(t *testing.T) {
	var l line[*int]
	for n := range 1000 {
		for range 1 + n%200 {
			l.push(strconv.Itoa(n), new(int))
		}
	}
	for _, ok := l.pop(); ok; _, ok = l.pop() {
	}
	if len(l.spare) > spared || l.byAsker != nil || l.next != nil {
		t.Errorf("%d places are kept, index %v, next %v", len(l.spare), l.byAsker, l.next)
	}
	for _, p := range l.spare {
		if room := p.waiting[:cap(p.waiting)]; cap(room) > sparedRoom || slices.ContainsFunc(room, func(x *int) bool { return x != nil }) {
			t.Errorf("a place keeps %v", room)
		}
	}
}

func TestLineAllocatesNothing(t *testing.T) {
	var l line[int]
	one := func() {
		l.push("a", 1)
		l.push("b", 2)
		l.pop()
		l.pop()
	}
	one()
	if n := testing.AllocsPerRun(100, one); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// blocked is a service whose topic block waits until the test closes until. Its topic work does the same beside it.
func blocked(limits service.Limits) (s *service.Service, entered chan int, until chan struct{}) {
	entered, until = make(chan int, 4096), make(chan struct{})
	return &service.Service{Limits: limits, Setup: func(s service.Setup) error {
		s.Handle("ping", pong)
		s.Handle("block", func(r service.Request) error { entered <- 1; <-until; r.Reply(nil); return nil })
		s.Handle("work", func(r service.Request) error {
			r.Go(func(context.Context) func() {
				entered <- 1
				<-until
				return func() { r.Reply(nil) }
			})
			return nil
		})
		return nil
	}}, entered, until
}

// TestFairTurns: a request waits for one request of each other asker, and those of one asker stay in order.
func TestFairTurns(t *testing.T) {
	s, entered, until := blocked(service.Limits{})
	r := start(t, s)
	block := r.ask("block", "")
	await(t, entered)
	const flood = 1024
	for n := range flood {
		r.askAs("a", "1"+strconv.Itoa(n), "ping", "")
	}
	for n := range 3 {
		r.askAs("b", "2"+strconv.Itoa(n), "ping", "")
	}
	r.askAs("c", "30", "ping", "")
	close(until)
	r.want(block + " 200 block null")
	for _, id := range []string{"10", "20", "30", "11", "21", "12", "22"} {
		r.want(id + ` 200 ping "pong"`)
	}
	for n := 3; n < flood; n++ {
		r.want("1" + strconv.Itoa(n) + ` 200 ping "pong"`)
	}
	r.quiet()
}

// TestFairWork is TestFairTurns for what a service gives to Go.
func TestFairWork(t *testing.T) {
	s, entered, until := blocked(service.Limits{Pool: 1})
	r := start(t, s)
	const flood = 100
	for n := range flood {
		r.askAs("a", "1"+strconv.Itoa(n), "work", "")
	}
	await(t, entered)
	r.askAs("b", "20", "work", "")
	r.askAs("b", "21", "ping", "")
	r.want(`21 200 ping "pong"`) // so all are looked at
	close(until)
	for _, id := range []string{"10", "11", "20", "12"} {
		r.want(id + " 200 work null")
	}
	for n := 3; n < flood; n++ {
		r.want("1" + strconv.Itoa(n) + " 200 work null")
	}
}

// TestFairRefusal: when too many wait, an asker of whom few wait takes the place of the newest of one of whom many do.
func TestFairRefusal(t *testing.T) {
	s, entered, until := blocked(service.Limits{Mailbox: 4})
	r := start(t, s)
	block := r.ask("block", "")
	await(t, entered)
	for n := range 4 {
		r.askAs("a", "1"+strconv.Itoa(n), "ping", "")
	}
	r.askAs("a", "14", "ping", "")
	r.want(`14 503 ping {"retry_after":1}`)
	r.askAs("b", "20", "ping", "")
	r.want(`13 503 ping {"retry_after":1}`)
	r.askAs("b", "21", "ping", "")
	r.want(`12 503 ping {"retry_after":1}`)
	r.askAs("b", "22", "ping", "") // each has two
	r.want(`22 503 ping {"retry_after":1}`)
	if got := r.instance.State().Queued; got != 4 {
		t.Errorf("%d wait, want 4", got)
	}
	close(until)
	r.want(block+" 200 block null", `10 200 ping "pong"`, `20 200 ping "pong"`, `11 200 ping "pong"`, `21 200 ping "pong"`)
	r.open(0)
	if got := r.instance.State(); got.Queued != 0 {
		t.Errorf("%d wait, want none", got.Queued)
	}
	r.ping()
	r.quiet()
}
