package system

import (
	"math"
	"runtime"

	"strowger/actors/meter"
	"strowger/system/internal/introspect"
)

// measured fills in what is measured of connections, requests and pools.
func (s *System) measured(m *introspect.Metrics) {
	c := s.deps.Counters
	m.Build = introspect.Build{Version: s.build.Version, Commit: s.build.Commit, Go: runtime.Version()}
	m.HandshakeTime, m.AdmissionTime, m.RejectionTime = histogram(c.Handshakes.Read()), histogram(c.Admission.Read()), histogram(c.Rejection.Read())
	m.DeliveryTime = histogram(c.Delivery.Histogram.Read())
	m.Services = s.serviceStats()
	m.Claims, m.Checks = s.pool.stats(), s.bearing.stats()
	m.Pools, m.Inside = make(map[string]introspect.Pool), make(map[string]introspect.Inside)
	for _, h := range s.services.all() {
		load := h.instance.Load()
		m.Pools[h.instance.Name()] = introspect.Pool{Size: int64(load.Size), Running: int64(load.Running), Waiting: int64(load.Waiting), Oldest: load.Oldest.Seconds(),
			Refused: int64(h.instance.Counters().Busy.Load())}
		m.Inside[h.instance.Name()] = introspect.Inside{Abandoned: int64(h.instance.State().Abandoned),
			Said: h.window.Used() + h.kept.Load(), Dropped: int64(h.instance.Counters().NoRoom.Load())}
	}
	if !s.live() {
		return
	}
	m.Compressed = introspect.Compressed(s.egress.Compressed())
	h := s.server.HTTP()
	m.HTTP = introspect.HTTP{Published: h.Publishes, Requested: h.Requests, Repeated: h.Repeated, Keys: h.Keys, Bytes: h.Bytes, Streams: h.Streams}
	t := s.egress.Traffic()
	m.Traffic = introspect.Traffic{BytesIn: t.BytesIn, FramesIn: t.FramesIn, BytesOut: t.BytesOut, FramesOut: t.FramesOut,
		WaitingFrames: t.WaitingFrames, Paused: t.Paused, Pauses: t.Pauses}
	for _, e := range t.Ends {
		m.Traffic.Ends = append(m.Traffic.Ends, introspect.Ends(e))
	}
}

// serviceStats returns what was measured of each service that is told apart, and last of all others.
func (s *System) serviceStats() []introspect.Service {
	waiting := s.deps.Registry.Waiting()
	var list []introspect.Service
	for _, measured := range s.deps.Counters.Services.All() {
		one := introspect.Service{Name: measured.Name(), Broadcasts: measured.Broadcasts(), Waiting: waiting[measured.Name()],
			Outcomes: make(map[string]*introspect.Histogram)}
		delete(waiting, measured.Name())
		for o := range meter.Outcomes {
			if r := measured.Read(o); r != nil {
				one.Outcomes[o.String()] = histogram(r)
			}
		}
		list = append(list, one)
	}
	for _, n := range waiting {
		list[len(list)-1].Waiting += n
	}
	return list
}

// octaves are the powers of 2, in seconds, that are the bounds of the buckets for readers that know no native
// histograms: from 15 microseconds to 64 seconds.
var octaves = [...]int{-16, -14, -12, -10, -8, -7, -6, -5, -4, -3, -2, -1, 0, 2, 4, 6}

func histogram(r *meter.Reading) *introspect.Histogram {
	h := &introspect.Histogram{Sum: r.Sum, Count: r.Count(), Schema: meter.Schema, Zero: r.Zero, ZeroEnd: meter.Zero,
		Buckets: make(map[int]uint64), Within: make(map[float64]uint64)}
	for i, n := range r.Buckets {
		if n > 0 {
			h.Buckets[meter.First+i] = n
		}
	}
	for _, octave := range octaves {
		h.Within[math.Ldexp(1, octave)] = r.Within(octave)
	}
	return h
}
