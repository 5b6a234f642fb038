package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/system/internal/runner"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// life is the one life that a service has in the child.
type life struct {
	in       *bufio.Reader
	settings settings
	queue    *queue
	instance *runner.Instance
	pulse    *runner.Pulse
	log      *slog.Logger
	system   *actor.ActorSystem
	root     *actor.PID
	failed   chan any      // receives why the service has failed
	gone     chan struct{} // receives when the service has stopped
	stop     chan struct{} // closed when it is to stop

	mu         sync.Mutex // Protects following.
	asked      map[uint64]*asked
	gatherings map[uint64]func([]service.Answer)
	gathering  uint64
}

// run runs the service and returns the exit status.
func (o *inner) run(svc *service.Service) int {
	// The parent stops the child, whatever signal both get.
	signal.Notify(make(chan os.Signal, 1), stopping...)
	offer()
	l := &life{in: bufio.NewReaderSize(o.in, wholeRead), failed: make(chan any, 1), gone: make(chan struct{}, 1), stop: make(chan struct{}),
		asked: make(map[uint64]*asked), gatherings: make(map[uint64]func([]service.Answer)), pulse: runner.NewPulse()}
	if err := l.begin(svc); err != nil {
		fmt.Fprintln(os.Stderr, "process:", err)
		return exitFailed
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		l.queue.write(o.out)
	}()
	l.queue.put(appendNumber(newFrame(frameHello, 8), version))
	go l.listen()
	go l.pulse.Run(context.Background())
	code := l.live()
	l.queue.close()
	select {
	case <-written:
	case <-time.After(2 * grace): // the parent does not read
	}
	return code
}

// begin takes the settings and starts the service.
func (l *life) begin(svc *service.Service) error {
	kind, data, err := readFrame(l.in, wholeRead)
	if err != nil {
		return err
	}
	if kind != frameStart {
		return errFrame
	}
	if err := json.Unmarshal(data, &l.settings); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if l.settings.Memory > 0 {
		if err := limitMemory(l.settings.Memory); err != nil {
			return err
		}
	}
	l.queue = newQueue(l.settings.QueueBytes)
	l.log = slog.New(newLogger(l.queue, l.settings.Level))
	own := *svc
	own.Supervision.Restart = service.Temporary // the parent starts it again
	own.After, own.Singleton = nil, false       // the parent goes by them
	l.instance, err = runner.New(&own, home{l}, runner.Options{Slept: l.pulse.Slept, Log: l.log, Pool: l.settings.Pool, Inner: true})
	if err != nil {
		return err
	}
	props, err := supervisor.New(supervisor.Options{Children: []supervisor.Spec{l.instance.Spec()}, Observe: l.observe, Slept: l.pulse.Slept})
	if err != nil {
		return err
	}
	l.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	l.root = l.system.Root.Spawn(props)
	return nil
}

func (l *life) observe(e supervisor.Event) {
	l.instance.Observe(e)
	switch e := e.(type) {
	case *supervisor.ChildFailed:
		select {
		case l.failed <- e.Reason:
		default:
		}
	case *supervisor.ChildStopped:
		select {
		case l.gone <- struct{}{}:
		default:
		}
	}
}

// live returns the exit status when the life of the service is over.
func (l *life) live() int {
	<-l.instance.Began()
	if l.instance.State().Condition == service.Up {
		l.queue.put(newFrame(frameUp, 0))
	}
	select {
	case reason := <-l.failed:
		l.report(reason)
		return exitFailed
	case <-l.gone:
		return l.finished()
	case <-l.stop:
	}
	limit := l.instance.Service().Supervision.StopTimeout
	if _, err := l.system.Root.RequestFuture(l.root, &supervisor.Shutdown{}, limit+grace/2).Result(); err != nil {
		l.log.Warn("the service does not stop in time", "limit", limit, "setting", "Supervision.StopTimeout")
	}
	return 0
}

// finished says that the service has ended by itself. One that has failed says so first.
func (l *life) finished() int {
	select {
	case reason := <-l.failed:
		l.report(reason)
		return exitFailed
	default:
		l.queue.put(newFrame(frameFinished, 0))
		return 0
	}
}

// report says why the service has failed.
func (l *life) report(reason any) {
	number, task, text, hung := uint64(0), "process", fmt.Sprint(reason), byte(0)
	var stack []byte
	if err, ok := reason.(error); ok && errors.Is(err, supervisor.ErrHung) {
		hung = 1
		stack = make([]byte, longestTrace)
		stack = stack[:runtime.Stack(stack, true)]
	}
	if c, ok := reason.(*runner.Crash); ok {
		task, text, stack = c.Task, fmt.Sprint(c.Reason), c.Stack
		if c.Asked != nil {
			if a, ok := c.Asked.Asked().Asker.(*asked); ok {
				number = a.number
			}
		}
	}
	frame := appendNumber(newFrame(frameFailed, 64+len(task)+len(text)+len(stack)), number)
	frame = appendText(appendText(appendText(frame, task), clip(text, longestTrace)), clip(string(stack), longestTrace))
	l.queue.put(append(frame, hung))
}

func clip(text string, most int) string { return text[:min(len(text), most)] }

// listen does what the parent says. When the parent has ended, so does this process.
func (l *life) listen() {
	for {
		kind, data, err := readFrame(l.in, math.MaxInt32) // the parent keeps to its limits
		if err == nil {
			err = l.handle(kind, data)
		}
		if err != nil {
			os.Exit(exitOrphaned)
		}
	}
}

func (l *life) handle(kind frameKind, data []byte) error {
	b := body{data: data}
	switch kind {
	case frameAsk:
		a, err := readAsk(data)
		if err != nil {
			return err
		}
		l.ask(a)
		return nil
	case frameGone:
		if a := l.find(b.number()); a != nil {
			a.request.Gone()
		}
	case frameExpired:
		if a := l.find(b.number()); a != nil {
			a.request.Expire()
		}
	case frameReload:
		l.instance.Reload()
	case frameJoined:
		l.instance.Joined()
	case frameStop:
		close(l.stop)
	case framePing:
		l.queue.put(newFrame(framePong, 0))
	case frameGathered:
		l.gathered(b.number(), b.bytes())
	default:
		return errFrame
	}
	return b.end()
}
