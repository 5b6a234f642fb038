package workload

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"strowger/bench/dialect"
	"strowger/bench/feed"
	"strowger/bench/load"
)

// The services that operators subscribe to.
const (
	activeCalls   = "active.calls"
	operatorPanel = "active.operator.panel"
)

// player plays events of the switch and accounts for each message that an operator gets of them. It is the handler of the
// operators' connections; what it has of them is the loop's.
type player struct {
	*flow
	round    *round
	expected int64 // messages
	events   int64
	watchers [feed.Domains]struct{ calls, panel int64 }
	quiet    time.Duration // since when nothing came
}

// newPlayer connects the operators, spread over the domains and over classes of real tokens.
func newPlayer(r *round, operators int) (*player, error) {
	classes, err := readClasses(r.spec.Corpus)
	if err != nil {
		return nil, err
	}
	p := &player{round: r, flow: &flow{loop: r.loop, dialect: r.server, failed: make(chan struct{})}}
	conns, err := r.dial(operators, load.Options{}, func(i int) dialect.Role {
		class := classes[i/feed.Domains%len(classes)]
		return dialect.Role{Person: &dialect.Person{Domain: feed.Domain(i), Services: []string{activeCalls, operatorPanel}, Permissions: class.names()}}
	})
	if err != nil {
		return nil, err
	}
	for i, c := range conns {
		class := classes[i/feed.Domains%len(classes)]
		if class["call_active_view"] && class["call_active_domain"] {
			p.watchers[i%feed.Domains].calls++
		}
		if class["operator_panel_view"] {
			p.watchers[i%feed.Domains].panel++
		}
		c.Handler = p
	}
	return p, r.loop.Add(conns...)
}

// class is the permissions of a real token.
type class map[string]bool

func (c class) names() []string {
	var names []string
	for name := range c {
		names = append(names, name)
	}
	return names
}

// readClasses returns the permissions of the people in the recordings who watch the calls of a domain.
func readClasses(corpus string) ([]class, error) {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(corpus), "clients.json"))
	if err != nil {
		return nil, fmt.Errorf("read classes: %w", err)
	}
	var clients map[string]struct{ Permissions json.RawMessage }
	if err := json.Unmarshal(text, &clients); err != nil {
		return nil, fmt.Errorf("read classes: %w", err)
	}
	var classes []class
	for _, name := range []string{"operator", "admin", "coach", "panelist"} {
		var c class
		if err := json.Unmarshal(clients[name].Permissions, &c); err != nil {
			return nil, fmt.Errorf("read classes: %s: %w", name, err)
		}
		classes = append(classes, c)
	}
	return classes, nil
}

// Frame takes what an operator was sent.
func (p *player) Frame(c *load.Conn, payload []byte) {
	m, start, end, err := load.FindMark(payload, c.Hint)
	switch {
	case err != nil:
		p.fail(err)
	case end == 0:
		p.control(c, payload)
	default:
		c.Hint = start
		p.got++
		p.quiet = p.loop.Now()
		if p.latency != nil {
			p.latency.add(p.quiet - m.Sent)
		}
	}
}

// Closed says that an operator was cut off.
func (p *player) Closed(c *load.Conn, err error) {
	p.fail(fmt.Errorf("operator %d: %w", c.Index, err))
}

// sample returns the state of things. Its count is that of the events.
func (p *player) sample() (sample, error) { return p.round.sample(p.events) }

// beginning is how many events a second there are while calls begin, before anything is measured.
const beginning = 2000

// patience is how long they may take where services do not remember them. Such services get no more events a second than
// later, since what they lose by too many would spoil what is measured.
const patience = 10 * time.Second

// hold plays until so many calls are up.
func (p *player) hold(calls, perSecond int) error {
	end := p.loop.Now() + patience
	up := func() bool { return p.round.server.Switch.Calls() >= calls }
	over := func() bool { return up() || p.loop.Now() >= end }
	if p.round.spec.Keeps {
		perSecond, over = beginning, up
	}
	if err := p.until(calls, perSecond, over); err != nil {
		return err
	}
	p.round.figures[Calls] = float64(p.round.server.Switch.Calls())
	return p.drain(p.round.times.Drain)
}

// play plays for a while.
func (p *player) play(calls, perSecond int, d time.Duration) error {
	end := p.loop.Now() + d
	return p.until(calls, perSecond, func() bool { return p.loop.Now() >= end })
}

// end ends all calls.
func (p *player) end() error {
	if err := p.until(0, beginning, func() bool { return false }); err != nil {
		return err
	}
	return p.drain(p.round.times.Drain)
}

// until plays until a condition holds or there is nothing left.
func (p *player) until(calls, perSecond int, over func() bool) error {
	begin := p.loop.Now()
	for n := 0; !over(); n++ {
		select {
		case <-p.failed:
			return p.err
		default:
		}
		if early := begin + time.Duration(n)*time.Second/time.Duration(perSecond) - p.loop.Now(); early > 0 {
			time.Sleep(early)
		}
		sent, more := p.round.server.Switch.Step(calls, load.Mark{Seq: uint32(p.events), Sent: p.loop.Now()})
		if !more {
			return nil
		}
		p.events++
		p.expect(sent)
	}
	return nil
}

// expect counts the messages that an event causes.
func (p *player) expect(sent feed.Sent) {
	to := p.watchers[sent.Domain]
	p.expected += to.calls
	switch sent.Name {
	case "CHANNEL_CREATE", "CHANNEL_CALLSTATE", "CALL_UPDATE", "CHANNEL_DESTROY", "CHANNEL_PARK", "CHANNEL_UNPARK":
		p.expected += to.panel
	}
}

// stalled is how long nothing may come before the rest counts as missing.
const stalled = 5 * time.Second

// drain waits for the messages that are under way.
func (p *player) drain(timeout time.Duration) error {
	for deadline := p.loop.Now() + timeout; ; {
		if err := p.wait(20 * time.Millisecond); err != nil {
			return err
		}
		now, quiet := p.loop.Now(), time.Duration(0)
		p.loop.Do(func() { quiet = p.quiet })
		if p.missing() == 0 || now > deadline || now-quiet > stalled {
			return nil
		}
	}
}

func (p *player) missing() (n int64) {
	p.loop.Do(func() { n = p.expected - p.got })
	return n
}
