package system

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"strowger/system/service"
)

// toiling is a service that takes a moment for each request, and for the first as long as the test keeps gate closed. It
// notes the payloads in the order in which it serves them.
func toiling(name string) (s *service.Service, entered, gate chan struct{}, served chan string) {
	entered, gate, served = make(chan struct{}), make(chan struct{}), make(chan string, 4096)
	return &service.Service{Name: name, Policy: service.Everyone(), Setup: func(s service.Setup) error {
		first := true
		s.Handle("work", func(r service.Request) error {
			if first {
				first = false
				close(entered)
				<-gate
			}
			time.Sleep(time.Millisecond)
			served <- string(r.Payload())
			r.Reply(nil)
			return nil
		})
		return nil
	}}, entered, gate, served
}

// A client that keeps as many requests open at a slow service as it may does not hold up another one, whose request is
// served after one of the first at most. What each client asks is served in its order.
func TestFairToBystanders(t *testing.T) {
	const flood, asked = 1024, 3
	for _, home := range []struct {
		name string
		at   int // so many are sure to wait for the service: the window of a client holds those that one inside has
	}{{"inside", 14}, {"outside", flood}} {
		t.Run(home.name, func(t *testing.T) {
			svc, entered, gate, served := toiling("slow")
			cfg := testConfig(t)
			cfg.Routing.DefaultPolicy = "allow"
			var s *System
			if home.name == "inside" {
				s = start(t, cfg, svc)
			} else {
				var stop func()
				s, stop = startStoppable(t, cfg)
				h := &outside{inside: inside{s, stop, svc.Name}}
				h.serve(t, svc)
			}
			flooder, bystander := join(t, s, user("a.example", nil)), join(t, s, user("b.example", nil))
			for n := range home.at {
				flooder.sendf(`{"service":"slow","topic":"work","request_id":"%d","payload":"f%d"}`, n, n)
			}
			<-entered
			arrived(flooder)
			for n := home.at; n < flood; n++ {
				flooder.sendf(`{"service":"slow","topic":"work","request_id":"%d","payload":"f%d"}`, n, n)
			}
			for n := range asked {
				bystander.sendf(`{"service":"slow","topic":"work","request_id":"%d","payload":"b%d"}`, n, n)
			}
			arrived(bystander)
			close(gate)
			for n := range asked {
				bystander.gets(`200 slow/work #"` + strconv.Itoa(n) + `" null`)
			}
			for n := range flood {
				flooder.gets(`200 slow/work #"` + strconv.Itoa(n) + `" null`)
			}
			var of [2][]string
			last := 0 // place of the bystander's last request
			for n := range flood + asked {
				payload := <-served
				which := 0
				if payload[1] == 'b' {
					which, last = 1, n
				}
				of[which] = append(of[which], payload)
			}
			if most := 2 * asked; last > most {
				t.Errorf("the bystander's %d requests are served when %d others were, want %d at most", asked, last+1-asked, most+1-asked)
			}
			for which, letter := range "fb" {
				for n, got := range of[which] {
					if want := strconv.Quote(string(letter) + strconv.Itoa(n)); got != want {
						t.Fatalf("%s is served in place of %s", got, want)
					}
				}
			}
			if slices.Contains([]int{len(of[0]), len(of[1])}, 0) {
				t.Error("nothing was served of one of the two")
			}
		})
	}
}

// arrived returns when everything that p has asked waits for the service.
func arrived(p *peer) {
	p.t.Helper()
	p.sendf(`{"service":"slow","topic":"service_state","request_id":"q"}`)
	if got := p.next(); got.Topic != service.StateTopic {
		p.t.Fatalf("got %s, want the state of the service", got)
	}
}
