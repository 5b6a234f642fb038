package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"strowger/system/internal/introspect"
)

// switchCounter is one number of introspect.Switch.
type switchCounter struct {
	name  string
	help  string
	kind  prometheus.ValueType
	value func(*introspect.Switch) int64
}

// lastEvent is a time, and has a fraction.
const (
	lastEventName = "strowger_switch_last_event_timestamp_seconds"
	lastEventHelp = "When the last event of the switch was read, in seconds since 1970; 0 if there was none."
)

func switchCounters() []switchCounter {
	const total, now = prometheus.CounterValue, prometheus.GaugeValue
	return []switchCounter{
		{"strowger_switch_connected_status", "1 if all connections to the telephone switch are there, else 0.", now,
			func(s *introspect.Switch) int64 {
				if s.Connected {
					return 1
				}
				return 0
			}},
		{"strowger_switch_connects_total", "Connections to the switch that were set up.", total,
			func(s *introspect.Switch) int64 { return s.Connects }},
		{"strowger_switch_failures_total", "Connections to the switch that failed or ended.", total,
			func(s *introspect.Switch) int64 { return s.Failures }},
		{"strowger_switch_events_total", "Events of the switch that were read.", total,
			func(s *introspect.Switch) int64 { return s.Events }},
		{"strowger_switch_lost_events_total", "Events of the switch that services missed, counted for each service.", total,
			func(s *introspect.Switch) int64 { return s.Lost }},
		{"strowger_switch_skipped_messages_total", "Events and replies of the switch that were too large or made no sense.", total,
			func(s *introspect.Switch) int64 { return s.Skipped }},
		{"strowger_switch_replies_total", "Replies of the switch to commands.", total,
			func(s *introspect.Switch) int64 { return s.Replies }},
		{"strowger_switch_late_replies_total", "Replies of the switch that came when nobody waited for them any more.", total,
			func(s *introspect.Switch) int64 { return s.Late }},
		{"strowger_switch_hurried_pushes_total", "Messages about conferences that went out without what the switch or the database has of them.", total,
			func(s *introspect.Switch) int64 { return s.Hurried }},
	}
}
