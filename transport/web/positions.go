package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"strowger/actors"
	"strowger/actors/envelope"
)

// idHeader is what a browser sends when its stream comes back: the id of the last event that it got.
const idHeader = "Last-Event-ID"

// historyQuery is the key of a URL that asks for ids. Its value may be an id that a page has kept itself.
const historyQuery = "history"

// presenceQuery is the key of a URL that names a service of which the stream is told who watches it. It may come several times.
const presenceQuery = "presence"

// maxID is how long an id may be, in bytes. A proxy and limits.header_bytes must take it as a header.
const maxID = 4 << 10

// noID stands for an id that is too long. A stream that comes back with it is told of no service that it missed nothing.
const noID = "-"

// positions are where a stream is in the histories of its services, for the ids of its events.
type positions struct {
	names []string // in the order in which they became known
	at    map[string]actors.Position
}

// set says that the stream has got a broadcast, and all before it.
func (p *positions) set(service string, at actors.Position) {
	if _, known := p.at[service]; !known {
		p.names = append(p.names, service)
	}
	p.at[service] = at
}

// begin reads in the 200 where the stream begins.
func (p *positions) begin(text []byte) {
	p.at = make(map[string]actors.Position)
	e, err := envelope.Decode(text, envelope.MaxDepth)
	if err != nil {
		return
	}
	var granted struct {
		History map[string]actors.Position `json:"history"`
	}
	if json.Unmarshal(e.Payload, &granted) != nil {
		return
	}
	for service, at := range granted.History {
		if at.Epoch != "" {
			p.set(service, at)
		}
	}
}

// id returns all positions as one word that positionsOf reads: keys and values as in a URL.
func (p *positions) id() string {
	var id strings.Builder
	for _, service := range p.names {
		if id.Len() > 0 {
			id.WriteByte('&')
		}
		id.WriteString(url.QueryEscape(service))
		id.WriteByte('=')
		id.WriteString(p.at[service].String())
		if id.Len() > maxID {
			return noID
		}
	}
	return id.String()
}

// wish returns what the authentication message of a stream asks for: nil, or its payload. A browser sends the URL again
// with the header, which is newer.
func wish(r *http.Request) json.RawMessage {
	query := r.URL.Query()
	wishes := make(map[string]any)
	if services := query[presenceQuery]; len(services) > 0 {
		wishes["presence"] = services
	}
	id := r.Header.Get(idHeader)
	if id != "" || query.Has(historyQuery) {
		if id == "" {
			id = query.Get(historyQuery)
		}
		wishes["history"] = positionsOf(id)
	}
	if len(wishes) == 0 {
		return nil
	}
	asked, err := json.Marshal(wishes)
	if err != nil {
		return nil
	}
	return asked
}

// positionsOf reads an id. The position of a service is nil if it is none.
func positionsOf(id string) map[string]*actors.Position {
	all := make(map[string]*actors.Position)
	if id == noID {
		return all
	}
	values, err := url.ParseQuery(id)
	if err != nil {
		return all
	}
	for service, texts := range values {
		all[service] = nil
		if at, err := actors.ParsePosition(texts[0]); err == nil && at.Epoch != "" {
			all[service] = &at
		}
	}
	return all
}
