package transport

import (
	"time"
)

// This file is about shards that are frozen. Such a shard handles no order and writes nothing, so another process can go on with its sockets. What comes for
// the shard is kept. A thaw has it handle that as if nothing had happened, but for the sockets that the other process has.

type (
	// freeze is told, by the shard, once nothing is written any more.
	freeze struct{ still func(sh *shard) }
	// thaw ends a freeze. Handed are the sockets that another process has.
	thaw struct {
		handed []*socket
		done   func()
	}
	// release lets the shard write to sockets that were withheld.
	release struct{}
)

func (*freeze) toShard()  {}
func (*thaw) toShard()    {}
func (*release) toShard() {}

// thaws reports whether a frozen shard handles m.
func thaws(m toShard) bool {
	switch m.(type) {
	case *thaw, *written:
		return true
	}
	return false
}

// freeze writes what came before, and ends the goroutines that write to slow readers.
func (sh *shard) freeze(m *freeze) {
	sh.flush()
	sh.frozen = m
	sh.halt.Store(true)
	for s := range sh.sockets {
		if s.writing && s.fd >= 0 {
			sh.halting++
			s.halted = true
			// An error means that the write has ended or will.
			_ = s.conn.SetWriteDeadline(time.Unix(1, 0))
		}
	}
	if sh.halting == 0 {
		m.still(sh)
	}
}

// takeBack puts what a goroutine has not written in front of what waits.
func (sh *shard) takeBack(s *socket, m *written) {
	bytes := 0
	for _, frame := range m.rest {
		bytes += len(frame)
	}
	sh.count(s, len(m.rest)-m.frames, bytes-m.bytes)
	s.out += int64(m.bytes - bytes)
	s.draining.Store(0)
	sh.traffic.out(m.bytes-bytes, 0)
	s.queue = append([][]byte(m.rest), s.queue...)
	s.sharing.land()
	s.owed = append(m.leases, s.owed...)
}

// melted notes that a goroutine has ended that wrote for s.
func (sh *shard) melted(s *socket) {
	if sh.frozen == nil || !s.halted {
		return
	}
	s.halted = false
	if sh.halting--; sh.halting == 0 {
		sh.frozen.still(sh)
	}
}

// thaw lets go of the sockets that another process has, and goes on with the others.
func (sh *shard) thaw(m *thaw) {
	defer m.done() // also if a message panics here, because nothing is read before all shards are done
	for _, s := range m.handed {
		sh.disown(s)
	}
	sh.frozen, sh.halting = nil, 0
	sh.halt.Store(false)
	for s := range sh.sockets {
		s.halted = false
		sh.drain(s)
	}
	kept := sh.kept
	sh.kept = nil
	for i := range kept {
		sh.handle(&kept[i])
	}
}

// disown closes this process's descriptor of a connection that another process has. The connection stays open.
func (sh *shard) disown(s *socket) {
	s.closing, s.finished, s.readDone = true, true, true
	s.held = nil
	sh.vacateAll(s)
	s.forget()
	sh.count(s, -s.waiting, -int(s.bytes))
	sh.charge(s, -s.queued)
	s.reader.window.Close()
	sh.leaveAll(s)
	sh.detach(s)
}

// release has everything written that waits for sockets that were withheld.
func (sh *shard) release() {
	for s := range sh.sockets {
		if !s.withheld {
			continue
		}
		s.withheld = false
		// Their peers could not read it before.
		s.free, s.freeBytes = s.waiting, s.bytes
		sh.drain(s)
		sh.finish(s)
	}
}

// freeze has nothing written any more until the shards thaw. It calls still for each shard, on any goroutine, when that
// is so.
func (e *Egress) freeze(still func(sh *shard)) {
	for _, sh := range e.shards {
		sh.post(&freeze{still})
	}
}

// fence calls passed on the goroutine of the shard once what was sent to its sockets before has been written or waits
// for a slow reader.
type fence struct{ passed func(sh *shard) }

func (*fence) toShard() {}

// fence implements the message of that name.
func (sh *shard) fence(m *fence) {
	sh.flush()
	m.passed(sh)
}
