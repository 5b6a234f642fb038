package actors

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// written is what was logged since it was taken last.
type written struct {
	mu   sync.Mutex // Protects following.
	text bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *written) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.text.Reset()
	return w.text.String()
}

// The log counts the instances that serve: the coming and going of a passive one says nothing of the
// service that has the name inside.
func TestLogOfPassiveTwin(t *testing.T) {
	var log written
	w := newWorld(t, func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	settled := func() string {
		w.settle(w.router.PID(), w.deps.Registry.Lookup("s").Service.PID())
		return log.take()
	}
	expect := func(when string, has, hasNot []string) {
		t.Helper()
		text := settled()
		for _, want := range has {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the log lacks %q:\n%s", when, want, text)
			}
		}
		for _, unwanted := range hasNot {
			if strings.Contains(text, unwanted) {
				t.Errorf("%s: the log has %q:\n%s", when, unwanted, text)
			}
		}
	}
	_, inside := w.local("s")
	w.client("s") // keeps the name
	expect("inside up", []string{`msg="service up" service=s instances=1`}, []string{"passive"})
	twin := w.service("s")
	expect("twin up", []string{"service is passive"}, []string{`"service up"`})
	w.gone(twin)
	expect("twin left", []string{`msg="passive service left" service=s`}, []string{`"service down"`})
	second := w.service("s")
	expect("second twin up", []string{"service is passive"}, []string{`"service up"`})
	w.router.Send(&withdraw{Peer: inside})
	expect("inside down", []string{`msg="service down" service=s instances=1`}, nil)
	_, again := w.local("s")
	expect("inside up again", []string{`msg="service up" service=s instances=1`, "service is passive"}, nil)
	w.router.Send(&withdraw{Peer: again})
	settled()
	w.gone(second)
	expect("the last one down", []string{`msg="service down" service=s instances=0`}, []string{"passive"})
}
