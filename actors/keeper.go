package actors

import (
	"sync/atomic"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// keeper is the outlet of a client whose connection is lost, for what one service and the router say to it. It keeps that
// until the client is back, and then passes on what still comes. Its methods may be called from any goroutine.
type keeper struct {
	of       *suspension
	progress *progress // of the service; nil only in tests
	window   runtime.Window
	kept     runtime.Dam[keptReply]
	ids      runtime.Set[string] // of the requests to which replies were passed on, until the client was told
	told     atomic.Bool         // the client was told which requests go on
}

// keptReply is what a client gets when it is back.
type keptReply struct {
	message Message
	after   int64 // offset of the last broadcast of the service before it
}

// keptReplyBytes is what one takes besides its text.
const keptReplyBytes = 128

func (r *keptReply) size() int64 { return int64(len(r.message.Form)) + keptReplyBytes }

// Greet implements Outlet.
func (k *keeper) Greet(m Message) { k.Send(m) }

// Admit implements Outlet.
func (k *keeper) Admit(_ Role, m Message) { k.Send(m) }

// Send implements Outlet.
func (k *keeper) Send(m Message) {
	r := keptReply{message: m}
	if k.progress != nil {
		r.after = k.progress.recorded.Load()
	}
	if !k.kept.Put(r, func(r keptReply) bool { return k.of.takes(r.size()) }) {
		k.of.deps.Counters.Dead(SocketClosed)
	}
}

// note remembers which request a message answers.
func (k *keeper) note(m Message) {
	if k.told.Load() {
		return
	}
	if e, err := envelope.Decode(m.Text(), envelope.MaxDepth); err == nil && !envelope.IsEmpty(e.RequestID) {
		k.ids.Add(string(e.RequestID), always)
	}
}

// always keeps every member of a set.
func always(string) bool { return true }

// Close implements Outlet.
func (k *keeper) Close(End) { k.end() }

// Window implements Outlet.
func (k *keeper) Window() *runtime.Window { return &k.window }

// before passes on what was said before the broadcast of an offset. A nil keeper has nothing.
func (k *keeper) before(offset int64, to Outlet) {
	if k != nil {
		k.kept.Drain(func(r keptReply) bool { return r.after < offset }, k.pass(to))
	}
}

// open passes on what is kept and has everything that comes from now on go to the same outlet. It does so once. A nil
// keeper has nothing.
func (k *keeper) open(to Outlet) {
	if k != nil {
		k.kept.Open(k.pass(to), func(r keptReply) {
			k.note(r.message)
			to.Send(r.message)
		})
	}
}

// pass returns what passes on a reply that was kept.
func (k *keeper) pass(to Outlet) func(keptReply) {
	return func(r keptReply) {
		k.of.gives(r.size())
		k.note(r.message)
		// The share of a window that it had was given back long ago.
		r.message.Lease = nil
		// The outlet may hold it until the 200. Its bound is that of the keepers.
		r.message.Recorded = &Recorded{Replayed: true}
		to.Send(r.message)
	}
}

// tell returns the ids of the requests to which replies were passed on, for the last time.
func (k *keeper) tell() []string {
	k.told.Store(true)
	return k.ids.All()
}

// end makes dead letters of what is kept and of what still comes. It returns how much was kept.
func (k *keeper) end() int {
	kept := k.kept.Break()
	d := k.of.deps
	for i := range kept {
		k.of.gives(kept[i].size())
		e, err := envelope.Decode(kept[i].message.Text(), envelope.MaxDepth)
		if err != nil {
			d.Counters.Dead(SocketClosed)
			continue
		}
		d.bury(SocketClosed, ReplyLetter, &e.Envelope, nil)
	}
	return len(kept)
}
