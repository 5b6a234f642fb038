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
		{"strowger_transport_dropped_broadcasts_total", "Broadcasts dropped for a slow reader, as the policy of their service chooses.", total,
			func(m *introspect.Metrics) int64 { return m.Gaps.Dropped }},
		{"strowger_transport_replaced_broadcasts_total", "Dropped broadcasts in whose place a newer one of the same key came.", total,
			func(m *introspect.Metrics) int64 { return m.Gaps.Replaced }},
		{"strowger_transport_gaps_told_total", "Times that a slow reader was told how many broadcasts are missing.", total,
			func(m *introspect.Metrics) int64 { return m.Gaps.Told }},
		{"strowger_transport_slow_consumers_total", "Connections ended because they read too slowly.", total,
			func(m *introspect.Metrics) int64 { return m.SlowConsumers }},
		{"strowger_transport_waiting_bytes", "Bytes that wait for peers that read slowly.", now,
			func(m *introspect.Metrics) int64 { return m.Waiting }},
		{"strowger_transport_queued_bytes", "The same, where a message that several of them wait for counts once; limits.outbound_total_bytes bounds it.", now,
			func(m *introspect.Metrics) int64 { return m.Queued }},
		{"strowger_transport_unauthenticated_bytes", "Bytes held by unauthenticated connections.", now,
			func(m *introspect.Metrics) int64 { return m.Early }},
		{"strowger_transport_inbound_bytes", "Bytes of messages of clients over 4 KiB that are not complete or under way; limits.inbound_total_bytes bounds them.", now,
			func(m *introspect.Metrics) int64 { return m.Inbound }},
		{"strowger_transport_waiting_handshakes", "Handshakes that wait because as many as limits.handshakes says are worked on.", prometheus.GaugeValue,
			func(m *introspect.Metrics) int64 { return m.Handshakes }},
		{"strowger_tokens_accepted_total", "Tokens accepted.", total,
			func(m *introspect.Metrics) int64 { return m.Authenticated }},
		{"strowger_tokens_refused_total", "Tokens refused.", total,
			func(m *introspect.Metrics) int64 { return m.Refused }},
		{"strowger_tokens_odd_total", "Tokens accepted although fields of them had the wrong type.", total,
			func(m *introspect.Metrics) int64 { return m.OddTokens }},
		{"strowger_tokens_renewed_total", "Tokens that moved the end of their open connection.", total,
			func(m *introspect.Metrics) int64 { return m.Renewed }},
		{"strowger_tokens_renewals_refused_total", "Tokens that were to move the end of their open connection and did not.", total,
			func(m *introspect.Metrics) int64 { return m.NotRenewed }},
		{"strowger_tokens_ignored_total", "Tokens not looked at because their peer was authenticated already.", total,
			func(m *introspect.Metrics) int64 { return m.TokensIgnored }},
		{"strowger_tokens_reclaimed_total", "Tokens accepted again, of clients that came back.", total,
			func(m *introspect.Metrics) int64 { return m.Reclaimed }},
		{"strowger_tokens_reclaimable_tokens", "Tokens kept for clients that may come back.", now,
			func(m *introspect.Metrics) int64 { return m.Reclaimable }},
		{"strowger_tokens_forgotten_total", "Tokens not kept for clients that may come back because there were too many.", total,
			func(m *introspect.Metrics) int64 { return m.Forgotten }},
		{"strowger_tokens_ticket_issued_total", "Tickets given to clients that asked for them.", total,
			func(m *introspect.Metrics) int64 { return m.Tickets.Issued }},
		{"strowger_tokens_ticket_too_big_total", "Tickets not made because what the client may takes too much room.", total,
			func(m *introspect.Metrics) int64 { return m.Tickets.TooBig }},
		{"strowger_tokens_ticket_accepted_total", "Tickets with which clients came back.", total,
			func(m *introspect.Metrics) int64 { return m.Tickets.Accepted }},
		{"strowger_tokens_ticket_refused_total", "Tickets that were not good; the log says why.", total,
			func(m *introspect.Metrics) int64 { return m.Tickets.Refused }},
		{"strowger_tokens_ticket_used_tokens", "Used tickets that are remembered now.", now,
			func(m *introspect.Metrics) int64 { return m.Tickets.Used }},
		{"strowger_tokens_ticket_forgotten_total", "Used tickets forgotten early because there were too many; unused ones from before are refused.", total,
			func(m *introspect.Metrics) int64 { return m.Tickets.Forgotten }},
		{"strowger_tokens_ticket_connections", "Connections now whose clients have asked for tickets.", now,
			func(m *introspect.Metrics) int64 { return m.Tickets.Sessions }},
		{"strowger_tokens_ticket_taken_over_total", "Connections that ended because their client came back over another one.", total,
			func(m *introspect.Metrics) int64 { return m.Tickets.TakenOver }},
		{"strowger_tokens_resume_waiting_connections", "Lost connections whose clients are waited for now, because their open requests are kept.", now,
			func(m *introspect.Metrics) int64 { return m.Tickets.Waiting }},
		{"strowger_tokens_resume_returned_total", "Clients that came back to open requests that were kept.", total,
			func(m *introspect.Metrics) int64 { return m.Tickets.Returned }},
		{"strowger_tokens_resume_unreturned_total", "Clients whose open requests were kept and given up; the log says why.", total,
			func(m *introspect.Metrics) int64 { return m.Tickets.Unreturned }},
		{"strowger_traces_requests_total", "Requests that were traced.", total,
			func(m *introspect.Metrics) int64 { return m.Traces }},
		{"strowger_traces_sent_total", "Spans that the collector took.", total,
			func(m *introspect.Metrics) int64 { return m.TracesSent }},
		{"strowger_traces_failed_total", "Spans that the collector did not take.", total,
			func(m *introspect.Metrics) int64 { return m.TracesFailed }},
		{"strowger_routing_kept_bytes", "Memory that open requests, and answers kept for clients without a connection, take; limits.pending_total_bytes bounds it.", now,
			func(m *introspect.Metrics) int64 { return m.Kept }},
		{"strowger_routing_requests_total", "Requests handed to a service.", total,
			func(m *introspect.Metrics) int64 { return m.Requests }},
		{"strowger_routing_replies_total", "Replies handed to a subscriber.", total,
			func(m *introspect.Metrics) int64 { return m.Replies }},
		{"strowger_routing_broadcasts_total", "Broadcasts handed to a topic.", total,
			func(m *introspect.Metrics) int64 { return m.Broadcasts }},
		{"strowger_routing_ejections_total", "Instances of remote services that were ejected because they did not answer.", total,
			func(m *introspect.Metrics) int64 { return m.Ejections }},
		{"strowger_routing_ejected_connections", "Connections of remote services that are ejected now.", now,
			func(m *introspect.Metrics) int64 { return m.Ejected }},
		{"strowger_routing_narrowed_broadcasts_total", "Broadcasts that a client did not get because it asked for less.", total,
			func(m *introspect.Metrics) int64 { return m.Narrowed }},
		{"strowger_routing_presence_people", "People who are known to watch a service whose policy tells who does.", now,
			func(m *introspect.Metrics) int64 { return m.Watching }},
		{"strowger_routing_presence_untold_connections", "Connections that are not told of among those who watch a service, because there are too many.", now,
			func(m *introspect.Metrics) int64 { return m.Untold }},
		{"strowger_routing_history_messages", "Broadcasts kept for clients that come back.", now,
			func(m *introspect.Metrics) int64 { return m.History.Messages }},
		{"strowger_routing_history_bytes", "Bytes of the broadcasts kept for clients that come back.", now,
			func(m *introspect.Metrics) int64 { return m.History.Bytes }},
		{"strowger_routing_history_cut_total", "Broadcasts dropped early because all that are kept together were too big.", total,
			func(m *introspect.Metrics) int64 { return m.History.Cut }},
		{"strowger_routing_history_recovered_total", "Times that a client that came back got all that it had missed of a service.", total,
			func(m *introspect.Metrics) int64 { return m.History.Recovered }},
		{"strowger_routing_history_unrecovered_total", "Times that a client that came back was told that it missed something of a service.", total,
			func(m *introspect.Metrics) int64 { return m.History.NotRecovered }},
		{"strowger_actors_panics_total", "Panics in actors.", total,
			func(m *introspect.Metrics) int64 { return m.Panics }},
		{"strowger_actors_service_errors_total", "Errors without a status that handlers of services in the router returned; answered with 500.", total,
			func(m *introspect.Metrics) int64 { return m.Errors }},
		{"strowger_service_dynamic_names", "Services in the router now that were added while it ran.", now,
			func(m *introspect.Metrics) int64 { return m.Dynamic }},
		{"strowger_service_dynamic_refused_total", "Services that were not added because there were as many as services.dynamic says.", total,
			func(m *introspect.Metrics) int64 { return m.NotAdded }},
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
