package supervisor

// BreakerState is what a child's breaker lets through.
type BreakerState int

// The states: starts are free, the child stays down, one probe runs.
const (
	Closed BreakerState = iota
	Open
	HalfOpen
)

// String returns the state as a snapshot shows it.
func (b BreakerState) String() string { return [...]string{"closed", "open", "half-open"}[b] }

func (s *supervisor) open(c *child) {
	c.breaker = Open
	c.window, c.attempt = nil, 0
	s.cool(c)
	c.halt()
	s.haltGroup(c)
	s.settle()
}

// cool keeps a child down for a while, and after that for as long as there is an obstacle.
func (s *supervisor) cool(c *child) {
	s.tell(&BreakerOpened{c.spec.Name, c.spec.Breaker.CoolDown, c.spec.obstacle()})
	c.wait = s.after(c.spec.Breaker.CoolDown, func() {
		if c.spec.obstacle() != nil {
			s.cool(c)
			return
		}
		c.breaker = HalfOpen
		s.tell(&BreakerHalfOpened{c.spec.Name})
		s.settle()
	})
}

func (s *Spec) obstacle() error {
	if s.Obstacle == nil {
		return nil
	}
	return s.Obstacle()
}

// probe begins the quiet period that closes the breaker, if it is half-open.
func (s *supervisor) probe(c *child) {
	if c.breaker != HalfOpen {
		return
	}
	c.quiet = s.after(c.spec.quiet(), func() {
		c.breaker = Closed
		s.tell(&BreakerClosed{c.spec.Name})
	})
}
