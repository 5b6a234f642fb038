package workload

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"strowger/bench/server"
)

// held is how many calls are up while a switch sends its events. Each has two channels.
const held = 1000

// SwitchRate has a switch send so many events a second while 1,000 calls are up, to services that tell operators of them.
func SwitchRate(perSecond, operators int) Workload {
	return Workload{
		Name:        fmt.Sprintf("switch-%d-to-%d", perSecond, operators),
		Title:       fmt.Sprintf("%d events of the switch a second, 1000 calls, %d operators", perSecond, operators),
		Unit:        "event",
		Connections: operators + 3, // and services
		Load:        server.Switch,
		run: func(r *round) error {
			p, err := newPlayer(r, operators)
			if err != nil {
				return err
			}
			if err := p.hold(held, perSecond); err != nil {
				return err
			}
			from, err := p.sample()
			if err != nil {
				return err
			}
			p.loop.Do(func() { p.latency = newLatencies() })
			if err := p.play(held, perSecond, r.times.Measure); err != nil {
				return err
			}
			played := p.loop.Now()
			if err := p.drain(r.times.Drain); err != nil {
				return err
			}
			to, err := p.sample()
			if err != nil {
				return err
			}
			if err := r.between(from, to); err != nil {
				return err
			}
			r.figures[Rate] = float64(to.count-from.count) / (played - from.at).Seconds()
			r.figures[Missed] = float64(p.missing())
			p.loop.Do(func() { p.latency.into(r.figures) })
			return nil
		},
	}
}

// SwitchMemory has 1,000 calls begin and end, and looks at the memory that they take.
func SwitchMemory(operators int) Workload {
	return Workload{
		Name:        fmt.Sprintf("switch-memory-%d", operators),
		Title:       fmt.Sprintf("memory of 1000 calls with %d operators", operators),
		Unit:        "call",
		Connections: operators + 3,
		Load:        server.Switch,
		Fits:        func(s server.Spec) bool { return s.Keeps },
		run: func(r *round) error {
			p, err := newPlayer(r, operators)
			if err != nil {
				return err
			}
			before, err := p.memory()
			if err != nil {
				return err
			}
			if err := p.hold(held, beginning); err != nil {
				return err
			}
			during, err := p.memory()
			if err != nil {
				return err
			}
			if err := p.end(); err != nil {
				return err
			}
			after, err := p.memory()
			if err != nil {
				return err
			}
			const mib = 1 << 20
			r.figures[Count] = held
			r.figures[HeapBefore], r.figures[ResidentBefore] = before.heap/mib, before.resident/mib
			r.figures[HeapDuring], r.figures[Resident] = during.heap/mib, during.resident/mib
			r.figures[HeapAfter], r.figures[ResidentAfter] = after.heap/mib, after.resident/mib
			r.figures[PerCall] = (during.heap - before.heap) / held / (1 << 10)
			r.figures[Missed] = float64(p.missing())
			return nil
		},
	}
}

// memory is what a server uses, in bytes. Heap is what is alive after a collection.
type memory struct{ heap, resident float64 }

func (p *player) memory() (memory, error) {
	time.Sleep(p.round.times.Settle)
	heap, err := readHeap(p.round.server.Profiles)
	if err != nil {
		return memory{}, err
	}
	usage, err := p.round.server.Usage()
	return memory{heap, float64(usage.RSS)}, err
}

// readHeap has the server collect its garbage and returns the bytes that are alive.
func readHeap(profiles string) (float64, error) {
	response, err := http.Get(profiles + "heap?gc=1&debug=1")
	if err != nil {
		return 0, fmt.Errorf("read heap: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, fmt.Errorf("read heap: %w", err)
	}
	_, rest, ok := strings.Cut(string(text), "# HeapAlloc = ")
	line, _, _ := strings.Cut(rest, "\n")
	if !ok {
		return 0, errors.New("read heap: the profile has no HeapAlloc")
	}
	bytes, err := strconv.ParseFloat(line, 64)
	if err != nil {
		return 0, fmt.Errorf("read heap: %w", err)
	}
	return bytes, nil
}
