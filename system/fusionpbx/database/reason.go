package database

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// explain returns why a query that had this error has no answer, in words for whoever asked, and whether the
// next query would fare no better. Without a reason the query itself was wrong.
func explain(err error) (reason string, down bool) {
	if errors.Is(err, ErrNotFound) {
		return "", false
	}
	if _, odd := errors.AsType[pgx.ScanArgError](err); odd {
		return "FusionPBX's database has other values than expected", false
	}
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded) {
			return "FusionPBX's database does not answer in time", true
		}
		return "FusionPBX's database cannot be reached", true
	}
	switch code := server.Code; {
	case code == "57014": // it ran into statement_timeout
		return "FusionPBX's database does not answer in time", true
	case strings.HasPrefix(code, "28"):
		return "FusionPBX's database refuses the user or the password in config.conf", true
	case code == "3D000":
		return "FusionPBX's database does not exist under the name in config.conf", true
	case strings.HasPrefix(code, "53"): // too many connections, no memory, no disk
		return "FusionPBX's database is overloaded", true
	case strings.HasPrefix(code, "57"), strings.HasPrefix(code, "08"):
		return "FusionPBX's database is starting or stopping", true
	case code == "42501":
		return "the user in config.conf may not do this in FusionPBX's database", false
	case code == "25006":
		return "FusionPBX's database takes no changes now", false
	case code == "42P01", code == "42703", code == "42883":
		return "FusionPBX's database has other tables than expected", false
	}
	return "", false
}
