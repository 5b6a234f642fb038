package database

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// About is what the database says of itself.
type About struct {
	Version string    // of the server, such as 15.4
	Now     time.Time // by the clock of the server, when it answered
}

// About asks the database for its version and its time.
func (db *DB) About(ctx context.Context) (About, error) {
	var about About
	err := db.run(ctx, reads, func(ctx context.Context, tx pgx.Tx) error {
		// now() would be when the transaction began.
		return tx.QueryRow(ctx, "select current_setting('server_version'), clock_timestamp()").Scan(&about.Version, &about.Now)
	})
	return about, err
}
