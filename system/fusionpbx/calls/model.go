package calls

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/event"
)

// channel is one leg of a call, as pages know it.
type channel struct {
	uuid   string
	values [len(kept)]string // of the keys in kept
	ended  bool              // pages were told
	event  uint64            // number of the last event
}

// kept are the keys that are remembered of a channel, in the order in which they are told.
var kept = [...]string{keyAnswer, keyState, "call_direction", "caller_channel_created_time", "caller_channel_name", keyContext,
	"caller_caller_id_name", "caller_caller_id_number", "caller_destination_number", keyPresence, keyOther}

func place(key string) int { return slices.Index(kept[:], key) }

func (ch *channel) get(key string) string { return ch.values[place(key)] }

// set keeps a value. The clone does not hold the memory of the event.
func (ch *channel) set(i int, value string) {
	if ch.values[i] != value {
		ch.values[i] = strings.Clone(value)
	}
}

func (ch *channel) answered() bool { return ch.get(keyAnswer) == answered }

// end returns the payload that removes the channel from pages.
func (ch *channel) end() envelope.Raw {
	var p event.Payload
	p.Set("event_name", callState)
	p.Set(keyUUID, ch.uuid)
	for i, key := range kept {
		value := ch.values[i]
		switch key {
		case keyAnswer:
			value = hungUp
		case keyState:
			value = "HANGUP"
		}
		if value != "" {
			p.Set(key, value)
		}
	}
	return p.JSON()
}

// model has the channels that pages were told of.
//
// A life of the service that hangs may still use it when the next one copies it, so it has a lock.
type model struct {
	mu       sync.Mutex // Protects following.
	channels map[string]*channel
	gone     map[string]bool // channels that ended while a list of the switch was on its way
	events   uint64          // number of the last event
}

// remember notes what an event has told pages.
func (m *model) remember(uuid string, p *event.Payload) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events++
	if uuid == "" {
		return
	}
	ended := p.Get(keyAnswer) == hungUp
	ch := m.channels[uuid]
	if ended || p.Name() == "CHANNEL_DESTROY" {
		m.end(uuid, p.Name())
	}
	if ch == nil && (ended || p.Name() == "CHANNEL_DESTROY") {
		return // what comes after the end brings nothing to life
	}
	if ch == nil {
		ch = &channel{uuid: strings.Clone(uuid)}
		m.channels[ch.uuid] = ch
	}
	ch.event = m.events
	for _, field := range p.Fields() {
		if i := place(field.Key); i >= 0 && field.Value != "" {
			ch.set(i, field.Value)
		}
	}
}

// end notes that pages have removed a channel. It is kept until the switch says its last word of it, as later events
// may need to know whose it was.
func (m *model) end(uuid, name string) {
	uuid = strings.Clone(uuid)
	if m.gone != nil {
		m.gone[uuid] = true
	}
	ch := m.channels[uuid]
	switch {
	case ch == nil:
	case name == "CHANNEL_DESTROY":
		delete(m.channels, uuid)
	case name == callState:
		ch.ended = true
	}
}

// memory hands the model of one life of the service to the next.
type memory struct {
	mu    sync.Mutex // Protects following.
	model *model
}

// take returns a copy of the model of the life before. crashed is false for the first life.
func (m *memory) take() (next *model, crashed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.model
	m.model = &model{channels: map[string]*channel{}}
	if last == nil {
		return m.model, false
	}
	last.mu.Lock()
	defer last.mu.Unlock()
	for uuid, ch := range maps.All(last.channels) {
		twin := *ch
		m.model.channels[uuid] = &twin
	}
	m.model.events = last.events
	return m.model, true
}
