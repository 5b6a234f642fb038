//go:build unix

package process

import (
	"log/slog"
	"testing"

	"strowger/actors/envelope"
	"strowger/system/internal/runner"
	"strowger/system/service"
)

// FuzzChild has the parent take frames that a child may send, with requests that are open. It may refuse them, and must not panic.
func FuzzChild(f *testing.F) {
	e := &envelope.Envelope{Topic: envelope.Raw(`"t"`), StatusString: envelope.Raw(`"ok"`), StatusCode: envelope.Raw(`200`), Payload: envelope.Raw(`[1]`)}
	f.Add(byte(frameHello), []byte{version})
	f.Add(byte(frameTell), appendTold([]byte{1}, e, 0))
	f.Add(byte(frameTell), appendTold([]byte{1}, e, tellOpen))
	f.Add(byte(frameTell), appendTold([]byte{2}, nil, tellRefused|tellPassed))
	f.Add(byte(frameTaken), []byte{1, 2, 3, 200})
	f.Add(byte(frameSay), appendTold(nil, e, sayHere))
	f.Add(byte(frameWill), appendTold(appendText(nil, "key"), e, 0))
	f.Add(byte(frameShare), []byte{1})
	f.Add(byte(frameGather), []byte{1, 1, 100})
	f.Add(byte(frameLog), appendText(appendText([]byte{8}, "text"), `{"a":1}`))
	f.Add(byte(frameFailed), append(appendText(appendText(appendText([]byte{1}, "request"), "reason"), "stack"), 1))
	f.Add(byte(framePong), []byte{})

	// A service whose requests a child has that is none.
	children := make(chan *child, 1)
	home := newTold()
	svc := &service.Service{Name: "fuzz", Supervision: service.Supervision{Intensity: 1 << 30, Backoff: 1, BackoffCap: 1}}
	svc.Setup = func(s service.Setup) error {
		h := s.(*runner.Setup)
		w := &wrapper{service: svc}
		w.o, _ = Options{}.withDefaults()
		c := &child{wrapper: w, home: h, log: h.Log(), queue: newQueue(1 << 20), up: make(chan struct{}), pong: make(chan struct{}, 1),
			requests: make(map[uint64]*request)}
		c.output = newOutput(c.log, 100)
		c.isUp()
		h.Relay(c)
		select {
		case <-children:
		default:
		}
		children <- c
		return nil
	}
	b, err := launch(svc, home, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := b.stop(); err != nil {
			f.Error(err)
		}
	})
	<-b.Began()
	f.Fuzz(func(_ *testing.T, kind byte, data []byte) {
		c := <-children
		select {
		case children <- c:
		default: // a newer one is there
		}
		b.Ask(question("t", "1", ""))
		_ = c.handle(frameKind(kind), data)
		for len(home.said) > 0 {
			<-home.said
		}
	})
}
