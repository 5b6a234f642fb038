package eventsocket_test

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

// meta is what a recording says about itself.
type meta struct {
	Checks map[string]struct {
		Seen int `json:"events_seen_by_service"`
	} `json:"filter_check"`
}

// TestCorpus plays every recording to three services that share one connection. Each event must arrive with every
// header, and each service must see as many as the recording says that the original one saw.
func TestCorpus(t *testing.T) {
	total := 0
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, name, switchsim.Faults{}, func(o *eventsocket.Options) { o.QueueEvents = 1 << 20 })
			recording := load(t, name)
			services := map[string]*eventsocket.Subscription{
				"active.calls": r.subscribe(calls()...), "active.conferences": r.subscribe(conferences()...), "active.operator.panel": r.subscribe(panel()...),
			}
			// It comes last, so that the others have an event when it has it.
			all := r.subscribe(append(append(calls(), conferences()...), append(panel(), extras()...)...)...)
			r.run()
			played := r.playing()
			for _, want := range recording.Events {
				if want.Cut > 0 {
					continue
				}
				compare(r, want, receive(r, all))
				total++
			}
			if err := <-played; err != nil {
				t.Fatal(err)
			}
			for service, check := range readMeta(t, name).Checks {
				if got := drain(services[service]); got != check.Seen {
					t.Errorf("%s got %d events, the original %d", service, got, check.Seen)
				}
			}
			if s := r.client.Stats(); s.Malformed+s.TooLarge+s.Truncated+s.Lost > 0 {
				t.Errorf("something was lost: %+v", s)
			}
		})
	}
	t.Logf("%d events", total)
}

func extras() []eventsocket.Filter {
	return []eventsocket.Filter{eventsocket.Match("Event-Subclass", "callcenter::info"), eventsocket.Match("Event-Subclass", "sofia::expire")}
}

func receive(r *rig, s *eventsocket.Subscription) *eventsocket.Event {
	for {
		if d := r.next(s); d.Kind == eventsocket.KindEvent {
			return d.Event
		}
	}
}

// drain counts the events that wait, without marks.
func drain(s *eventsocket.Subscription) int {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for n := 0; ; {
		d, err := s.Next(ended)
		if err != nil {
			return n
		}
		if d.Kind == eventsocket.KindEvent {
			n++
		}
	}
}

// compare reads the recorded message in its own way.
func compare(t *rig, want switchsim.Event, got *eventsocket.Event) {
	t.Helper()
	_, body, _ := strings.Cut(string(want.Raw), "\n\n")
	head, text, _ := strings.Cut(body, "\n\n")
	var headers [][2]string
	for line := range strings.SplitSeq(head, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		value, err := url.PathUnescape(value)
		if err != nil {
			t.Fatal(err)
		}
		headers = append(headers, [2]string{name, value})
	}
	i := 0
	for name, value := range got.All() {
		if i >= len(headers) || headers[i] != [2]string{name, value} {
			t.Fatalf("header %d is %q: %q, want %q", i, name, value, headers[min(i, len(headers)-1)])
		}
		i++
	}
	if i != len(headers) || got.Len() != i || got.Truncated {
		t.Fatalf("%d headers of %d, truncated %v", i, len(headers), got.Truncated)
	}
	if got.Body != text {
		t.Fatalf("body %q, want %q", got.Body, text)
	}
}

func readMeta(t *testing.T, name string) meta {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(corpus, name, "meta.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m meta
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
