package admin

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"strowger/system/internal/introspect"
)

// counter is one number of introspect.Metrics as Prometheus sees it.
type counter struct {
	name  string // strowger_<subsystem>_<name>_<unit>
	help  string
	kind  prometheus.ValueType
	value func(*introspect.Metrics) int64
}

func counters() []counter {
	const total, now = prometheus.CounterValue, prometheus.GaugeValue
	return []counter{
		{"strowger_transport_open_connections", "WebSocket connections open now.", now,
			func(m *introspect.Metrics) int64 { return m.Connections }},
		{"strowger_transport_client_connections", "Connections of clients open now.", now,
			func(m *introspect.Metrics) int64 { return m.Clients }},
		{"strowger_transport_slow_consumers_total", "Connections ended because they read too slowly.", total,
			func(m *introspect.Metrics) int64 { return m.SlowConsumers }},
		{"strowger_transport_waiting_bytes", "Bytes that wait for peers that read slowly.", now,
			func(m *introspect.Metrics) int64 { return m.Waiting }},
		{"strowger_transport_unauthenticated_bytes", "Bytes held by unauthenticated connections.", now,
			func(m *introspect.Metrics) int64 { return m.Early }},
		{"strowger_transport_waiting_handshakes", "Handshakes that wait because as many as limits.handshakes says are worked on.", prometheus.GaugeValue,
			func(m *introspect.Metrics) int64 { return m.Handshakes }},
		{"strowger_tokens_accepted_total", "Tokens accepted.", total,
			func(m *introspect.Metrics) int64 { return m.Authenticated }},
		{"strowger_tokens_refused_total", "Tokens refused.", total,
			func(m *introspect.Metrics) int64 { return m.Refused }},
		{"strowger_tokens_odd_total", "Tokens accepted although fields of them had the wrong type.", total,
			func(m *introspect.Metrics) int64 { return m.OddTokens }},
		{"strowger_tokens_ignored_total", "Tokens not looked at because their peer was authenticated already.", total,
			func(m *introspect.Metrics) int64 { return m.TokensIgnored }},
		{"strowger_tokens_reclaimed_total", "Tokens accepted again, of clients that came back.", total,
			func(m *introspect.Metrics) int64 { return m.Reclaimed }},
		{"strowger_tokens_reclaimable_tokens", "Tokens kept for clients that may come back.", now,
			func(m *introspect.Metrics) int64 { return m.Reclaimable }},
		{"strowger_tokens_forgotten_total", "Tokens not kept for clients that may come back because there were too many.", total,
			func(m *introspect.Metrics) int64 { return m.Forgotten }},
		{"strowger_routing_requests_total", "Requests handed to a service.", total,
			func(m *introspect.Metrics) int64 { return m.Requests }},
		{"strowger_routing_replies_total", "Replies handed to a subscriber.", total,
			func(m *introspect.Metrics) int64 { return m.Replies }},
		{"strowger_routing_broadcasts_total", "Broadcasts handed to a topic.", total,
			func(m *introspect.Metrics) int64 { return m.Broadcasts }},
		{"strowger_actors_panics_total", "Panics in actors.", total,
			func(m *introspect.Metrics) int64 { return m.Panics }},
		{"strowger_actors_service_errors_total", "Errors without a status that handlers of services in the router returned; answered with 500.", total,
			func(m *introspect.Metrics) int64 { return m.Errors }},
		{"strowger_log_lines_dropped_total", "Log lines dropped because their reader was too slow or gone.", total,
			func(m *introspect.Metrics) int64 { return m.LogLost }},
		{"strowger_log_refusals_merged_total", "Refusals of kinds that were too many for the log to tell apart.", total,
			func(m *introspect.Metrics) int64 { return m.Merged }},
		{"strowger_upgrade_done_total", "Upgrades of the running daemon, counted over all its processes.", total,
			func(m *introspect.Metrics) int64 { return m.Upgrades }},
		{"strowger_upgrade_failed_total", "Upgrades of the running daemon that failed, counted over all its processes.", total,
			func(m *introspect.Metrics) int64 { return m.NoUpgrades }},
	}
}

// gauge is one number of every actor of the tree, labelled with the actor's path.
type gauge struct {
	name  string
	help  string
	kind  prometheus.ValueType
	value func(*introspect.Node) (number float64, known bool)
}

func gauges() []gauge {
	const total, now = prometheus.CounterValue, prometheus.GaugeValue
	return []gauge{
		{"strowger_supervisor_running_status", "1 if the actor runs, else 0.", now, running},
		{"strowger_supervisor_restarts_total", "Restarts of the actor, in place and anew.", total,
			func(n *introspect.Node) (float64, bool) { return float64(n.Restarts), true }},
		{"strowger_supervisor_failures_total", "Failures of the actor.", total,
			func(n *introspect.Node) (float64, bool) { return float64(n.Failures), true }},
		{"strowger_supervisor_abandoned_total", "Generations of the actor that hung or would not stop.", total,
			func(n *introspect.Node) (float64, bool) { return float64(n.Abandoned), true }},
		{"strowger_supervisor_backoff_seconds", "Time until the actor is started again.", now,
			func(n *introspect.Node) (float64, bool) { return float64(n.Backoff) / 1000, true }},
		{"strowger_supervisor_breaker_status", "The actor's breaker: 0 closed, 1 half-open, 2 open.", now, breaker},
		{"strowger_supervisor_mailbox_messages", "Messages that wait in the actor's mailbox.", now, mailbox},
	}
}

func running(n *introspect.Node) (float64, bool) {
	if n.State == introspect.Running {
		return 1, true
	}
	return 0, true
}

func breaker(n *introspect.Node) (float64, bool) {
	states := []introspect.Breaker{introspect.Closed, introspect.HalfOpen, introspect.Open}
	return float64(slices.Index(states, n.Breaker)), slices.Contains(states, n.Breaker)
}

func mailbox(n *introspect.Node) (float64, bool) {
	if n.Mailbox == nil {
		return 0, false
	}
	return float64(*n.Mailbox), true
}
