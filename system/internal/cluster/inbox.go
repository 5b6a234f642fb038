package cluster

import (
	"encoding/binary"
	"slices"
	"sync"
)

// inbox is what a node has sent and its goroutine has not yet handled.
type inbox struct {
	mu      sync.Mutex // Protects following.
	waiting load
	handled int64 // bytes that the goroutine has taken and not yet handled
	ended   bool
	wake    chan struct{}
}

// load is the content of an inbox, in order.
type load struct {
	steps []step
	data  []byte
}

// step is one thing to do for a session.
type step struct {
	session *session
	do      stepKind
	length  int // of data
	count   int // of items in it
}

type stepKind uint8

const (
	stepOpen  stepKind = iota // the session begins
	stepItems                 // items came
	stepClose                 // the session has ended
)

// stepCost is what a step counts besides its bytes.
const stepCost = 64

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (i *inbox) put(s step, data ...[]byte) {
	i.waiting.steps = append(i.waiting.steps, s)
	for _, d := range data {
		i.waiting.data = append(i.waiting.data, d...)
	}
	signal(i.wake)
}

// open adds the beginning of a session.
func (i *inbox) open(s *session) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.put(step{session: s, do: stepOpen})
}

// close adds the end of a session.
func (i *inbox) close(s *session) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.put(step{session: s, do: stepClose})
}

// drop drops the items that wait.
func (i *inbox) drop() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.waiting.steps = slices.DeleteFunc(i.waiting.steps, func(s step) bool { return s.do == stepItems })
	i.waiting.data = i.waiting.data[:0]
}

// add adds items. It returns false if there is no room.
func (i *inbox) add(s *session, body []byte, count int, most int64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.full(len(body), most) {
		return false
	}
	i.put(step{session: s, do: stepItems, length: len(body), count: count}, body)
	return true
}

// addOne adds an item that has no length before it.
func (i *inbox) addOne(s *session, data []byte, most int64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.full(len(data)+4, most) {
		return false
	}
	length := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	i.put(step{session: s, do: stepItems, length: len(data) + 4, count: 1}, length, data)
	return true
}

// full reports whether there is no room for n bytes. One message always has room.
func (i *inbox) full(n int, most int64) bool {
	used := i.waiting.cost() + i.handled
	return used > 0 && used+int64(n) > most
}

func (l *load) cost() int64 { return int64(len(l.data) + len(l.steps)*stepCost) }

// unread returns how many bytes wait or are being handled.
func (i *inbox) unread() int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.waiting.cost() + i.handled
}

// end has take return false once all is taken.
func (i *inbox) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	signal(i.wake)
}

// take waits for something and returns all that is there. Used is what the caller got before, and is done with.
func (i *inbox) take(used load) (load, bool) {
	clear(used.steps)
	if cap(used.data) > keptBuffer {
		used = load{}
	}
	for {
		i.mu.Lock()
		i.handled = 0
		if len(i.waiting.steps) > 0 {
			taken := i.waiting
			i.handled = taken.cost()
			i.waiting = load{steps: used.steps[:0], data: used.data[:0]}
			i.mu.Unlock()
			return taken, true
		}
		ended := i.ended
		i.mu.Unlock()
		if ended {
			return load{}, false
		}
		<-i.wake
	}
}
