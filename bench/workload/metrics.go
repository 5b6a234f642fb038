package workload

import (
	"slices"
	"time"
)

// Metric is the name of a figure, with its unit behind the underscore.
type Metric string

// The figures. Each workload has some of them.
const (
	CPU       Metric = "cpu_us"      // the server's CPU time for one delivery, round trip or connection
	Rate      Metric = "rate_1/s"    // deliveries, round trips or connections
	P50       Metric = "p50_ms"      // from before the write of the event or request to after the read
	P99       Metric = "p99_ms"      //
	P999      Metric = "p99.9_ms"    //
	PerConn   Metric = "conn_KiB"    // resident memory for one connection, once settled
	PerConnGC Metric = "conn_gc_KiB" // the same after a collection that was asked for
	Resident  Metric = "rss_MiB"     // resident memory at the end of the load
	Peak      Metric = "peak_MiB"    // resident memory at most, above that before the load
	Missed    Metric = "missed"      // deliveries that should have been and were not
	Count     Metric = "count"       // deliveries, round trips or connections that were counted
	Load      Metric = "load_us"     // the generator's own CPU time for one of them
	CutOff    Metric = "cut_off"     // connections that did not read and were ended by the server
	Joined    Metric = "joined"      // connections that came and went during the load

	Calls          Metric = "calls"           // that were up
	PerCall        Metric = "call_KiB"        // live heap for one call
	HeapBefore     Metric = "heap_before_MiB" // live heap before the calls, with them and after they have ended
	HeapDuring     Metric = "heap_MiB"
	HeapAfter      Metric = "heap_after_MiB"
	ResidentBefore Metric = "rss_before_MiB" // resident memory at the same times; rss_MiB is the one with calls
	ResidentAfter  Metric = "rss_after_MiB"
)

// Figures are what one round of a workload measured.
type Figures map[Metric]float64

// latencies are kept one by one; their percentiles are exact.
type latencies struct{ micros []uint32 }

// newLatencies has room for those of most rounds, so that the generator need not stop to make some.
func newLatencies() *latencies { return &latencies{micros: make([]uint32, 0, 1<<20)} }

func (l *latencies) add(d time.Duration) { l.micros = append(l.micros, uint32(d.Microseconds())) }

// into adds the percentiles to the figures.
func (l *latencies) into(f Figures) {
	if len(l.micros) == 0 {
		return
	}
	slices.Sort(l.micros)
	at := func(share float64) float64 {
		return float64(l.micros[int(share*float64(len(l.micros)-1))]) / 1000
	}
	f[P50], f[P99], f[P999] = at(0.5), at(0.99), at(0.999)
}

// Metrics are all of them in the order in which tables show them.
func Metrics() []Metric {
	return []Metric{CPU, Rate, P50, P99, P999, PerConn, PerConnGC, Calls, PerCall, HeapBefore, HeapDuring, HeapAfter,
		ResidentBefore, Resident, ResidentAfter, Peak, CutOff, Joined, Missed, Load}
}
