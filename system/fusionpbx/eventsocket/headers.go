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
	text   string
	needed bool
	length bool // it is Content-Length
}

// names remembers names of headers, and which of them are needed. They come again in each event.
type names struct {
	of    *interest
	known map[string]name
}

// look returns the name.
func (n *names) look(header []byte) name {
	if found, ok := n.known[string(header)]; ok {
		return found
	}
	text := string(toUTF8(append([]byte(nil), header...), 0))
	found := name{text, n.of == nil || n.of.needs(text), equalFold(header, "Content-Length")}
	if len(n.known) < maxNames && len(header) <= longestOne {
		n.known[string(header)] = found
	}
	return found
}

// follow forgets which names are needed if the interest is another one.
func (n *names) follow(i *interest) {
	if n.of != i || n.known == nil {
		n.of, n.known = i, map[string]name{}
	}
}
