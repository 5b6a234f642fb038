package client

import (
	"encoding/json"
	"maps"
	"sync"
)

// Gap says that broadcasts of a service may be lost, so that what is known of it is to be asked anew.
type Gap struct {
	// Service is empty for those who listen to all: services of which the router could not send what was missed.
	Service string
	// Missed is how many the router has dropped because this client reads too slowly; 0 if nobody knows how many are lost.
	Missed uint64
}

// position is where a broadcast stands in the history of its service (protocol 13.3).
type position struct {
	Epoch  string `json:"epoch"`
	Offset int64  `json:"offset"`
}

// mark is what a client knew of the losses of a service when a broadcast came.
type mark struct {
	last   int    // the number of the last break; each may have lost some
	missed uint64 // how many the router has dropped
}

// history is where a client is in the broadcasts of its services, and what it may have lost. The zero value is new.
type history struct {
	mu        sync.Mutex // Protects the rest.
	begun     bool       // there was a connection
	positions map[string]position
	breaks    int
	all       int            // the last break of services that are not in own
	own       map[string]int // the last break of others
	missed    map[string]uint64
}

// ask returns where the client was, for the authentication message.
func (h *history) ask() map[string]position {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.positions == nil {
		return map[string]position{}
	}
	return maps.Clone(h.positions)
}

// begin reads the payload of a 200. Unless the client is new, all services have a break but those that the router recovered.
// It returns false for a new client.
func (h *history) begin(payload json.RawMessage) (again bool) {
	var said struct {
		History map[string]struct {
			position
			Recovered bool `json:"recovered"`
		} `json:"history"`
	}
	_ = json.Unmarshal(payload, &said) // another payload has no history
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := make(map[string]int)
	h.positions = make(map[string]position)
	for service, at := range said.History {
		if at.Epoch != "" {
			h.positions[service] = at.position
		}
		if at.Recovered {
			kept[service] = h.since(service)
		}
	}
	again, h.begun = h.begun, true
	if again {
		h.breaks++
		h.all, h.own = h.breaks, kept
	}
	return again
}

// take notes a broadcast. It returns true if its epoch is another one than before, which is a break.
func (h *history) take(service string, at position) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, known := h.positions[service]
	if h.positions != nil {
		h.positions[service] = at
	}
	return known && last.Epoch != at.Epoch
}

// lose notes a break of one service, of which the router has dropped so many.
func (h *history) lose(service string, missed uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.own == nil {
		h.own = make(map[string]int)
	}
	if h.missed == nil {
		h.missed = make(map[string]uint64)
	}
	h.breaks++
	h.own[service] = h.breaks
	h.missed[service] += missed
}

// since returns the number of the last break of a service. The caller holds mu.
func (h *history) since(service string) int {
	if last, ok := h.own[service]; ok {
		return last
	}
	return h.all
}

func (h *history) mark(service string) mark {
	h.mu.Lock()
	defer h.mu.Unlock()
	return mark{h.since(service), h.missed[service]}
}

// broken reports whether the newest break is one of a service.
func (h *history) broken(service string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.since(service) == h.breaks
}

// heard is what a listener was told of losses.
type heard struct {
	begun  int // how many breaks there were when it began
	told   map[string]int
	missed map[string]uint64
}

// heard returns what a listener knows that begins now.
func (h *history) heard() *heard {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &heard{begun: h.breaks, told: make(map[string]int), missed: make(map[string]uint64)}
	maps.Copy(l.missed, h.missed)
	return l
}

// hear returns what the listener is to be told with a message.
func (l *heard) hear(service string, at mark) (gap bool, missed uint64) {
	told, ok := l.told[service]
	if !ok {
		told = l.begun
	}
	if gap = at.last > told; gap {
		l.told[service] = at.last
	}
	missed = at.missed - l.missed[service]
	l.missed[service] = at.missed
	return gap, missed
}
