package database

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/singleflight"

	"strowger/config"
)

// DB is FusionPBX's database. Its methods may be called from any goroutine.
type DB struct {
	o      Options
	pool   pool
	broken *UnavailableError // why it can never be used; nil: it can
	health *health
	names  *names
	asking singleflight.Group // for names
	counts counters
	begin  [2]string // how a transaction begins, by access
}

// access is what a transaction may do.
type access int

const (
	reads access = iota
	writes
)

// Open returns the database without connecting to it, so that it always returns at once. Err tells whether
// the database can be used at all. The caller calls Close in the end.
func Open(o Options) *DB {
	o.complete()
	db := &DB{o: o, broken: check(&o.Server), health: newHealth(&o), names: newNames(&o)}
	if db.broken != nil {
		return db
	}
	var err error
	if db.pool.cfg, err = poolConfig(&o); err != nil {
		db.broken = &UnavailableError{Permanent: true, Reason: "the database settings in FusionPBX's config.conf cannot be used", Err: err}
		return db
	}
	// The server ends a statement that we have given up on. Otherwise it would go on with it, and with the
	// next ones that we ask it for.
	limit := "; set local statement_timeout = " + strconv.FormatInt(max(o.Timeout.Milliseconds(), 1), 10)
	db.begin = [2]string{reads: "begin read only" + limit, writes: "begin read write" + limit}
	return db
}

// Err returns an *UnavailableError if the database can never be used, because config.conf names none or one
// that is not supported; else nil, also while the database is down.
func (db *DB) Err() error {
	if db.broken == nil {
		return nil
	}
	return db.broken
}

// Close ends all connections, and waits for queries that are under way. It takes no longer than a query: what
// is left of connections to a server that does not answer then ends by itself.
func (db *DB) Close() {
	open := db.pool.close()
	if open == nil {
		return
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		open.Close()
	}()
	late := time.NewTimer(db.o.Timeout)
	defer late.Stop()
	select {
	case <-closed:
	case <-late.C:
	}
}

// Check asks the database for nothing, and returns what a query would.
func (db *DB) Check(ctx context.Context) error {
	return db.run(ctx, reads, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "select 1")
		return err
	})
}

// run calls f in a transaction and judges what came of it.
func (db *DB) run(ctx context.Context, a access, f func(context.Context, pgx.Tx) error) error {
	if db.broken != nil {
		db.counts.unavailable.Add(1)
		return db.broken
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("query the database: %w", err)
	}
	if err := db.health.admit(); err != nil {
		db.counts.unavailable.Add(1)
		return err
	}
	within, cancel := context.WithTimeout(ctx, db.o.Timeout)
	defer cancel()
	db.counts.queries.Add(1)
	return db.judge(ctx, db.transact(within, a, f))
}

func (db *DB) transact(ctx context.Context, a access, f func(context.Context, pgx.Tx) error) error {
	open, err := db.pool.get()
	if err != nil {
		return err
	}
	tx, err := open.BeginTx(ctx, pgx.TxOptions{BeginQuery: db.begin[a]})
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		// It is the first error that tells what is wrong. A connection whose transaction cannot be
		// ended is closed by the pool.
		_ = tx.Rollback(ctx)
		return err
	}
	return tx.Commit(ctx)
}

// judge returns the error that a caller gets and tells the health of the database about it.
func (db *DB) judge(ctx context.Context, err error) error {
	if err == nil {
		db.health.succeeded()
		return nil
	}
	if ctx.Err() != nil {
		// The caller gave up, which says nothing about the database.
		db.health.unknown()
		return fmt.Errorf("query the database: %w", ctx.Err())
	}
	reason, down := explain(err)
	switch {
	case down:
		// What the pool still has is broken too, or will be by the time the database is back.
		if open := db.pool.begun(); open != nil {
			open.Reset()
		}
		db.counts.failed.Add(1)
		return db.health.failed(&UnavailableError{Reason: reason, Err: err})
	case reason != "":
		db.health.succeeded()
		db.counts.failed.Add(1)
		return &UnavailableError{Reason: reason, Err: err}
	}
	db.health.succeeded()
	if !errors.Is(err, ErrNotFound) {
		db.counts.failed.Add(1)
	}
	return fmt.Errorf("query the database: %w", err)
}

// query returns what scan makes of each row of an answer. Its sql ends where a limit may follow.
func query[T any](ctx context.Context, db *DB, sql string, scan pgx.RowToFunc[T], args ...any) ([]T, error) {
	var found []T
	err := db.run(ctx, reads, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql+" limit "+strconv.Itoa(db.o.Rows+1), args...)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, scan)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(found) > db.o.Rows {
		return nil, fmt.Errorf("%w: more than %d, which database.rows allows", ErrTooManyRows, db.o.Rows)
	}
	return found, nil
}

// ReadSettings opens the database that o names, reads FusionPBX's default settings and closes it. It takes
// at most twice o.Timeout.
func ReadSettings(ctx context.Context, o Options) ([]config.Setting, error) {
	o.Connections = 1
	db := Open(o)
	defer db.Close()
	return db.Settings(ctx)
}
