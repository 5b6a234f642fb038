package database

import (
	"sync/atomic"

	"strowger/system/internal/introspect"
)

// counters count since Open.
type counters struct {
	queries, failed, unavailable, hits, misses atomic.Int64
}

// Stats is one reading of a DB's counters.
type Stats = introspect.Database

// Stats returns the counters. It waits for nothing.
func (db *DB) Stats() Stats {
	s := Stats{
		Up: db.broken == nil && db.health.up(), Queries: db.counts.queries.Load(), Failed: db.counts.failed.Load(),
		Unavailable: db.counts.unavailable.Load(), NameHits: db.counts.hits.Load(), NameMisses: db.counts.misses.Load(),
		Names: int64(db.names.size()),
	}
	if open := db.pool.begun(); open != nil {
		s.Connections = int64(open.Stat().TotalConns())
	}
	return s
}
