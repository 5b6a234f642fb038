//go:build unix

package process

import (
	"log/slog"
	"strings"
	"testing"

	"strowger/system/service"
)

// BenchmarkRequest is a request to a service in this process and in a process of its own: one at a time, and a hundred at a time.
func BenchmarkRequest(b *testing.B) {
	plain := &service.Service{Name: "bench", Setup: echoing}
	for _, where := range []struct {
		name    string
		service *service.Service
	}{{"inside", plain}, {"process", Service(plain, Options{})}} {
		for _, many := range []int{1, 100} {
			b.Run(where.name+map[int]string{1: "/alone", 100: "/hundred"}[many], func(b *testing.B) {
				home := newTold()
				instance, err := launch(where.service, home, slog.New(slog.DiscardHandler))
				if err != nil {
					b.Fatal(err)
				}
				defer func() {
					if err := instance.stop(); err != nil {
						b.Error(err)
					}
				}()
				<-instance.Began()
				ask := question("echo", "1", `{"a":1}`)
				answer := func() {
					for e := range home.said {
						if e.ResourceID != nil {
							return
						}
					}
				}
				n := 0
				for b.Loop() {
					instance.Ask(ask)
					if n++; n >= many {
						answer()
					}
				}
				for range min(n, many-1) {
					answer()
				}
			})
		}
	}
}

// BenchmarkRestart is the time from the end of the process to the first answer of the next one.
func BenchmarkRestart(b *testing.B) {
	svc := mortal()
	svc.Supervision.Intensity = 1 << 30
	home := newTold()
	instance, err := launch(Service(svc, Options{}), home, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := instance.stop(); err != nil {
			b.Error(err)
		}
	}()
	awaitUp := func() {
		for e := range home.said {
			if e.ResourceID == nil && string(e.Topic) == `"service_state"` && strings.Contains(string(e.Payload), `"up"`) {
				return
			}
		}
	}
	awaitUp()
	for b.Loop() {
		instance.Ask(question("exit", "1", ""))
		awaitUp()
		instance.Ask(question("echo", "2", ""))
		for e := range home.said {
			if string(e.StatusCode) == "200" {
				break
			}
		}
	}
}
