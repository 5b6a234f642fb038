package channels

import (
	"time"

	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/timing"
	"strowger/system/service"
)

// Options say how a Watch asks the switch and whom it tells. All fields but Will, Whole, Differs and Tenant are needed.
type Options struct {
	// Commands has the connection for commands.
	Commands *eventsocket.Client
	// Interval is the time between two comparisons, Timeout how long a command may take.
	Interval, Timeout time.Duration
	// Ended is called with a channel that ended without an event, Changed with one that pages do not know or know
	// wrongly.
	Ended   func(ch *Channel)
	Changed func(r *Row)
	// Will, unless nil, is called with what takes a channel from the pages of other nodes that lose this one, and with nil
	// when the channel has left them.
	Will func(uuid string, ch *Channel)
	// Whole says that pages take all that each event says of a channel, and show it until CHANNEL_DESTROY. Otherwise
	// they take its state from CHANNEL_CALLSTATE alone, and show it until one of those says that it hung up.
	Whole bool
	// Differs, unless nil, reports whether pages know wrongly a channel whose context and answer they know rightly.
	Differs func(ch *Channel, r *Row) bool
	// Tenant, unless nil, returns the domain whose pages show a channel, "" if it is that of no tenant.
	Tenant func(context, presence string) string
}

// Watch is what pages know of channels.
type Watch struct {
	o     Options
	ctx   service.Context
	known *model
	fetch fetcher

	down     bool // no events come: there is no connection for them, or none yet
	current  bool // it was compared with the switch, and no event was missed since
	compared bool // it was compared in this life
	all      bool // pages may know anything: they are told of every channel
	due      bool
	certain  bool // events were missed, so a difference need not be confirmed
	running  bool
	pause    timing.Pause
	again    service.Timer // runs the comparison again after a failure; nil: it has not failed
	refused  timing.Refusals
	willed   map[string]owner
	leaving  *timing.Queue // channels whose last event came before the one that removes them from pages
	odd      bool          // a comparison comes because of an odd event
}

// NewWatch returns a Watch that takes over what pages know from the service's last life. It compares when Gap is
// called and every Options.Interval. Until the first call of Gap it asks the switch whatever matters, because it
// does not know whether events come.
func NewWatch(s service.Setup, o Options, memory *Memory) *Watch {
	w := &Watch{o: o, ctx: s, down: true, willed: map[string]owner{}, leaving: timing.NewQueue(s)}
	w.known, w.all = memory.take()
	w.known.whole, w.known.tenant = o.Whole, o.Tenant
	if o.Will != nil {
		w.willed = w.known.owners()
	}
	w.refused.Tell = func() {
		w.all = true
		w.compare(false)
	}
	s.Every(o.Interval, func(service.Context) {
		w.refused.Rest()
		w.compare(false)
	})
	return w
}

// Down notes that no events come any more.
func (w *Watch) Down() { w.down, w.current = true, false }

// Gap notes that events were missed, and compares. A comparison that has failed is made again at once.
func (w *Watch) Gap() {
	if w.down && w.refused.Cancel() { // they were refused because there was no connection, not for too much work
		w.all = true
	}
	w.down, w.current = false, false
	w.pause.Reset()
	if w.again != nil {
		w.again.Stop()
		w.again, w.running = nil, false
	}
	w.compare(true)
}

// Complete adds to an event whose channel it is where the event does not say so, because policies go by it.
func (w *Watch) Complete(p *event.Payload) { w.known.complete(p) }

// Remember notes what an event has told pages. It is called last: if the service fails before, the comparison
// after the restart finds what is missing. If the last event of a channel comes before the one that removes it from
// pages, Remember waits for that one as long as for other events that are on their way.
func (w *Watch) Remember(p *event.Payload) {
	ch := w.known.remember(p)
	w.release(p.Get(keyUUID))
	if ch == nil {
		return
	}
	w.leaving.Add(confirm, func() {
		if w.known.end(ch) {
			w.o.Ended(ch)
			w.release(ch.uuid)
		}
	})
}

// Renamed notes that a channel has another UUID now. Pages are told that the old one has ended, and of the new one unless
// an event does so.
func (w *Watch) Renamed(from, to string) {
	if ch := w.known.rename(from, to); ch != nil {
		w.o.Ended(ch)
		w.compare(false)
	}
	w.release(from)
}

// Odd is called with an event that does not say which channel it is about. It may be the last one of a channel.
func (w *Watch) Odd() {
	if !w.odd {
		w.odd = true
		w.leaving.Add(confirm, func() {
			w.odd = false
			w.compare(false)
		})
	}
}

// TellAll tells pages of every channel, because some may know anything.
func (w *Watch) TellAll() {
	w.all = true
	clear(w.willed)
	w.compare(true)
}

// Refused notes that a page was refused the list of channels. It does not know the calls that go on, so after a pause pages are
// told of every channel. The pause grows if pages are refused again and again: an overload must not make more work.
func (w *Watch) Refused() {
	if !w.all {
		w.refused.Add(w.ctx)
	}
}

// recovered notes that the switch has given its list. A comparison that pauses after a failure goes on at once.
func (w *Watch) recovered() {
	if w.again == nil {
		return
	}
	w.again.Stop()
	w.again = nil
	w.pause.Shorten()
	w.run()
}

// Leg returns a channel. ok is false if there is none, or if events were missed so that its domain may be another by now.
func (w *Watch) Leg(uuid eventsocket.UUID) (leg Leg, ok bool) {
	if !w.current {
		return Leg{}, false
	}
	return w.known.leg(uuid.String())
}

// Legs calls then with a channel and those that it talks with, or with none if the switch has no such channel. It asks
// the switch if no event has told of the channel, if events were missed, or if a leg is of a domain that the channel is not
// of: who talked with it a while ago has no right to it now. Otherwise it calls then at once.
func (w *Watch) Legs(uuid eventsocket.UUID, then func([]Leg, error)) {
	id := uuid.String()
	if w.current {
		if legs := w.known.legs(id); len(legs) > 0 && trusted(legs) {
			then(legs, nil)
			return
		}
	}
	w.List(func(now List, err error) {
		if err != nil {
			then(nil, err)
			return
		}
		legs := now.legs(id)
		if len(legs) == 0 {
			if leg, ok := w.known.leg(id); ok { // it has begun since, or has ended
				legs = []Leg{leg}
			}
		}
		then(legs, nil)
	})
}

// Get returns the value that pages know of a key of a channel, or "".
func (w *Watch) Get(uuid, key string) string {
	w.known.mu.Lock()
	defer w.known.mu.Unlock()
	if ch := w.known.channels[uuid]; ch != nil {
		return ch.Get(key)
	}
	return ""
}

// Known returns each of the channels, in their order, and those that it has talked with, without asking the switch. It must
// not decide who may change a call: see Legs.
func (w *Watch) Known(calls []eventsocket.UUID) [][]Leg {
	uuids := make([]string, len(calls))
	for i, uuid := range calls {
		uuids[i] = uuid.String()
	}
	return w.known.legsOf(uuids...)
}
