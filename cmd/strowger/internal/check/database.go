package check

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"strowger/cmd/strowger/internal/errno"
	"strowger/config"
	"strowger/system/fusionpbx/database"
)

// about is what the database said.
type about struct {
	database.About
	err  error
	skew time.Duration // how far its clock is ahead of ours; only by more than slack is it
	// slack is how far the answer may have come late.
	slack time.Duration
}

// askDatabase asks for version and time.
func (c *checker) askDatabase() about {
	o := database.Options{Server: c.Config.FusionPBX.Database, Timeout: c.Timeout, Connections: 1}
	db := database.Open(o)
	defer db.Close()
	// Each question has the deadline of o. The first one connects, so that the second is quick.
	if err := db.Check(c.ctx); err != nil {
		return about{err: err}
	}
	before := c.Machine.Now()
	found, err := db.About(c.ctx)
	slack := c.Machine.Now().Sub(before) / 2
	return about{About: found, err: err, skew: found.Now.Sub(before.Add(slack)), slack: slack}
}

// database is about FusionPBX's database and the settings in it.
func (c *checker) database(r *report) {
	if !c.fusionPBX() {
		return
	}
	server := &c.Config.FusionPBX.Database
	file := c.Config.FusionPBX.File
	if !database.Named(server) {
		r.note(Database, "", "%s names no database: extensions, agents and names of conferences are not shown", file)
		return
	}
	found := c.about()
	if found.err != nil {
		r.fail(Database, c.mendDatabase(found.err), "%s of %s: %v", where(server), file, reason(found.err))
	} else {
		r.ok(Database, "%s answers, PostgreSQL %s", where(server), found.Version)
	}
	switch problem := c.Config.SettingsProblem; {
	case problem != nil && found.err != nil: // said already
	case problem != nil:
		r.warn(DatabaseSettings, c.Command, "FusionPBX's default settings could not be read, so that those in use may be others: %v", problem)
	default:
		r.ok(DatabaseSettings, "%d of FusionPBX's default settings are read", len(c.Config.Settings))
	}
}

// where names the database without its password.
func where(s *config.Database) string {
	host := s.Host
	if host == "" {
		host = "the local socket"
	}
	if s.Port > 0 {
		host = net.JoinHostPort(host, strconv.Itoa(s.Port))
	}
	return fmt.Sprintf("database %q at %s, user %q,", s.Name, host, s.Username)
}

// reason returns what an error of the database says, without what the driver wraps around it.
func reason(err error) string {
	unavailable, ok := errors.AsType[*database.UnavailableError](err)
	if !ok || unavailable.Err == nil {
		return err.Error()
	}
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		return unavailable.Reason + ": " + failed.Error()
	}
	lines := strings.Split(strings.TrimSpace(unavailable.Err.Error()), "\n")
	return unavailable.Reason + ": " + strings.TrimSpace(lines[len(lines)-1])
}

// mendDatabase is the command for an error.
func (c *checker) mendDatabase(err error) string {
	s, file := &c.Config.FusionPBX.Database, c.Config.FusionPBX.File
	port := s.Port
	if port == 0 {
		port = 5432
	}
	psql := fmt.Sprintf("psql -h %s -p %d -U %s %s", s.Host, port, s.Username, s.Name)
	if unavailable, ok := errors.AsType[*database.UnavailableError](err); ok && unavailable.Permanent {
		return "${EDITOR:-vi} " + file
	}
	switch {
	case errors.Is(err, errno.Refused), errors.Is(err, syscall.ENOENT):
		return "systemctl start postgresql, or correct database.0.host and database.0.port in " + file
	case late(err):
		return "systemctl status postgresql; is a firewall in between? --timeout waits longer"
	}
	return fmt.Sprintf("correct database.0.* in %s; this must work with the same values: %s", file, psql)
}
