package channels

import (
	"slices"
	"strings"
	"sync"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/event"
)

// The keys of payloads that the model reads.
const (
	keyUUID     = "unique_id"
	keyContext  = "caller_context"
	keyPresence = "channel_presence_id"
	keyAnswer   = "answer_state"
	keyState    = "channel_call_state"
	keyOther    = "other_leg_unique_id"
	keyBridge   = "variable_bridge_uuid"
)

// The names of the events that end a channel.
const (
	callState = "CHANNEL_CALLSTATE"
	destroy   = "CHANNEL_DESTROY"
)

// create is the name of the event that begins one.
const create = "CHANNEL_CREATE"

// The values of answer_state.
const (
	ringing  = "ringing"
	answered = "answered"
	hungUp   = "hangup"
)

// Channel is one leg of a call, as pages know it.
type Channel struct {
	uuid      string
	values    [len(kept)]string // of the keys in kept
	shown     bool              // pages show it: they were told its state
	ended     bool              // pages were told
	destroyed bool              // the switch has said its last word of it, but not that it hung up
	unseen    bool              // it came to another tenant by an event from which pages do not learn of a channel
	twice     bool              // the switch has begun another one with this UUID, of another tenant
	event     uint64            // number of the last event
}

// kept are the keys that are remembered of a channel, in the order in which they are told.
var kept = [...]string{keyAnswer, keyState, "call_direction", "caller_channel_created_time", "caller_channel_name", keyContext,
	"caller_caller_id_name", "caller_caller_id_number", "caller_destination_number", keyPresence, keyOther, keyBridge}

func place(key string) int { return slices.Index(kept[:], key) }

// Get returns the value that pages know of a key, or "" if there is none or if it is not remembered.
func (ch *Channel) Get(key string) string {
	if i := place(key); i >= 0 {
		return ch.values[i]
	}
	return ""
}

// set keeps a value. The clone does not hold the memory of the event.
func (ch *Channel) set(i int, value string) {
	if ch.values[i] != value {
		ch.values[i] = strings.Clone(value)
	}
}

func (ch *Channel) answered() bool { return ch.Get(keyAnswer) == answered }

// End returns the payload of an event of that name which says that the channel has hung up.
func (ch *Channel) End(name string) envelope.Raw {
	twin := *ch
	twin.set(place(keyAnswer), hungUp)
	twin.set(place(keyState), "HANGUP")
	p := twin.Payload(name)
	return p.JSON()
}

// Payload returns an event of that name which says what pages know of the channel.
func (ch *Channel) Payload(name string) event.Payload {
	var p event.Payload
	p.Set("event_name", name)
	p.Set(keyUUID, ch.uuid)
	for i, key := range kept {
		if value := ch.values[i]; value != "" {
			p.Set(key, value)
		}
	}
	return p
}

// model has the channels that pages were told of.
//
// A life of the service that hangs may still use it when the next one copies it, so it has a lock.
type model struct {
	whole  bool                                  // as Options.Whole
	tenant func(context, presence string) string // as Options.Tenant

	mu       sync.Mutex // Protects following.
	channels map[string]*Channel
	gone     gone
	events   uint64 // number of the last event
}

// gone are channels that ended while a list of the switch was on its way. It is nil while none is.
type gone map[string]bool

func (g gone) add(uuid string) {
	if g != nil {
		g[strings.Clone(uuid)] = true
	}
}

// complete adds whose channel it is where the event does not say so, because policies go by it, and whether it was answered or
// has hung up, because pages go by that.
func (m *model) complete(p *event.Payload) {
	if _, ok := p.Lookup(keyAnswer); !ok {
		if answer := answerOf(p.Get(keyState)); answer != "" {
			p.Set(keyAnswer, answer)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ch := m.channels[p.Get(keyUUID)]
	if ch == nil {
		return
	}
	if _, ok := p.Lookup(keyAnswer); !ok && p.Name() == callState && ch.Get(keyAnswer) != "" {
		p.Set(keyAnswer, ch.Get(keyAnswer))
	}
	for _, key := range []string{keyContext, keyPresence} {
		if known := ch.Get(key); known != "" && p.Get(key) == "" {
			p.Set(key, known)
		}
	}
}

// answerOf returns the value of answer_state that goes with one of channel_call_state, "" if none does.
func answerOf(state string) string {
	switch state {
	case "RINGING":
		return ringing
	case "ACTIVE", "HELD", "UNHELD":
		return answered
	case "HANGUP":
		return hungUp
	}
	return ""
}

// remember notes what an event has told pages. It returns the channel if this was its last event and pages still show
// it, because the one that removes it from them was lost or comes later; else nil. See end.
func (m *model) remember(p *event.Payload) *Channel {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events++
	uuid := p.Get(keyUUID)
	if uuid == "" {
		return nil
	}
	ended, last := p.Get(keyAnswer) == hungUp, p.Name() == destroy
	ch := m.channels[uuid]
	if ended || last {
		m.gone.add(uuid)
	}
	switch {
	case ch == nil && (ended || last):
		return nil // what comes after the end brings nothing to life
	case ch == nil:
		ch = &Channel{uuid: strings.Clone(uuid)}
		m.channels[ch.uuid] = ch
	case last && ch.shown && !ch.ended && !m.whole:
		ch.destroyed, ch.event = true, m.events
		return ch
	case last, ch.destroyed && ended && p.Name() == callState:
		delete(m.channels, uuid)
		return nil
	case ended && p.Name() == callState:
		ch.ended = !m.whole
	}
	ch.event = m.events
	before := m.tenantOf(ch)
	ch.learn(p, m.whole || p.Name() == callState)
	ch.unseen = p.Name() != callState && (ch.unseen || m.tenantOf(ch) != before)
	return nil
}

func (m *model) tenantOf(ch *Channel) string {
	if m.tenant == nil {
		return ""
	}
	return m.tenant(ch.Get(keyContext), ch.Get(keyPresence))
}

// end forgets a channel of which remember has said that pages still show it. It reports whether that is so until now.
func (m *model) end(ch *Channel) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.channels[ch.uuid] != ch {
		return false
	}
	delete(m.channels, ch.uuid)
	return true
}

// learn notes what an event says, also of the state of the channel if pages take that from it.
func (ch *Channel) learn(p *event.Payload, states bool) {
	ch.shown = ch.shown || states
	for _, field := range p.Fields() {
		i := place(field.Key)
		if i < 0 || field.Value == "" || !states && (field.Key == keyAnswer || field.Key == keyState) {
			continue
		}
		ch.set(i, field.Value)
	}
}

// rename gives a channel another UUID. It returns the channel as it was if pages show it, else nil; pages do not know the new
// UUID yet.
func (m *model) rename(from, to string) *Channel {
	m.mu.Lock()
	defer m.mu.Unlock()
	ch := m.channels[from]
	if ch == nil || to == "" || from == to {
		return nil
	}
	m.events++
	m.gone.add(from)
	delete(m.channels, from)
	if m.channels[to] == nil {
		twin := *ch
		twin.uuid, twin.shown, twin.event = strings.Clone(to), false, m.events
		m.channels[twin.uuid] = &twin
	}
	if !ch.shown || ch.ended {
		return nil
	}
	return ch
}

// begin notes from now on which channels end, and returns the number of the last event. It forgets those that ended before.
func (m *model) begin() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = gone{}
	return m.events
}

// finish ends what begin began.
func (m *model) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = nil
}

// Memory hands what pages know from one life of a service to the next. The zero value is ready.
type Memory struct {
	mu    sync.Mutex // Protects following.
	model *model
}

// take returns a copy of the model of the life before. crashed is false for the first life.
func (m *Memory) take() (next *model, crashed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.model
	m.model = &model{channels: map[string]*Channel{}}
	if last == nil {
		return m.model, false
	}
	last.mu.Lock()
	defer last.mu.Unlock()
	for uuid, ch := range last.channels {
		twin := *ch
		m.model.channels[uuid] = &twin
	}
	m.model.events = last.events
	return m.model, true
}
