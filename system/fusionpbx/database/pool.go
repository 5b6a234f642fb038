package database

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
)

var errClosed = errors.New("the database was closed")

// pool has the connections. The library's pool, which has goroutines of its own, begins with the first query, so
// that a DB nobody asks costs nothing.
type pool struct {
	cfg *pgxpool.Config

	mu     sync.Mutex    // Protects following.
	pool   *pgxpool.Pool // nil: nobody has asked
	closed bool
}

// begun returns the library's pool, nil if nobody has asked.
func (p *pool) begun() *pgxpool.Pool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pool
}

// get returns the library's pool for a query.
func (p *pool) get() (*pgxpool.Pool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if p.pool != nil {
		return p.pool, nil
	}
	var err error
	// It does not connect.
	p.pool, err = pgxpool.NewWithConfig(context.Background(), p.cfg)
	return p.pool, err
}

// close lets nobody ask any more, and returns what is to be closed, nil for nothing.
func (p *pool) close() *pgxpool.Pool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return p.pool
}
