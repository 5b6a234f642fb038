package runtime

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is the queue in front of an actor: many post, one goroutine at a time hands over. It
// differs from the library's in two ways: a post allocates nothing while the queue is short, and
// what is still queued when the actor stops becomes dead letters.
type mailbox struct {
	mu        sync.Mutex // Protects following.
	user      []any
	system    []any
	running   bool
	suspended bool
	urgent    atomic.Bool // there are system messages, or it is suspended; written with mu held

	// The rest belongs to the goroutine that runs.
	taken []any // user messages taken from the queue
	at    int   // the next one of them
	slot  [1]any

	guard   *Guard // of the actor; nil if it has none
	looked  bool   // guard is known
	patient bool   // others post before it is run

	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher
	runFunc    func()
}

func newMailbox() actor.Mailbox { return &mailbox{} }

func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	// A gauge may look already.
	m.mu.Lock()
	defer m.mu.Unlock()
	m.invoker, m.dispatcher = invoker, dispatcher
	m.runFunc = m.run
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
		m.dispatcher.Schedule(m.runFunc)
	}
}

// post queues a message; start makes it the caller's duty to have the mailbox run.
func (m *mailbox) post(message any) (start bool) {
	m.mu.Lock()
	m.user = append(m.user, message)
	start = !m.running && !m.suspended
	m.running = m.running || start
	m.mu.Unlock()
	return start
}

func (m *mailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	m.system = append(m.system, message)
	m.urgent.Store(true)
	start := !m.running
	m.running = true
	m.mu.Unlock()
	if start {
		m.dispatcher.Schedule(m.runFunc)
	}
}

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
		m.dispatcher.Schedule(m.runFunc)
	}
}

// more reports to who runs the mailbox whether something is to be handed over; if not, the run has ended.
func (m *mailbox) more() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = len(m.system) > 0 || !m.suspended && (m.at < len(m.taken) || len(m.user) > 0)
	return m.running
}

// step hands over one message and is false when there is none.
func (m *mailbox) step() bool {
	message, system := m.take()
	if message == nil {
		return false
	}
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.suspend(true)
		return true
	case *actor.ResumeMailbox:
		m.suspend(false)
		return true
	}
	m.invoke(message, system)
	return true
}

// take returns the next message, system messages first; nil ends the run.
func (m *mailbox) take() (message any, system bool) {
	if m.at == len(m.taken) || m.urgent.Load() {
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
	if len(m.system) > 0 {
		system = m.system[0]
		m.system[0] = nil
		if m.system = m.system[1:]; len(m.system) == 0 {
			m.system = nil // there will hardly be more
			m.urgent.Store(m.suspended)
		}
		return system, false
	}
	if m.suspended || m.at == len(m.taken) && len(m.user) == 0 {
		m.running = false
		return nil, false
	}
	if m.at == len(m.taken) {
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
	m.suspended = on
	m.urgent.Store(on || len(m.system) > 0)
	m.mu.Unlock()
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
