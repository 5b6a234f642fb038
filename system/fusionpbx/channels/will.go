package channels

import (
	"strings"

	"strowger/system/fusionpbx/event"
)

// owner says whose a channel is, as policies go by it.
type owner struct{ context, presence string }

// Announce is called with an event before pages are told of it. If they will show the channel, other nodes get its will
// first, so that a node that is lost at any moment leaves no channel behind.
func (w *Watch) Announce(p *event.Payload) {
	uuid := p.Get(keyUUID)
	if w.o.Will == nil || uuid == "" || p.Get(keyAnswer) == hungUp || p.Name() == destroy || !w.o.Whole && p.Name() != callState {
		return
	}
	ch := Channel{uuid: uuid}
	if known, shown := w.known.shows(uuid); shown {
		ch = known
	}
	ch.learn(p, true)
	w.bequeath(&ch)
}

// bequeath makes the will of a channel, unless it is made.
func (w *Watch) bequeath(ch *Channel) {
	if w.o.Will == nil {
		return
	}
	if last, willed := w.willed[ch.uuid]; willed && last == ch.owner() {
		return
	}
	w.willed[strings.Clone(ch.uuid)] = ch.owner()
	w.o.Will(ch.uuid, ch)
}

// release takes the will of a channel back if pages show it no more.
func (w *Watch) release(uuid string) {
	if _, willed := w.willed[uuid]; !willed {
		return
	}
	if _, shown := w.known.shows(uuid); !shown {
		delete(w.willed, uuid)
		w.o.Will(uuid, nil)
	}
}

func (ch *Channel) owner() owner { return owner{ch.Get(keyContext), ch.Get(keyPresence)} }

// shows returns a copy of a channel that pages show.
func (m *model) shows(uuid string) (ch Channel, shown bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.channels[uuid]
	if known == nil || !known.shown || known.ended {
		return Channel{}, false
	}
	return *known, true
}

// owners returns whose the channels are that pages show.
func (m *model) owners() map[string]owner {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := map[string]owner{}
	for uuid, ch := range m.channels {
		if ch.shown && !ch.ended {
			of[uuid] = ch.owner()
		}
	}
	return of
}
