package console

import (
	"sync"
	"time"
)

// Sample is what happened in a second, for a chart.
type Sample struct {
	Connections   int64   `json:"connections"`
	Clients       int64   `json:"clients"`
	Services      int64   `json:"services"`
	Requests      float64 `json:"requests"`
	Replies       float64 `json:"replies"`
	Broadcasts    float64 `json:"broadcasts"`
	DeadLetters   float64 `json:"dead_letters"`
	Refused       float64 `json:"refused"`
	SlowConsumers float64 `json:"slow_consumers"`
	Panics        float64 `json:"panics"`
	Restarts      float64 `json:"restarts"`
	WaitingBytes  int64   `json:"waiting_bytes"`
	CPU           float64 `json:"cpu"` // percent of one processor
	HeapBytes     int64   `json:"heap_bytes"`
	Goroutines    int64   `json:"goroutines"`
}

// between returns what happened from one reading to the next.
func between(last, now *Reading) Sample {
	s := Sample{Connections: now.Connections, Clients: now.Clients, Services: now.Services, WaitingBytes: now.WaitingBytes,
		HeapBytes: now.HeapBytes, Goroutines: now.Goroutines}
	d := now.At.Sub(last.At).Seconds()
	if d <= 0 {
		return s
	}
	per := func(last, now int64) float64 { return float64(now-last) / d }
	s.Requests, s.Replies, s.Broadcasts = per(last.Requests, now.Requests), per(last.Replies, now.Replies), per(last.Broadcasts, now.Broadcasts)
	s.DeadLetters, s.Refused = per(last.DeadLetters, now.DeadLetters), per(last.Refused, now.Refused)
	s.SlowConsumers, s.Panics, s.Restarts = per(last.SlowConsumers, now.SlowConsumers), per(last.Panics, now.Panics), per(last.Restarts, now.Restarts)
	s.CPU = 100 * (now.CPU - last.CPU).Seconds() / d
	return s
}

const (
	// sampleEvery is the time between two samples that are kept.
	sampleEvery = 5 * time.Second
	// sampleCount is an hour of them.
	sampleCount = int(time.Hour / sampleEvery)
)

// samples keeps those of the last hour.
type samples struct {
	mu   sync.Mutex // Protects following.
	last *Reading
	at   []int64 // milliseconds of Unix time, the oldest first
	kept []Sample
}

func (s *samples) add(r *Reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		s.at = append(s.at, r.At.UnixMilli())
		s.kept = append(s.kept, between(s.last, r))
		if gone := len(s.kept) - sampleCount; gone > 0 {
			s.at, s.kept = s.at[gone:], s.kept[gone:]
		}
	}
	s.last = r
}

// history is the samples as columns.
type history struct {
	Every  int64            `json:"every_ms"`
	At     []int64          `json:"at_ms"`
	Series map[string][]any `json:"series"`
}

// since returns the samples after a time in milliseconds.
func (s *samples) since(ms int64) *history {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := 0
	for first < len(s.at) && s.at[first] <= ms {
		first++
	}
	h := &history{Every: sampleEvery.Milliseconds(), At: append([]int64{}, s.at[first:]...), Series: make(map[string][]any)}
	columns := map[string]func(*Sample) any{
		"connections": func(s *Sample) any { return s.Connections }, "clients": func(s *Sample) any { return s.Clients },
		"services": func(s *Sample) any { return s.Services }, "requests": func(s *Sample) any { return s.Requests },
		"replies": func(s *Sample) any { return s.Replies }, "broadcasts": func(s *Sample) any { return s.Broadcasts },
		"dead_letters": func(s *Sample) any { return s.DeadLetters }, "refused": func(s *Sample) any { return s.Refused },
		"slow_consumers": func(s *Sample) any { return s.SlowConsumers }, "panics": func(s *Sample) any { return s.Panics },
		"restarts": func(s *Sample) any { return s.Restarts }, "waiting_bytes": func(s *Sample) any { return s.WaitingBytes },
		"cpu": func(s *Sample) any { return s.CPU }, "heap_bytes": func(s *Sample) any { return s.HeapBytes },
		"goroutines": func(s *Sample) any { return s.Goroutines },
	}
	for name, value := range columns {
		column := make([]any, 0, len(s.kept)-first)
		for i := first; i < len(s.kept); i++ {
			column = append(column, value(&s.kept[i]))
		}
		h.Series[name] = column
	}
	return h
}
