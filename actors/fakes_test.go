package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// fakeSocket records what is written; like a real one it drops what comes after Close and keeps
// what others send until Admit.
type fakeSocket struct {
	mu       sync.Mutex // Protects following.
	admitted bool
	closed   bool
	held     []Message
	onSend   func() // called by Send, outside mu; may panic
	window   runtime.Window

	written chan Message
	codes   chan End // the first code only
}

func newFakeSocket() *fakeSocket {
	return &fakeSocket{written: make(chan Message, 8192), codes: make(chan End, 1)}
}

func (s *fakeSocket) Greet(f Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Lease.Retain()
	s.write(f)
}

func (s *fakeSocket) Admit(_ Role, f Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Lease.Retain()
	s.admitted = true
	s.write(f)
	for _, f := range s.held {
		s.write(f)
	}
	s.held = nil
}

func (s *fakeSocket) Send(f Message) {
	s.mu.Lock()
	hook := s.onSend
	s.mu.Unlock()
	if hook != nil {
		hook()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Lease.Retain()
	if !s.admitted && !s.closed {
		s.held = append(s.held, f)
		return
	}
	s.write(f)
}

func (s *fakeSocket) Close(why End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	for _, f := range s.held {
		f.Lease.Release()
	}
	s.held = nil
	s.codes <- why
}

func (s *fakeSocket) Window() *runtime.Window { return &s.window }

// write is called with mu held.
func (s *fakeSocket) write(f Message) {
	if !s.closed {
		s.written <- f
	}
	f.Lease.Release()
}

func (s *fakeSocket) hook(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onSend = f
}

// fakeGroup counts its members as the real one does: blindly, so that a removal of somebody who
// is no member shows.
type fakeGroup struct {
	mu      sync.Mutex // Protects following.
	members map[Outlet]int
	strays  int    // removals of a stranger and second additions
	onSend  func() // may panic
	onAdd   func() // behind an addition; may panic
}

func (g *fakeGroup) Add(s Outlet) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members[s]++
	if g.members[s] > 1 {
		g.strays++
	}
	if g.onAdd != nil {
		g.onAdd()
	}
	return nil
}

func (g *fakeGroup) Remove(s Outlet) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.members[s] == 0 {
		g.strays++
		return
	}
	delete(g.members, s)
}

func (g *fakeGroup) Send(f Message, except Outlet) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.onSend != nil {
		g.onSend()
	}
	for s := range g.members {
		if s != except {
			s.Send(f)
		}
	}
}

func (g *fakeGroup) hook(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.onSend = f
}

type fakeEgress struct {
	mu     sync.Mutex // Protects following.
	groups []*fakeGroup
}

// fakeForm is what comes before the JSON text in the form that fakes write.
const fakeForm = "form of a fake: "

func (e *fakeEgress) Encode(envelope *envelope.Envelope, more envelope.Raw) Message {
	return encodeFake(envelope, more)
}

func encodeFake(e *envelope.Envelope, more envelope.Raw) Message {
	form := append(make([]byte, 0, len(fakeForm)+e.Size()), fakeForm...)
	return Message{Form: e.AppendWith(form, more), Begin: len(fakeForm)}
}

func (e *fakeEgress) NewGroup() Group {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := &fakeGroup{members: make(map[Outlet]int)}
	e.groups = append(e.groups, g)
	return g
}

func (e *fakeEgress) all() []*fakeGroup {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*fakeGroup(nil), e.groups...)
}

// noToken is the error for a token that is not there, or not any more.
type noToken struct{}

func (noToken) Error() string { return "no such token" }
func (noToken) Used() bool    { return true }

var errNoToken error = noToken{}

// fakeTokens grants each token once. The hash of every token is "hash".
type fakeTokens struct {
	mu      sync.Mutex // Protects following.
	granted map[string]*Credentials
}

func (f *fakeTokens) put(name string, c *Credentials) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.granted[name] = c
}

func (f *fakeTokens) Claim(name, hash string, admit func(Role) error) (*Credentials, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.granted[name]
	if c == nil || hash != "hash" {
		delete(f.granted, name)
		return nil, errNoToken
	}
	if err := admit(c.Role); err != nil {
		return nil, err
	}
	delete(f.granted, name)
	return c, nil
}

// inlinePool run the work where it is given.
type inlinePool struct{}

func (inlinePool) Go(_ string, f func()) bool {
	f()
	return true
}

// parkedPool keep the work until the test runs it.
type parkedPool struct{ work chan func() }

func (w parkedPool) Go(_ string, f func()) bool {
	w.work <- f
	return true
}

// goPool run the work on goroutines of its own.
type goPool struct{ sync.WaitGroup }

func (w *goPool) Go(_ string, f func()) bool {
	w.WaitGroup.Go(f)
	return true
}

// fullPool has no room.
type fullPool struct{}

func (fullPool) Go(string, func()) bool { return false }

// firstInstance has text set to the id of the first instance of a service, for world.look.
func firstInstance(text *string) func(actor.Actor) {
	return func(of actor.Actor) { *text = of.(*service).instances[0].peer.ID }
}
