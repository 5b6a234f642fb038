package replay

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/system/internal/runner"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// home is where the service lives. It keeps all that the service says.
type home struct {
	instance *runner.Instance

	mu   sync.Mutex // Protects following.
	said []said
}

type said struct {
	at   time.Time
	text envelope.Raw // the encoded envelope
}

// Say implements runner.Home. The state of the service is the router's affair, so it is left out.
func (h *home) Say(e *envelope.Envelope) {
	if topic, _ := envelope.Text(e.Topic); topic == service.StateTopic {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said = append(h.said, said{time.Now(), e.Append(nil)})
}

// Room implements runner.Home.
func (h *home) Room(ctx context.Context) error { return ctx.Err() }

// startHome runs the service under a supervisor, as the router does. stop ends it and must be called.
func startHome(t testing.TB, s *service.Service) (h *home, stop func()) {
	t.Helper()
	h = &home{}
	var err error
	h.instance, err = runner.New(s, h, runner.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	props, err := supervisor.New(supervisor.Options{Children: []supervisor.Spec{h.instance.Spec()}, Observe: h.instance.Observe})
	if err != nil {
		t.Fatal(err)
	}
	silent := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	system := actor.NewActorSystem(actor.WithLoggerFactory(silent), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	pid := system.Root.Spawn(props)
	return h, func() {
		if _, err := system.Root.RequestFuture(pid, &supervisor.Shutdown{}, time.Minute).Result(); err != nil {
			t.Errorf("stop service: %v", err)
		}
		if err := h.instance.Wait(context.Background()); err != nil {
			t.Error(err)
		}
		system.Shutdown()
	}
}

// ask hands a request over as the router does.
func (h *home) ask(l Line, c Client) {
	asked := l.Message.read.decoded
	e := &envelope.Envelope{
		ServiceName: envelope.QuoteString(l.Service), Permissions: c.permissions, Payload: asked.Payload, Topic: asked.Topic,
		RequestID: asked.RequestID, ResourceID: asked.ResourceID, DomainName: asked.DomainName, DomainUUID: asked.DomainUUID,
	}
	h.instance.Ask(&runner.Ask{Envelope: e, User: service.User{Extensions: c.extensions()}})
}

func (c *Client) extensions() []string {
	var extensions []string
	for _, e := range c.Extensions {
		extensions = append(extensions, e.User+"@"+e.Context)
	}
	return extensions
}
