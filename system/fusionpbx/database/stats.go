package database

import "sync/atomic"

// counters count since Open.
type counters struct {
	queries, failed, unavailable, hits, misses atomic.Int64
}

// Stats is one reading of a DB's counters.
type Stats struct {
	Up          bool  // it answered when it was last asked
	Queries     int64 // put to the database
	Failed      int64 // of these, without an answer
	Unavailable int64 // refused at once, because the database is down or cannot be used
	NameHits    int64 // names of conferences that were known
	NameMisses  int64 // names that were not
	Names       int64 // that are kept now
	Connections int64 // open now
}

// Stats returns the counters. It waits for nothing.
func (db *DB) Stats() Stats {
	s := Stats{
		Up: db.broken == nil && db.health.up(), Queries: db.counts.queries.Load(), Failed: db.counts.failed.Load(),
		Unavailable: db.counts.unavailable.Load(), NameHits: db.counts.hits.Load(), NameMisses: db.counts.misses.Load(),
		Names: int64(db.names.size()),
	}
	if db.pool != nil {
		s.Connections = int64(db.pool.Stat().TotalConns())
	}
	return s
}
