package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"strowger/system/internal/introspect"
)

// databaseCounter is one number of introspect.Database.
type databaseCounter struct {
	name  string
	help  string
	kind  prometheus.ValueType
	value func(*introspect.Database) int64
}

func databaseCounters() []databaseCounter {
	const total, now = prometheus.CounterValue, prometheus.GaugeValue
	return []databaseCounter{
		{"strowger_database_up_status", "1 if FusionPBX's database answered when it was last asked, else 0.", now,
			func(d *introspect.Database) int64 {
				if d.Up {
					return 1
				}
				return 0
			}},
		{"strowger_database_open_connections", "Connections to FusionPBX's database open now.", now,
			func(d *introspect.Database) int64 { return d.Connections }},
		{"strowger_database_queries_total", "Queries put to FusionPBX's database.", total,
			func(d *introspect.Database) int64 { return d.Queries }},
		{"strowger_database_failed_total", "Queries to which FusionPBX's database had no answer, in time or at all.", total,
			func(d *introspect.Database) int64 { return d.Failed }},
		{"strowger_database_unavailable_total", "Queries refused at once, because FusionPBX's database is down or cannot be used.", total,
			func(d *introspect.Database) int64 { return d.Unavailable }},
		{"strowger_database_name_hits_total", "Names of conferences that were known.", total,
			func(d *introspect.Database) int64 { return d.NameHits }},
		{"strowger_database_name_misses_total", "Names of conferences for which FusionPBX's database was asked.", total,
			func(d *introspect.Database) int64 { return d.NameMisses }},
		{"strowger_database_kept_names", "Names of conferences that are kept now.", now,
			func(d *introspect.Database) int64 { return d.Names }},
	}
}
