package client

import (
	"fmt"
	"strings"
	"testing"

	"strowger/client/clienttest"
)

func TestListenKeepsOrder(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	const n = 500
	got := make(chan Message, n)
	c.Listen("active.calls", func(m Message) { got <- m })
	for i := range n {
		p.Broadcast("active.calls", fmt.Sprint("topic", i), i)
	}
	for i := range n {
		m := <-got
		if m.Service != "active.calls" || m.Topic != fmt.Sprint("topic", i) || string(m.Payload) != fmt.Sprint(i) || m.Missed != 0 {
			t.Fatalf("message %d is %+v", i, m)
		}
	}
}

func TestListenSorts(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	heard := make(map[string]chan string)
	for name, service := range map[string]string{"calls": "calls", "calls again": "calls", "stats": "stats", "all": "", "none": "none"} {
		ch := make(chan string, 10)
		heard[name] = ch
		c.Listen(service, func(m Message) { ch <- m.Service + " " + string(m.Payload) })
	}
	p.Broadcast("calls", "t", 1)
	p.Broadcast("stats", "t", 2)
	p.Send(clienttest.Object{"service_name": "calls", "request_id": "99", "payload": "a reply is no broadcast"})
	p.Send(clienttest.Object{"service_name": "calls"}) // no request id, no payload
	p.Broadcast("stats", "t", "last")
	want := map[string][]string{
		"calls":       {"calls 1", "calls null"},
		"calls again": {"calls 1", "calls null"},
		"stats":       {"stats 2", `stats "last"`},
		"all":         {"calls 1", "stats 2", "calls null", `stats "last"`},
	}
	for name, messages := range want {
		for _, w := range messages {
			if got := <-heard[name]; got != w {
				t.Errorf("%s heard %s, want %s", name, got, w)
			}
		}
	}
	for name, ch := range heard {
		if len(ch) > 0 {
			t.Errorf("%s also heard %s", name, <-ch)
		}
	}
}

func TestListenCancel(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	got := make(chan string, 10)
	var cancel func()
	ready := make(chan struct{})
	cancel = c.Listen("s", func(m Message) {
		<-ready
		cancel() // from within
		got <- string(m.Payload)
	})
	ended := c.listeners.running()[0].done
	close(ready)
	p.Broadcast("s", "t", 1)
	p.Broadcast("s", "t", 2)
	p.Broadcast("s", "t", 3)
	<-ended
	barrier(t, c, p)
	if len(got) != 1 || <-got != "1" {
		t.Errorf("%d messages were heard", len(got))
	}
	if left := len(c.listeners.running()); left != 0 {
		t.Errorf("%d listeners are left", left)
	}
	cancel() // again
}

func TestListenSlowly(t *testing.T) {
	long := strings.Repeat("x", 100)
	tests := []struct {
		name   string
		limits Limits
		sent   []string
		want   []string // payload and missed, behind the first
	}{
		{"fits", Limits{QueueMessages: 3}, []string{"1", "2", "3"}, []string{"1 0", "2 0", "3 0"}},
		{"too many", Limits{QueueMessages: 2}, []string{"1", "2", "3", "4", "5"}, []string{"4 3", "5 0"}},
		{"too long together", Limits{QueueBytes: 450}, []string{long + "1", long + "2", long + "3", long + "4"}, []string{long + "3 2", long + "4 0"}},
		{"too long alone", Limits{QueueBytes: 50}, []string{long + "1", long + "2"}, []string{long + "2 1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newFakeRouter(t)
			c, p := r.online(Options{Limits: test.limits})
			held, release := make(chan struct{}, 10), make(chan struct{})
			got := make(chan string, 10)
			c.Listen("s", func(m Message) {
				held <- struct{}{}
				<-release
				got <- fmt.Sprintf("%s %d", strings.Trim(string(m.Payload), `"`), m.Missed)
			})
			p.Broadcast("s", "t", "first")
			<-held
			for _, payload := range test.sent {
				p.Broadcast("s", "t", payload)
			}
			// The handler is held up; replies are not.
			barrier(t, c, p)
			close(release)
			for _, want := range append([]string{"first 0"}, test.want...) {
				if g := <-got; g != want {
					t.Errorf("heard %s, want %s", g, want)
				}
			}
			if len(got) > 0 {
				t.Errorf("also heard %s", <-got)
			}
		})
	}
}

func TestListenOnAClosedClient(t *testing.T) {
	r := newFakeRouter(t)
	c, _ := r.online(Options{})
	r.shut(c)
	cancel := c.Listen("s", func(Message) { t.Error("heard a message") })
	for _, l := range c.listeners.running() {
		<-l.done
	}
	cancel()
}
