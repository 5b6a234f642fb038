package panel

import (
	"cmp"
	"slices"
	"sync"
)

// phones is what pages were told of registrations, and what events said since the switch was asked for its list.
type phones struct {
	mu       sync.Mutex // Protects following: a life that hangs may still use them.
	compared bool       // known has been compared with the switch
	known    map[address]bool
	hidden   map[address]bool // those of known that some page shows as not registered
	events   uint64           // number of the last event
	changed  map[address]phoneEvent
}

// phoneEvent is the last event about an extension.
type phoneEvent struct {
	number     uint64
	registered bool
}

func newPhones() *phones {
	return &phones{known: map[address]bool{}, hidden: map[address]bool{}, changed: map[address]phoneEvent{}}
}

// last returns the number of the last event. It is called before the switch is asked for its list.
func (p *phones) last() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.events
}

// event notes what an event says, when it comes. asking says that a list is on its way, which may be older.
func (p *phones) event(at address, registered, asking bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events++
	if !asking {
		clear(p.changed)
	}
	p.changed[at] = phoneEvent{p.events, registered}
}

// tell notes what pages were told.
func (p *phones) tell(at address, registered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(at, registered)
}

// hide notes that a page was told that no extension of the domain is registered. Other pages still show what they were
// told, so the next comparison tells all of them: of those that have gone, and again of those that are registered.
func (p *phones) hide(domain string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for at := range p.known {
		if at.domain == domain {
			p.hidden[at] = true
		}
	}
	p.compared = true
}

// hideAll notes that some page may know nothing.
func (p *phones) hideAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for at := range p.known {
		p.hidden[at] = true
	}
	p.compared = true
}

func (p *phones) set(at address, registered bool) {
	delete(p.hidden, at)
	if registered {
		p.known[at] = true
		return
	}
	delete(p.known, at)
}

// newer returns what an event has said of an extension after the list was asked for.
func (p *phones) newer(at address, list registrationList) (said phoneEvent, ok bool) {
	said, ok = p.changed[at]
	return said, ok && said.number > list.since
}

// of returns how many phones each extension of a domain has. What events have said since the list was asked for is newer
// than the list; certain is false if it differs.
func (p *phones) of(list registrationList, domain string) (found map[string]int, certain bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, certain = map[string]int{}, true
	for extension, n := range list.phones[domain] {
		found[extension] = n
	}
	for at := range p.changed {
		said, ok := p.newer(at, list)
		if !ok || at.domain != domain || said.registered == (found[at.extension] > 0) {
			continue
		}
		certain = false
		delete(found, at.extension)
		if said.registered {
			found[at.extension] = 1
		}
	}
	return found, certain
}

// change is a change of an extension that pages have missed.
type change struct {
	address
	registered bool
}

// differences compares what pages know with the switch's list, in order of the addresses. An extension of which an event
// has told since the list was asked for is left out; certain is false if the list differs from that event.
func (p *phones) differences(list registrationList) (changes []change, certain bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	certain = true
	compare := func(at address, registered bool) {
		said, ok := p.newer(at, list)
		switch {
		case ok:
			certain = certain && said.registered == registered
		case p.known[at] != registered, registered && p.hidden[at]:
			changes = append(changes, change{at, registered})
		}
	}
	for at := range p.known {
		if list.phones[at.domain][at.extension] == 0 {
			compare(at, false)
		}
	}
	for domain, extensions := range list.phones {
		for extension := range extensions {
			compare(address{extension, domain}, true)
		}
	}
	if !p.compared {
		for _, c := range changes {
			p.set(c.address, c.registered)
		}
		p.compared = true
		return nil, certain
	}
	slices.SortFunc(changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.domain, b.domain), cmp.Compare(a.extension, b.extension))
	})
	return changes, certain
}
