package database

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"strowger/config"
)

// sslModes are those that PostgreSQL's own client library has.
const sslModes = "disable, allow, prefer, require, verify-ca, verify-full"

// Named reports whether config.conf names a database at all.
func Named(s *config.Database) bool { return s.Type != "" || s.Host != "" || s.Name != "" }

// check returns why the database that config.conf names can never be used, nil if it can.
func check(s *config.Database) *UnavailableError {
	kind := strings.ToLower(s.Type)
	switch {
	case !Named(s):
		return &UnavailableError{Permanent: true, Reason: "FusionPBX's config.conf names no database"}
	case strings.HasPrefix(kind, "sqlite"):
		return &UnavailableError{Permanent: true, Reason: "FusionPBX's database is SQLite, which is not supported"}
	case !slices.Contains([]string{"", "pgsql", "postgres", "postgresql"}, kind):
		return &UnavailableError{Permanent: true, Reason: "FusionPBX's database is not PostgreSQL, and no other is supported",
			Err: errors.New("database.0.type is " + strconv.Quote(s.Type))}
	case s.SSLMode != "" && !slices.Contains(strings.Split(sslModes, ", "), s.SSLMode):
		return &UnavailableError{Permanent: true, Reason: "database.0.sslmode in FusionPBX's config.conf is not one of " + sslModes}
	}
	return nil
}

// poolConfig returns how to reach the database. What config.conf leaves out is as with PHP: PostgreSQL's
// client library looks at the environment, and without a host there it takes the local socket.
func poolConfig(o *Options) (*pgxpool.Config, error) {
	s := &o.Server
	port := ""
	if s.Port > 0 {
		port = strconv.Itoa(s.Port)
	}
	mode := s.SSLMode
	if mode == "" {
		mode = "prefer" // FusionPBX's default
	}
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`) // for what stands between single quotes
	var text strings.Builder
	for _, setting := range [][2]string{
		{"host", s.Host}, {"port", port}, {"database", s.Name}, {"user", s.Username},
		{"sslmode", mode}, {"application_name", "strowger"},
	} {
		if setting[1] != "" {
			text.WriteString(setting[0] + "='" + escape.Replace(setting[1]) + "' ")
		}
	}
	cfg, err := pgxpool.ParseConfig(text.String())
	if err != nil {
		return nil, err
	}
	if s.Password != "" {
		// It is not in the text, because errors about the text quote it.
		cfg.ConnConfig.Password = string(s.Password)
	}
	cfg.ConnConfig.ConnectTimeout = o.Timeout
	// Prepared statements do not work through a pooler that shares connections between transactions.
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.ConnConfig.StatementCacheCapacity = 0
	cfg.ConnConfig.DescriptionCacheCapacity = 0
	cfg.MaxConns = int32(o.Connections)
	cfg.MinConns = 0
	return cfg, nil
}

// shown returns where the database is, for the log.
func shown(s *config.Database) string {
	host := s.Host
	if host == "" {
		host = "local socket"
	}
	if s.Port > 0 {
		host += " port " + strconv.Itoa(s.Port)
	}
	return host
}
