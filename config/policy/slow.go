package policy

// Slow says what becomes of the broadcasts of a service when too many of them wait for one reader.
type Slow string

// What a policy may choose. A policy that chooses nothing means Disconnect.
const (
	Disconnect Slow = "disconnect"  // the connection ends
	DropOldest Slow = "drop_oldest" // the oldest that wait are dropped
	Coalesce   Slow = "coalesce"    // a newer one takes the place of an older one of the same key
)

// Drops reports whether broadcasts are dropped, so that their reader stays connected.
func (s Slow) Drops() bool { return s == DropOldest || s == Coalesce }

// coalesceKeys is how many keys of a payload a policy may coalesce by.
const coalesceKeys = 8

func (c *checker) slow(p Policy) {
	switch p.Slow {
	case "", Disconnect, DropOldest, Coalesce:
	default:
		c.add("slow", "%q is none of disconnect, drop_oldest, coalesce", p.Slow)
	}
	c.names("coalesce", p.Coalesce)
	switch {
	case p.Slow == Coalesce && p.Coalesce == nil:
		c.add("coalesce", "names no payload key by which a broadcast takes the place of an older one")
	case p.Slow != Coalesce && p.Coalesce != nil:
		c.add("coalesce", "decides nothing, as slow is not coalesce")
	case len(p.Coalesce) > coalesceKeys:
		c.add("coalesce", "names %d keys, more than %d", len(p.Coalesce), coalesceKeys)
	}
}
