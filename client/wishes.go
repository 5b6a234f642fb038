package client

import (
	"encoding/json"
	"maps"
	"slices"
)

// longestWish is the longest payload of an authentication message, and longestFirst the longest message with token and payload, in
// bytes: the router reads 8 KiB before it knows a client, and closes the connection for more.
const (
	longestWish  = 4096
	longestFirst = 8000
)

// wish is what a client asks for besides to be let in (protocol 13 to 16).
type wish struct {
	History  map[string]position `json:"history,omitzero"`
	Gaps     bool                `json:"gaps"`
	Filters  map[string]Filter   `json:"filters,omitempty"`
	Resume   bool                `json:"resume,omitempty"`
	Requests bool                `json:"requests,omitempty"`
}

// wish returns the payload of the authentication message with a token. If it would be too long it says less: the client then
// filters by itself, or is told of a gap.
func (l *link) wish(token Token) string {
	longest := min(longestWish, longestFirst-len(appendAuthentication(nil, token, "", "")))
	w := wish{Gaps: true, Filters: l.opts.Filters, Resume: l.opts.Resume, Requests: l.opts.Resume}
	if l.opts.Recover {
		w.History = l.history.ask()
	}
	text := w.text()
	if len(text) > longest {
		w.Filters = nil
		text = w.text()
	}
	if len(text) > longest {
		w.History = map[string]position{}
		text = w.text()
	}
	return text
}

func (w *wish) text() string {
	text, err := json.Marshal(w)
	if err != nil {
		return "" // WithDefaults has checked the filters, and the rest is text
	}
	return string(text)
}

// admitted reads the payload of the 200 that came over s. The reader calls it before it reads the next message, which
// depends on it.
func (l *link) admitted(s *socket, payload json.RawMessage) {
	if l.opts.Resume {
		s.take(l.tickets.admitted(payload))
	}
	var said struct {
		Filters map[string]json.RawMessage `json:"filters"`
	}
	_ = json.Unmarshal(payload, &said) // another payload has no filters
	l.unused = make(map[string]*Filter)
	for _, service := range slices.Sorted(maps.Keys(l.opts.Filters)) {
		if string(said.Filters[service]) == "true" {
			continue
		}
		f := l.opts.Filters[service]
		l.unused[service] = &f
		l.opts.Logger.Warn("the router does not use a filter, so the client does", "service", service, "reason", string(said.Filters[service]))
	}
	if l.history.begin(payload) && l.returned != nil {
		l.returned()
	}
}
