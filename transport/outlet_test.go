package transport

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/runtime"
	"strowger/config/policy"
)

// recorder is an outlet that is no socket: it keeps the JSON text of what it gets. Like a socket it keeps what
// others send until it is admitted.
type recorder struct {
	window runtime.Window

	mu       sync.Mutex // Protects following.
	admitted bool
	held     []string
	ends     []actors.End
	came     *sync.Cond
	texts    []string
}

func newRecorder() *recorder {
	r := new(recorder)
	r.came = sync.NewCond(&r.mu)
	return r
}

func (r *recorder) Greet(m actors.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.take(string(m.Text()))
}

func (r *recorder) Admit(_ actors.Role, m actors.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.admitted = true
	r.take(append([]string{string(m.Text())}, r.held...)...)
	r.held = nil
}

func (r *recorder) Send(m actors.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.admitted {
		r.held = append(r.held, string(m.Text()))
		return
	}
	r.take(string(m.Text()))
}

func (r *recorder) Close(why actors.End) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends = append(r.ends, why)
	r.came.Broadcast()
}

func (r *recorder) Window() *runtime.Window { return &r.window }

// take is called with mu held.
func (r *recorder) take(texts ...string) {
	r.texts = append(r.texts, texts...)
	r.came.Broadcast()
}

// next waits for one more message and returns it as a line: status service/topic #request payload.
func (r *recorder) next(t *testing.T) *envelope.Message {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.texts) == 0 {
		r.came.Wait()
	}
	m, err := envelope.Decode([]byte(r.texts[0]), envelope.MaxDepth)
	if err != nil {
		t.Fatalf("decode %s: %v", r.texts[0], err)
	}
	r.texts = r.texts[1:]
	return m
}

func (r *recorder) gets(t *testing.T, want ...string) {
	t.Helper()
	for _, want := range want {
		m := r.next(t)
		service, _ := envelope.Text(m.ServiceName)
		topic, _ := envelope.Text(m.Topic)
		if got := fmt.Sprintf("%s %s/%s #%s %s", strings.Trim(string(m.StatusCode), `"`), service, topic, m.RequestID, m.Payload); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// ended waits for the first reason to close.
func (r *recorder) ended() actors.End {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.ends) == 0 {
		r.came.Wait()
	}
	return r.ends[0]
}

// guest is a peer without a socket.
type guest struct {
	*recorder
	t          *testing.T
	connection actors.Connection
}

func (s *server) guest(t *testing.T, token string) *guest {
	g := &guest{recorder: newRecorder(), t: t}
	g.connection = actors.SpawnConnection(s.deps, s.router, g.recorder, &net.TCPAddr{})
	t.Cleanup(func() { _ = s.deps.System.Root.StopFuture(g.connection.PID()).Wait() })
	g.recorder.gets(t, `407 authentication/authenticate #"" null`)
	if token != "" {
		g.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"x"}}`, token)
		g.recorder.gets(t, `200 authentication/authenticated #"a" null`)
	}
	return g
}

func (g *guest) writef(format string, arguments ...any) {
	g.connection.Send(&actors.Received{Data: fmt.Appendf(nil, format, arguments...)})
}

func (g *guest) gets(want ...string) {
	g.t.Helper()
	g.recorder.gets(g.t, want...)
}

// What is routed reaches outlets that are no sockets as it reaches sockets, beside them and in the same order.
func TestRoutingToOutletsThatAreNoSockets(t *testing.T) {
	tests := map[string]func(t *testing.T, s *server){
		"request and reply": func(t *testing.T, s *server) {
			service, client := s.guest(t, "service:s"), s.guest(t, "client")
			client.writef(`{"service":"s","topic":"x","request_id":"1","payload":{"a":1}}`)
			m := service.next(t)
			if string(m.Payload) != `{"a":1}` || string(m.RequestID) != `"1"` {
				t.Fatalf("the service got %s", m.Payload)
			}
			service.writef(`{"service_name":"s","topic":"x","status_code":200,"request_id":"1","resource_id":%s,"payload":"ok"}`, m.ResourceID)
			client.gets(`200 s/x #"1" "ok"`)
		},
		"a request to a socket": func(t *testing.T, s *server) {
			service, client := s.login("service:s"), s.guest(t, "client")
			client.writef(`{"service":"s","topic":"x","request_id":"1"}`)
			asked := service.envelope()
			service.text(fmt.Sprintf(`{"service_name":"s","status_code":200,"request_id":"1","resource_id":%q,"payload":2}`, asked.ResourceID))
			client.gets(`200 s/ #"1" 2`)
		},
		"broadcast to both kinds": func(t *testing.T, s *server) {
			service := s.guest(t, "service:s")
			one, two, page := s.guest(t, "client:s"), s.guest(t, "client:s"), s.login("client:s")
			service.writef(`{"service":"s","topic":"t","payload":{"open":1,"secret":2}}`)
			service.writef(`{"service":"s","topic":"t","payload":3}`)
			for _, g := range []*guest{one, two} {
				g.gets(` s/t #"" {"open":1}`, ` s/t #"" 3`)
			}
			if got := page.envelope(); string(got.Payload) != `{"open":1}` {
				t.Errorf("the page got %s", got.Payload)
			}
		},
		"order of replies and broadcasts": func(t *testing.T, s *server) {
			service, client := s.guest(t, "service:s"), s.guest(t, "client:s")
			client.writef(`{"service":"s","request_id":"1"}`)
			id := service.next(t).ResourceID
			for i := range 20 {
				service.writef(`{"service":"s","topic":"t","payload":%d}`, i)
			}
			service.writef(`{"service_name":"s","request_id":"1","resource_id":%s,"payload":"last"}`, id)
			for i := range 20 {
				client.gets(fmt.Sprintf(` s/t #"" %d`, i))
			}
			client.gets(` s/ #"1" "last"`)
		},
		"its own answers": func(t *testing.T, s *server) {
			client := s.guest(t, "client")
			client.writef(`{"service":"","request_id":"1"}`)
			client.gets(`400 INVALID/ #"1" null`)
		},
		"who leaves gets nothing more": func(t *testing.T, s *server) {
			service, leaver, stays := s.guest(t, "service:s"), s.guest(t, "client:s"), s.guest(t, "client:s")
			leaver.connection.Send(&actors.ReadEnded{})
			if why := leaver.ended(); why != actors.ReadOver {
				t.Errorf("closed because of %s", why)
			}
			eventually(t, "the leaver is no member", func() bool {
				service.writef(`{"service":"s","payload":"p"}`)
				stays.gets(` s/ #"" "p"`)
				leaver.mu.Lock()
				defer leaver.mu.Unlock()
				quiet := len(leaver.texts) == 0
				leaver.texts = nil
				return quiet
			})
		},
		"refused tokens": func(t *testing.T, s *server) {
			g := s.guest(t, "")
			for range 3 {
				g.writef(`{"service":"authentication","request_id":"a","token":{"name":"bad","hash":"x"}}`)
				g.gets(`401 authentication/unauthorized #"a" null`)
			}
			if why := g.ended(); why != actors.TooManyAttempts {
				t.Errorf("closed because of %s", why)
			}
		},
	}
	f, err := filter.Compile(policy.Policy{KeyPermissions: map[string][]string{"secret": {"nobody has it"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil, nil)
			settings := *s.deps.Settings.Load()
			settings.Policies = actors.NewPolicies(nil, nil, f)
			s.deps.Settings.Store(&settings)
			test(t, s)
		})
	}
}

// unlike is an outlet that cannot be compared.
type unlike struct {
	*recorder
	_ []int
}

func TestGroupRefusesWhatItCannotReach(t *testing.T) {
	r, other := newRig(t, nil), newRig(t, nil)
	g := r.NewGroup()
	for name, o := range map[string]actors.Outlet{"nobody": nil, "one that cannot be compared": unlike{}, "another egress's socket": other.link(0).socket} {
		if err := g.Add(o); err == nil {
			t.Errorf("%s: no error", name)
		}
		g.Remove(o)
	}
}

// An outlet is replaced while many send. Every message reaches one of the two outlets, once and in the order of
// its sender.
func TestReplaceUnderLoad(t *testing.T) {
	const senders, each, rest = 4, 200, 50
	for _, kind := range []string{"socket", "recorder"} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t, func(l *Limits) { l.OutboundMessages, l.OutboundBytes = 2*senders*each, 1<<30 })
			old := r.link(0)
			var with actors.Outlet
			var second *link
			record := newRecorder()
			if with = record; kind == "socket" {
				second = r.link(0)
				with = second.socket
			} else {
				record.Admit(actors.Client, framed("admitted"))
			}
			group := r.NewGroup()
			if err := group.Add(old.socket); err != nil {
				t.Fatal(err)
			}
			replaced, under := make(chan struct{}), make(chan struct{})
			var sending, begun sync.WaitGroup
			begun.Add(senders)
			for sender := range senders {
				sending.Go(func() {
					for i := range each {
						switch i {
						case each / 4:
							begun.Done()
						case each - rest:
							<-replaced
						}
						m := framed(fmt.Sprintf("%d %d %s", sender, i, string(rune('a'+i%26))))
						m.Begin = headerLen(m.Form)
						if sender == 0 {
							group.Send(m, nil)
						} else {
							old.Send(m)
						}
					}
				})
			}
			go func() {
				begun.Wait()
				close(under)
			}()
			<-under
			old.Replace(with)
			close(replaced)
			before, err := old.far.all()
			if err != nil {
				t.Errorf("the old stream: %v", err)
			}
			sending.Wait()
			r.settle()
			r.settle() // what was passed on to another shard
			var after []string
			if kind == "socket" {
				second.Close(actors.ReadOver)
				if after, err = second.far.all(); err != nil {
					t.Errorf("the new stream: %v", err)
				}
			} else {
				after = record.texts
			}
			if len(before) < senders*each/4 || len(after) < 1+senders*rest {
				t.Errorf("%d messages before and %d after", len(before), len(after))
			}
			checkOrder(t, slices.Concat(before, after[1:]), senders, each)
		})
	}
}

// What waits for the admission of an outlet that is replaced is sent by the one that takes its place, and what a
// group says after the old connection has ended too.
func TestReplaceBeforeAdmissionAndAfterTheEnd(t *testing.T) {
	r := newRig(t, nil)
	near, _ := r.tcpPair(0)
	r.live.Add(1)
	waiting := r.newSocket(near, r.limits.Load())
	r.attach(waiting)
	t.Cleanup(waiting.readerDone)
	waiting.Send(framed("early"))
	record := newRecorder()
	record.admitted = true
	waiting.Replace(record)
	waiting.Send(withBegin(framed("late")))

	ended := r.link(0)
	group := r.NewGroup()
	if err := group.Add(ended.socket); err != nil {
		t.Fatal(err)
	}
	ended.Close(actors.ReadOver)
	r.settle()
	ended.Replace(record)
	group.Send(withBegin(framed("to the heir")), nil)
	group.Remove(ended.socket)
	group.Send(withBegin(framed("to nobody")), nil)
	r.settle()
	record.mu.Lock()
	defer record.mu.Unlock()
	slices.Sort(record.texts)
	if want := []string{"early", "late", "to the heir"}; !slices.Equal(record.texts, want) {
		t.Errorf("got %q, want %q", record.texts, want)
	}
}

func withBegin(m actors.Message) actors.Message {
	m.Begin = headerLen(m.Form)
	return m
}
