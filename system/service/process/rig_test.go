//go:build unix

package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/system/internal/runner"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
	"strowger/system/service/servicetest"
)

// patience is how long a test waits for what must happen; only a test that fails takes that long.
const patience = time.Minute

// logged is a log that a test reads while it is written.
type logged struct {
	mu    sync.Mutex // Protects following.
	text  bytes.Buffer
	grown chan struct{} // closed by the next write; nil if nobody waits for it
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until the log has a text.
func (l *logged) await(t *testing.T, want string) {
	t.Helper()
	late := time.After(patience)
	for {
		has, grown := l.look(want)
		if has {
			return
		}
		select {
		case <-grown:
		case <-late:
			t.Fatalf("the log has no %q:\n%s", want, l)
		}
	}
}

// look reports whether the log has a text, and returns a channel that the next write closes.
func (l *logged) look(want string) (has bool, grown <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.grown == nil {
		l.grown = make(chan struct{})
	}
	return strings.Contains(l.text.String(), want), l.grown
}

// rig is a home with a service in a process.
type rig struct {
	*servicetest.Local
	servicetest.Caller
	t    *testing.T
	log  *logged
	dead chan *service.DeadLetter
}

func begin(t *testing.T, svc *service.Service, o Options) *rig {
	t.Helper()
	r := &rig{t: t, log: &logged{}, dead: make(chan *service.DeadLetter, 100)}
	r.Local = servicetest.Start(t, Service(svc, o), servicetest.Options{
		Log:    newLog(t, r.log),
		OnDead: func(d *service.DeadLetter) { r.dead <- d },
	})
	r.Caller = r.Call(t)
	return r
}

// ask asks and returns the answer.
func (r *rig) ask(topic, payload string) servicetest.Message {
	r.t.Helper()
	r.Send(topic, `"`+topic+`"`, payload)
	return r.answer(topic)
}

// answer returns the next answer to a request of a topic.
func (r *rig) answer(topic string) servicetest.Message {
	r.t.Helper()
	for {
		if m := r.Next(); m.ID == `"`+topic+`"` {
			return m
		}
	}
}

// want asks and compares status and payload.
func (r *rig) want(topic, payload string, status int, answer string) {
	r.t.Helper()
	if m := r.ask(topic, payload); m.Status != status || string(m.Payload) != answer {
		r.t.Fatalf("%s: got %d %s, want %d %s", topic, m.Status, m.Payload, status, answer)
	}
}

// state waits until the service says that it is in a condition.
func (r *rig) state(want string) {
	r.t.Helper()
	for {
		if m := r.Next(); m.ID == "" && m.Topic == service.StateTopic && strings.Contains(string(m.Payload), `"state":"`+want+`"`) {
			return
		}
	}
}

// number asks for a number, such as the process's.
func (r *rig) number(topic string) int {
	r.t.Helper()
	var n int
	if err := json.Unmarshal(r.ask(topic, "").Payload, &n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// gone waits until there is no process of a number.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(patience); !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d still exists", pid)
		}
	}
}

// stoppedProcess reports whether a signal has stopped a process.
func stoppedProcess(t *testing.T, pid int) bool { return strings.HasPrefix(condition(t, pid), "T") }

// condition returns what ps says of a process, nothing if there is none.
func condition(t *testing.T, pid int) string {
	t.Helper()
	out, _ := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output() // it fails if there is none
	return strings.TrimSpace(string(out))
}

// eventually waits for what must happen.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// bare is a home without a test.
type bare struct {
	*runner.Instance
	system *actor.ActorSystem
	root   *actor.PID
}

func launch(svc *service.Service, home runner.Home, log *slog.Logger) (*bare, error) {
	instance, err := runner.New(svc, home, runner.Options{Log: log})
	if err != nil {
		return nil, err
	}
	props, err := supervisor.New(supervisor.Options{Children: []supervisor.Spec{instance.Spec()}, Observe: instance.Observe})
	if err != nil {
		return nil, err
	}
	b := &bare{Instance: instance, system: actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))}
	b.root = b.system.Root.Spawn(props)
	return b, nil
}

func (b *bare) stop() error {
	if _, err := b.system.Root.RequestFuture(b.root, &supervisor.Shutdown{}, patience).Result(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return b.Wait(ctx)
}

// question is a request as a home hands it over.
func question(topic, id, payload string) *runner.Ask {
	return &runner.Ask{Envelope: &envelope.Envelope{Topic: envelope.QuoteString(topic), RequestID: envelope.Raw(id), Payload: envelope.Raw(payload),
		ResourceID: envelope.Raw(`"0123456789abcdef0123456789abcdef"`), Permissions: envelope.Raw(`{"a":true}`)}}
}

// told is a home that keeps what is said, and has as much room as Pace says.
type told struct {
	said  chan *envelope.Envelope
	paces func() bool // nil: there is always room
}

func newTold() *told { return &told{said: make(chan *envelope.Envelope, 1<<16)} }

func (h *told) Say(e *envelope.Envelope)     { h.said <- e }
func (*told) Room(ctx context.Context) error { return ctx.Err() }

func (h *told) Pace() bool { return h.paces == nil || h.paces() }

// answer returns the next answer, whatever was broadcast before it.
func (h *told) answer(t *testing.T) *envelope.Envelope {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-h.said:
			if e.ResourceID != nil {
				return e
			}
		case <-late:
			t.Fatal("no answer")
		}
	}
}

func newLog(t *testing.T, log *logged) *slog.Logger {
	return slog.New(slog.NewJSONHandler(io.MultiWriter(log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// beginIn is begin in a home of the test's own.
func beginIn(t *testing.T, svc *service.Service, o Options, home *told) (*bare, *logged) {
	t.Helper()
	log := &logged{}
	b, err := launch(Service(svc, o), home, newLog(t, log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.stop(); err != nil {
			t.Error(err)
		}
	})
	<-b.Began()
	return b, log
}
