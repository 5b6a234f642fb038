package database

import (
	"log/slog"
	"time"

	"strowger/actors/clock"
	"strowger/config"
)

// Options says which database is used and how much of it. Zero values stand for the defaults.
type Options struct {
	// Server is how config.conf says to reach the database.
	Server config.Database
	// Connections is how many connections are open at the same time; 4 unless given.
	Connections int
	// Timeout is how long a query may take, connecting included; 3 s unless given.
	Timeout time.Duration
	// Rows is how many rows an answer may have; 50,000 unless given.
	Rows int
	// NameAge is how long the name of a conference is kept; one minute unless given.
	NameAge time.Duration
	// Names is how many names are kept; 10,000 unless given.
	Names int
	// Clock tells the time. It is the machine's unless given.
	Clock clock.Clock
	// Log gets a line when the database goes away and one when it is back; none unless given.
	Log *slog.Logger
}

// complete fills in the defaults.
func (o *Options) complete() {
	defaultTo(&o.Connections, 4)
	defaultTo(&o.Timeout, 3*time.Second)
	defaultTo(&o.Rows, 50_000)
	defaultTo(&o.NameAge, time.Minute)
	defaultTo(&o.Names, 10_000)
	if o.Clock == nil {
		o.Clock = clock.Wall{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

func defaultTo[T int | time.Duration](value *T, standard T) {
	if *value == 0 {
		*value = standard
	}
}
