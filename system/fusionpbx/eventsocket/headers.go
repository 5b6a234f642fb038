package eventsocket

import "strings"

// interest says which headers of events the subscriptions need. It is immutable.
type interest struct {
	all   bool
	keeps []func(header string) bool
	names []string // of the filters
}

// needs reports whether a header is kept. The client itself needs the name and the job.
func (i *interest) needs(header string) bool {
	if i.all || strings.EqualFold(header, "Event-Name") || strings.EqualFold(header, "Job-UUID") {
		return true
	}
	for _, name := range i.names {
		if strings.EqualFold(header, name) {
			return true
		}
	}
	for _, keep := range i.keeps {
		if keep(header) {
			return true
		}
	}
	return false
}

// noteInterest gathers what the subscriptions need. The caller holds Client.mu.
func (c *Client) noteInterest() {
	var i interest
	for _, s := range c.subscriptions {
		if s.keep == nil {
			i.all = true
			continue
		}
		i.keeps = append(i.keeps, s.keep)
		for _, filter := range s.filters {
			i.names = append(i.names, filter.header)
		}
	}
	c.interest.Store(&i)
}

// maxNames is how many names of headers a parser remembers. A switch has a few hundred; longer names are not remembered.
const (
	maxNames   = 1024
	longestOne = 128
)

// name is a name of a header that a parser has seen.
type name struct {
	raw    string // as the switch writes it
	text   string
	needed bool
	length bool  // it is Content-Length
	next   *name // the one that followed it last
}

// names remembers names of headers, and which of them are needed. They come again in each event, and mostly in the same
// order, so that the next one is guessed before it is looked up.
type names struct {
	of    *interest
	known map[string]*name
	first *name // first.next is the guess for the first name of an event
	last  *name // the name before the one that is read
}

// begin prepares for another event. It forgets which names are needed if the interest is another one.
func (n *names) begin(of *interest) {
	if n.of != of || n.known == nil {
		n.of, n.known, n.first = of, map[string]*name{}, &name{}
	}
	n.last = n.first
}

// split is splitHeader with the name looked up. The value may have spaces around it, which the caller removes if it needs the
// value.
func (n *names) split(line []byte) (found *name, value []byte, ok bool) {
	if next := n.last.next; next != nil && next.heads(line) {
		n.last = next
		return next, line[len(next.raw)+1:], true
	}
	header, value, ok := splitHeader(line)
	if !ok {
		return nil, nil, false
	}
	found, remembered := n.look(header)
	if remembered {
		n.last.next, n.last = found, found
	}
	return found, value, true
}

// heads reports whether the line begins with the name and a colon.
func (n *name) heads(line []byte) bool {
	end := len(n.raw)
	return end < len(line) && line[end] == ':' && string(line[:end]) == n.raw
}

// look returns the name, and reports whether it is remembered.
func (n *names) look(header []byte) (found *name, remembered bool) {
	if found, ok := n.known[string(header)]; ok {
		return found, true
	}
	text := string(toUTF8(append([]byte(nil), header...), 0))
	found = &name{raw: string(header), text: text, needed: n.of == nil || n.of.needs(text), length: equalFold(header, "Content-Length")}
	if len(n.known) >= maxNames || len(header) > longestOne {
		return found, false
	}
	n.known[found.raw] = found
	return found, true
}
