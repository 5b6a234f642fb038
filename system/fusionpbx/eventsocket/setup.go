package eventsocket

import (
	"fmt"
	"math"
	"strings"
)

// install asks the switch for what the subscriptions want and has not been asked for. Filters come before
// "event plain all", so that the switch never sends everything. It reports whether there was anything to
// ask. The caller holds Client.mu.
func (s *session) install(subscriptions ...*Subscription) bool {
	var lines []string
	add := func(filter Filter) {
		if !s.filters[filter.key()] {
			s.filters[filter.key()] = true
			lines = append(lines, "filter "+filter.header+" "+filter.value)
		}
	}
	for _, subscription := range subscriptions {
		for _, filter := range subscription.filters {
			add(filter)
		}
	}
	if s.opts.Jobs {
		add(Match("Event-Name", "BACKGROUND_JOB"))
	}
	if !s.listening && len(s.filters) > 0 {
		s.listening = true
		lines = append(lines, "event plain all")
	}
	if len(lines) > 0 {
		s.asked++
	}
	for _, subscription := range subscriptions {
		subscription.session, subscription.setUpAt, subscription.ready = s, s.asked, false
	}
	s.ask(lines)
	return len(lines) > 0
}

// ask sends the lines. The answer to the last of them completes the set-up.
func (s *session) ask(lines []string) {
	for i, line := range lines {
		p := &pending{kind: kindReply, answered: func(r Reply, err error) error {
			if err != nil || !strings.HasPrefix(r.Text, "+OK") {
				return fmt.Errorf("the switch refused %q: %w", line, errFraming)
			}
			if i == len(lines)-1 {
				s.client.connected(s)
				s.client.mu.Lock()
				s.setUp++
				s.client.markReady(s)
				s.client.mu.Unlock()
			}
			return nil
		}}
		_ = s.write(line, p, math.MaxInt) // fails only when the session has ended
	}
}

// markReady gives a gap to each subscription whose filters have come into place. The caller holds Client.mu.
func (c *Client) markReady(s *session) {
	for _, subscription := range c.subscriptions {
		if subscription.session == s && !subscription.ready && s.setUp >= subscription.setUpAt {
			subscription.ready = true
			subscription.mark(KindGap)
		}
	}
}

// connected notes that the session works, the first time it is called for it. It runs on Run's goroutine.
func (c *Client) connected(s *session) {
	if s.works {
		return
	}
	s.works = true
	c.counters.connects.Add(1)
	c.counters.connected.Store(true)
	c.opts.Log.Info("connected to the switch", "addr", c.opts.Address)
	c.opts.Changed(true, nil)
}

// active reports whether the session sends what the subscription wants. The caller holds Client.mu.
func (s *Subscription) active(of *session) bool { return s.session == of && s.ready }
