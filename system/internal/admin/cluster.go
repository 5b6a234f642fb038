package admin

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"strowger/system/internal/introspect"
)

// clusterCounter is one number of introspect.ClusterCounts.
type clusterCounter struct {
	name  string
	help  string
	kind  prometheus.ValueType
	value func(*introspect.ClusterCounts) int64
}

const (
	lagName = "strowger_cluster_unacknowledged_messages"
	lagHelp = "Messages that another node has not yet said to have received, by node."
)

func clusterCounters() []clusterCounter {
	const total, now = prometheus.CounterValue, prometheus.GaugeValue
	type counts = introspect.ClusterCounts
	return []clusterCounter{
		{"strowger_cluster_bus_up_status", "1 if there is a connection to the cluster's bus, else 0.", now,
			func(c *counts) int64 {
				if c.BusUp {
					return 1
				}
				return 0
			}},
		{"strowger_cluster_bus_disconnects_total", "How often the connection to the cluster's bus was lost.", total,
			func(c *counts) int64 { return c.BusDisconnects }},
		{"strowger_cluster_bus_dropped_total", "Messages of other nodes dropped because they came faster than this node had processor time for.", total,
			func(c *counts) int64 { return c.BusDropped }},
		{"strowger_cluster_publish_errors_total", "Messages that the cluster's bus did not take.", total,
			func(c *counts) int64 { return c.PublishErrors }},
		{"strowger_cluster_known_nodes", "Other nodes that are there.", now,
			func(c *counts) int64 { return c.Nodes }},
		{"strowger_cluster_linked_nodes", "Other nodes that are linked.", now,
			func(c *counts) int64 { return c.Linked }},
		{"strowger_cluster_met_nodes_total", "Other nodes that came.", total,
			func(c *counts) int64 { return c.Met }},
		{"strowger_cluster_gone_nodes_total", "Other nodes that left, or were not heard any more.", total,
			func(c *counts) int64 { return c.Gone }},
		{"strowger_cluster_refused_nodes_total", "Other nodes refused because their protocol is too old or too new, or they are too many.", total,
			func(c *counts) int64 { return c.Refused }},
		{"strowger_cluster_resets_total", "Links to other nodes that began anew because something was missed.", total,
			func(c *counts) int64 { return c.Resets }},
		{"strowger_cluster_gaps_total", "Times that this node has noticed that it missed something of another one.", total,
			func(c *counts) int64 { return c.Gaps }},
		{"strowger_cluster_losses_told_total", "Times that a client was told that something another node has said may be missing.", total,
			func(c *counts) int64 { return c.LossesTold }},
		{"strowger_cluster_queued_bytes", "Bytes that wait to be sent to other nodes.", now,
			func(c *counts) int64 { return c.QueuedBytes }},
		{"strowger_cluster_queue_full_total", "Times that more waited for another node than cluster.queue_bytes allows.", total,
			func(c *counts) int64 { return c.QueueFull }},
		{"strowger_cluster_inbox_full_total", "Times that another node had sent more than this one could handle.", total,
			func(c *counts) int64 { return c.InboxFull }},
		{"strowger_cluster_sent_total", "Requests, replies and broadcasts sent to other nodes.", total,
			func(c *counts) int64 { return c.Sent }},
		{"strowger_cluster_received_total", "Requests, replies and broadcasts received from other nodes.", total,
			func(c *counts) int64 { return c.Received }},
		{"strowger_cluster_dropped_total", "Requests, replies and broadcasts for other nodes that were not sent, because too much waited or a link ended.", total,
			func(c *counts) int64 { return c.Dropped }},
		{"strowger_cluster_sent_messages_total", "Messages sent to other nodes, without heartbeats.", total,
			func(c *counts) int64 { return c.Messages.Sent }},
		{"strowger_cluster_received_messages_total", "Messages received from other nodes, without heartbeats.", total,
			func(c *counts) int64 { return c.Messages.Received }},
		{"strowger_cluster_sent_bytes_total", "Bytes sent to other nodes.", total,
			func(c *counts) int64 { return c.Bytes.Sent }},
		{"strowger_cluster_received_bytes_total", "Bytes received from other nodes.", total,
			func(c *counts) int64 { return c.Bytes.Received }},
		{"strowger_cluster_visitors", "Clients of other nodes that services of this one know, because they have asked.", now,
			func(c *counts) int64 { return c.Visitors }},
		{"strowger_cluster_visits_refused_total", "Requests of other nodes that were handed back because too many of their clients had asked.", total,
			func(c *counts) int64 { return c.TooManyVisits }},
		{"strowger_cluster_wills", "Wills of other nodes that this one keeps.", now,
			func(c *counts) int64 { return c.Wills }},
		{"strowger_cluster_singletons", "Singletons that this node has.", now,
			func(c *counts) int64 { return c.Singletons }},
		{"strowger_cluster_singletons_taken_total", "Singletons that this node has taken.", total,
			func(c *counts) int64 { return c.Taken }},
		{"strowger_cluster_singletons_yielded_total", "Singletons that this node has given up because another node has them.", total,
			func(c *counts) int64 { return c.Yielded }},
		{"strowger_cluster_malformed_total", "Messages of other nodes that made no sense.", total,
			func(c *counts) int64 { return c.Malformed }},
	}
}

// cluster sends what there is of a cluster. There are at most as many nodes as can be linked.
func (c *collector) cluster(counts *introspect.ClusterCounts, send func(name string, kind prometheus.ValueType, value float64, labels ...string)) {
	if counts == nil {
		return
	}
	for _, row := range c.clusters {
		send(row.name, row.kind, float64(row.value(counts)))
	}
	for _, node := range slices.Sorted(maps.Keys(counts.Lag)) {
		send(lagName, prometheus.GaugeValue, float64(counts.Lag[node]), node)
	}
}
