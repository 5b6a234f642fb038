package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
	"strowger/system/internal/hometest"
)

// fakeMachine has two cores, of which one is half busy and one idle, and an interface that takes in
// 1,000 bytes a second, all by a clock of its own.
type fakeMachine struct {
	clock  *clocktest.Clock
	broken atomic.Bool
}

var errBroken = errors.New("no /proc")

func (m *fakeMachine) CPU(context.Context) ([]Core, error) {
	seconds, err := m.sample()
	return []Core{{"cpu0", seconds, seconds / 2}, {"cpu1", seconds, seconds}}, err
}

func (m *fakeMachine) Network(context.Context) (Traffic, error) {
	seconds, err := m.sample()
	return Traffic{m.clock.Now(), "eth0", uint64(1000 * seconds), 0}, err
}

func (m *fakeMachine) sample() (seconds float64, err error) {
	if m.broken.Load() {
		return 0, errBroken
	}
	return float64(m.clock.Now().UnixMilli()) / 1000, nil
}

const (
	wantCPU     = `{"cpu_status":{"total":25,"per_core":[50,0]}}`
	wantNetwork = `{"network_status":{"rx_bps":8000,"tx_bps":0}}`
)

func startFake(t *testing.T) (*fakeMachine, *hometest.Home) {
	t.Helper()
	m := &fakeMachine{clock: clocktest.New()}
	s := New(Options{CPUInterval: 3 * time.Second, NetworkInterval: 7 * time.Second, Sampler: m})
	return m, hometest.Start(t, s, m.clock)
}

// TestBroadcasts wants each value at its time, and nothing in between.
func TestBroadcasts(t *testing.T) {
	m, h := startFake(t)
	start := m.clock.Now()
	for _, topic := range []string{cpuTopic, networkTopic} {
		h.AnswerAfter(h.Ask(hometest.Person{}, topic, nil), settle)
	}
	steps := []struct {
		at             time.Duration
		topic, payload string
	}{
		{3 * time.Second, cpuTopic, wantCPU},
		{6 * time.Second, cpuTopic, wantCPU},
		{7 * time.Second, networkTopic, wantNetwork},
		{9 * time.Second, cpuTopic, wantCPU},
	}
	for _, step := range steps {
		h.Advance(start.Add(step.at).Sub(m.clock.Now()) - time.Millisecond)
		nothing := h.Ask(hometest.Person{}, "nothing", nil)
		broadcast := func(s hometest.Said) bool { return s.Topic == cpuTopic || s.Topic == networkTopic }
		got := h.Next("anything", func(s hometest.Said) bool { return s.RequestID == nothing || broadcast(s) })
		if got.RequestID != nothing {
			t.Fatalf("before %v: %+v", step.at, got)
		}
		h.Advance(time.Millisecond)
		if got := h.Next("a broadcast", broadcast); got.Topic != step.topic || got.Payload != step.payload || got.Code != 0 {
			t.Errorf("at %v: %+v", step.at, got)
		}
	}
}

func TestRequests(t *testing.T) {
	for topic, want := range map[string]string{cpuTopic: wantCPU, networkTopic: wantNetwork} {
		t.Run(topic, func(t *testing.T) {
			m, h := startFake(t)
			first, second := h.Ask(hometest.Person{}, topic, nil), h.Ask(hometest.Person{}, topic, map[string]any{})
			if got := h.AnswerAfter(first, settle); got.Payload != want || got.Code != 200 || got.Topic != topic {
				t.Errorf("before the first value: %+v", got)
			}
			if got := h.Answer(second); got.Payload != want || got.Code != 200 {
				t.Errorf("the second one is told: %+v", got)
			}
			m.broken.Store(true) // so that it cannot come from another sample
			if got := h.Answer(h.Ask(hometest.Person{}, topic, nil)); got.Payload != want || got.Code != 200 {
				t.Errorf("after it: %+v", got)
			}
		})
	}
}

func TestFailure(t *testing.T) {
	m, h := startFake(t)
	m.broken.Store(true)
	if got := h.AnswerAfter(h.Ask(hometest.Person{}, cpuTopic, nil), settle); got.Code != 503 || got.Payload != `{"reason":"the counters cannot be read"}` {
		t.Errorf("while it fails: %+v", got)
	}
	m.broken.Store(false)
	if got := h.AnswerAfter(h.Ask(hometest.Person{}, cpuTopic, nil), settle); got.Code != 200 || got.Payload != wantCPU {
		t.Errorf("after that: %+v", got)
	}
}

// TestMachine reads this machine's counters.
func TestMachine(t *testing.T) {
	h := hometest.Start(t, New(Options{}), clocktest.New())
	var cpu cpuStatus
	answer(t, h, cpuTopic, &cpu)
	if n := len(cpu.Status.PerCore); n < runtime.NumCPU() {
		t.Errorf("%d cores, want %d or more", n, runtime.NumCPU())
	}
	for _, x := range append(cpu.Status.PerCore, cpu.Status.Total) {
		if x < 0 || x > 100 {
			t.Errorf("%v is no percentage", x)
		}
	}
	var network networkStatus
	answer(t, h, networkTopic, &network)
	if s := network.Status; s.Received < 0 || s.Sent < 0 {
		t.Errorf("network is %+v", s)
	}
}

func answer(t *testing.T, h *hometest.Home, topic string, into any) {
	t.Helper()
	got := h.AnswerAfter(h.Ask(hometest.Person{}, topic, nil), settle)
	if err := json.Unmarshal([]byte(got.Payload), into); err != nil || got.Code != 200 {
		t.Fatalf("%s: %+v, %v", topic, got, err)
	}
}
