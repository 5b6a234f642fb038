package runtime

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is the queue in front of an actor: many post, one goroutine at a time hands over. It
// differs from the library's in two ways: a post allocates nothing while the queue is short, and
// what is still queued when the actor stops becomes dead letters. Each connection has two mailboxes, so
// the fields are in an order that leaves no gaps, and what is rarely needed is in urgency.
type mailbox struct {
	mu     sync.Mutex              // Protects user, running and what urgent points to.
	urgent atomic.Pointer[urgency] // nil: nothing goes before the user messages; written with mu held
	user   []any
	slot   [1]any // the first room of user

	invoker    actor.MessageInvoker
	dispatcher scheduler

	// The rest belongs to the goroutine that runs, but for running.
	guard   *Guard // of the actor; nil if it has none
	taken   []any  // user messages taken from the queue
	at      int32  // the next one of them
	looked  bool   // guard is known
	patient bool   // others post before it is run
	running bool
}

// urgency is what keeps a mailbox from its user messages: there are system messages, or it is suspended.
type urgency struct {
	system    []any
	slot      [1]any // the first room of system
	suspended bool
}

func newMailbox() actor.Mailbox { return &mailbox{} }

// RegisterHandlers implements actor.Mailbox. The dispatcher is one of this package.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	// A gauge may look already.
	m.mu.Lock()
	defer m.mu.Unlock()
	m.invoker, m.dispatcher = invoker, dispatcher.(scheduler)
	m.user = m.slot[:0]
}

func (m *mailbox) Start() {}

func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.user)
}

func (m *mailbox) PostUserMessage(message any) {
	if m.post(message) {
		m.dispatcher.schedule(m)
	}
}

// post queues a message; start makes it the caller's duty to have the mailbox run.
func (m *mailbox) post(message any) (start bool) {
	m.mu.Lock()
	m.user = append(m.user, message)
	start = !m.running && !m.suspended()
	m.running = m.running || start
	m.mu.Unlock()
	return start
}

func (m *mailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	u := m.ensureUrgency()
	u.system = append(u.system, message)
	start := !m.running
	m.running = true
	m.mu.Unlock()
	if start {
		m.dispatcher.schedule(m)
	}
}

// suspended reports whether user messages have to wait. The caller holds mu.
func (m *mailbox) suspended() bool {
	u := m.urgent.Load()
	return u != nil && u.suspended
}

// ensureUrgency returns the urgency. It makes one if there is none. The caller holds mu.
func (m *mailbox) ensureUrgency() *urgency {
	u := m.urgent.Load()
	if u == nil {
		u = new(urgency)
		u.system = u.slot[:0]
		m.urgent.Store(u)
	}
	return u
}

// dropUrgency drops u if nothing of it is left. The caller holds mu.
func (m *mailbox) dropUrgency(u *urgency) {
	if len(u.system) == 0 && !u.suspended {
		m.urgent.Store(nil)
	}
}

// run implements runner.
func (m *mailbox) run() {
	if m.patient {
		// Those who are about to post do so first: what comes together leaves in one write.
		runtime.Gosched()
	}
	for n := 0; m.step(); n++ {
		if n%burst == burst-1 {
			runtime.Gosched()
		}
	}
}

// runOne hands over one message on the goroutine of the caller, who has made the mailbox run, and leaves
// what came meanwhile to another one.
func (m *mailbox) runOne() {
	if m.step() && m.more() {
		m.dispatcher.schedule(m)
	}
}

// more reports to who runs the mailbox whether something is to be handed over; if not, the run has ended.
func (m *mailbox) more() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.urgent.Load()
	m.running = u != nil && len(u.system) > 0 || !m.suspended() && (int(m.at) < len(m.taken) || len(m.user) > 0)
	return m.running
}

// step hands over one message and is false when there is none.
func (m *mailbox) step() bool {
	message, system := m.take()
	if message == nil {
		return false
	}
	switch message := message.(type) {
	case *actor.SuspendMailbox:
		m.suspend(true)
		return true
	case *actor.ResumeMailbox:
		m.suspend(false)
		return true
	case *heartbeat:
		message.done()
		return true
	}
	m.invoke(message, system)
	return true
}

// take returns the next message, system messages first; nil ends the run.
func (m *mailbox) take() (message any, system bool) {
	if int(m.at) == len(m.taken) || m.urgent.Load() != nil {
		if message, more := m.refill(); !more {
			return message, message != nil
		}
	}
	message = m.taken[m.at]
	m.taken[m.at] = nil
	m.at++
	return message, false
}

// refill returns a system message if there is one. Otherwise more says whether there is a user message in taken; if
// not, the run has ended.
func (m *mailbox) refill() (system any, more bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.urgent.Load()
	if u != nil && len(u.system) > 0 {
		system = u.system[0]
		u.system[0] = nil
		u.system = u.system[1:]
		m.dropUrgency(u)
		return system, false
	}
	drained := int(m.at) == len(m.taken)
	if u != nil || drained && len(m.user) == 0 {
		m.running = false
		return nil, false
	}
	if drained {
		m.swap()
	}
	return nil, true
}

// keep is the length up to which a drained queue is used again; a longer one goes back to the
// heap, so that a burst does not cost memory for ever.
const keep = 1024

func (m *mailbox) swap() {
	next := m.taken[:0]
	clear(m.taken)
	if cap(next) > keep {
		next = nil
	}
	m.taken, m.user, m.at = m.user, next, 0
}

func (m *mailbox) suspend(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.suspended() == on {
		return
	}
	u := m.ensureUrgency()
	u.suspended = on
	m.dropUrgency(u)
}

func (m *mailbox) invoke(message any, system bool) {
	defer func() {
		if r := recover(); r != nil {
			m.invoker.EscalateFailure(r, message)
		}
	}()
	if system {
		m.look()
		m.invoker.InvokeSystemMessage(message)
		m.look()
		if g := m.guard; g != nil && g.stopped {
			// An actor that stops after a panic is never resumed; what waits is buried all the same.
			m.suspend(false)
		}
		return
	}
	if !m.looked {
		m.look()
	}
	if g := m.guard; g != nil && g.stopped {
		g.runtime.Bury(message)
		return
	}
	m.invoker.InvokeUserMessage(message)
}

// look notes the guard of the actor, if it has one, and tells it of its mailbox. A restart, which is a system
// message, makes another guard.
func (m *mailbox) look() {
	m.looked = true
	ctx, ok := m.invoker.(interface{ Actor() actor.Actor })
	if !ok {
		return
	}
	m.guard, _ = ctx.Actor().(*Guard)
	if m.guard != nil && m.guard.mailbox == nil {
		m.guard.mailbox = m
	}
}
