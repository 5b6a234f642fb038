package admin

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"strowger/system/internal/introspect"
)

const (
	deadName    = "strowger_routing_dead_letters_total"
	deadHelp    = "Messages that nobody could take, by reason."
	cutName     = "strowger_transport_refused_total"
	cutHelp     = "Peers that were refused or cut off, and messages that were refused, by cause."
	refusedName = "strowger_admin_refused_total"
	refusedHelp = "Requests and connections that the admin pages refused or gave up, by cause."
	omittedName = "strowger_supervisor_omitted_actors"
	omittedHelp = "Actors of the tree that are too many to be shown here."
	// deadReasons is how many reasons are shown one by one; they are a fixed set that is smaller.
	deadReasons = 64
)

// collector reads the source once for each scrape.
type collector struct {
	source    Source
	log       *slog.Logger
	actors    int
	refused   *refused
	counters  []counter
	gauges    []gauge
	switches  []switchCounter
	databases []databaseCounter
	panels    []panelCounter
	clusters  []clusterCounter
	families  []family
	timings   []timing
	descs     map[string]*prometheus.Desc
}

func newCollector(o Options) *collector {
	c := &collector{source: o.Source, log: o.Log, actors: o.Actors, refused: o.refused, counters: counters(), gauges: gauges(),
		switches: switchCounters(), databases: databaseCounters(), panels: panelCounters(), clusters: clusterCounters(),
		families: families(), timings: timings(), descs: make(map[string]*prometheus.Desc)}
	describe := func(name, help string, labels ...string) {
		c.descs[name] = prometheus.NewDesc(name, help, labels, nil)
	}
	for _, row := range c.counters {
		describe(row.name, row.help)
	}
	for _, row := range c.databases {
		c.descs[row.name] = prometheus.NewDesc(row.name, row.help, nil, nil)
	}
	for _, row := range c.panels {
		describe(row.name, row.help)
	}
	for _, row := range c.switches {
		describe(row.name, row.help)
	}
	for _, row := range c.clusters {
		describe(row.name, row.help)
	}
	describe(lagName, lagHelp, "node")
	for _, row := range c.families {
		describe(row.name, row.help, row.labels...)
	}
	for _, row := range c.timings {
		describe(row.name, row.help, row.labels...)
	}
	for _, row := range c.gauges {
		describe(row.name, row.help, "actor")
	}
	describe(lastEventName, lastEventHelp)
	describe(deadName, deadHelp, "reason")
	describe(cutName, cutHelp, "cause")
	describe(refusedName, refusedHelp, "cause")
	describe(omittedName, omittedHelp)
	return c
}

// metrics returns the page of /metrics, with a registry of its own.
func (o Options) metrics() (http.Handler, error) {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		newCollector(o),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(o.Log.Handler(), slog.LevelError),
		ErrorHandling: promhttp.ContinueOnError,
	}), nil
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range c.descs {
		descs <- desc
	}
}

// Collect implements prometheus.Collector. It runs on a goroutine of the library's, where nobody
// else would recover from a panic of the source.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	defer func() {
		if reason := recover(); reason != nil {
			c.log.Error("metrics panicked", "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
			metrics <- prometheus.NewInvalidMetric(c.descs[omittedName], fmt.Errorf("source panicked: %v", reason))
		}
	}()
	send := func(name string, kind prometheus.ValueType, value float64, labels ...string) {
		valid(labels)
		metric, err := prometheus.NewConstMetric(c.descs[name], kind, value, labels...)
		if err != nil {
			metric = prometheus.NewInvalidMetric(c.descs[name], err)
		}
		metrics <- metric
	}
	m, tree := c.source.Metrics(), c.source.Tree()
	for _, row := range c.counters {
		send(row.name, row.kind, float64(row.value(&m)))
	}
	for _, row := range c.families {
		row.each(&m, func(value float64, labels ...string) { send(row.name, row.kind, value, labels...) })
	}
	for _, row := range c.timings {
		row.each(&m, func(h *introspect.Histogram, labels ...string) {
			if h == nil {
				return
			}
			valid(labels)
			metrics <- &histogram{c.descs[row.name], prometheus.MakeLabelPairs(c.descs[row.name], labels), h}
		})
	}
	for _, row := range c.switches {
		if m.Switch != nil {
			send(row.name, row.kind, float64(row.value(m.Switch)))
		}
	}
	if m.Switch != nil {
		send(lastEventName, prometheus.GaugeValue, m.Switch.LastEvent)
	}
	for _, row := range c.databases {
		if m.Database != nil {
			send(row.name, row.kind, float64(row.value(m.Database)))
		}
	}
	for _, row := range c.panels {
		if m.Panel != nil {
			send(row.name, prometheus.CounterValue, float64(row.value(m.Panel)))
		}
	}
	c.cluster(m.Cluster, send)
	for reason, n := range bounded(m.Dead) {
		send(deadName, prometheus.CounterValue, float64(n), reason)
	}
	for cause, n := range bounded(m.Cut) {
		send(cutName, prometheus.CounterValue, float64(n), cause)
	}
	for _, cause := range causes() {
		send(refusedName, prometheus.CounterValue, float64(c.refused.total(cause)), cause.name)
	}
	shown, omitted := 0, 0
	for path, node := range tree.All() {
		if shown == c.actors {
			omitted++
			continue
		}
		shown++
		for _, row := range c.gauges {
			if value, known := row.value(node); known {
				send(row.name, row.kind, value, path)
			}
		}
	}
	send(omittedName, prometheus.GaugeValue, float64(omitted))
}

// valid makes label values valid UTF-8.
func valid(labels []string) {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "?")
	}
}

// bounded adds up the reasons beyond deadReasons as one, "other".
func bounded(dead map[string]int64) map[string]int64 {
	if len(dead) <= deadReasons {
		return dead
	}
	kept := make(map[string]int64, deadReasons+1)
	for i, reason := range slices.Sorted(maps.Keys(dead)) {
		shown := reason
		if i >= deadReasons {
			shown = "other"
		}
		kept[shown] += dead[reason]
	}
	return kept
}
