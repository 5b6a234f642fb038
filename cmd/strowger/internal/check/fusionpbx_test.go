package check

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"strowger/config"
	"strowger/system/fusionpbx/database/databasetest"
	"strowger/system/fusionpbx/switchsim"
)

func TestDatabase(t *testing.T) {
	cluster := databasetest.Start(t)
	b := newBench(t, alone(t), conf)
	b.o.Config.FusionPBX.Database = cluster.Database()
	f := b.check()
	f.want(Database, OK, "PostgreSQL", "user \"fusionpbx\"")
	f.want(DatabaseSettings, OK)
	f.want(ClockSkew, OK)
	b.o.Machine.Now = func() time.Time { return time.Now().Add(time.Hour) }
	b.check().want(ClockSkew, Warning, "away from", "timedatectl")
	b.o.Config.FusionPBX.Database.Password = "wrong secret"
	f = b.check()
	f.want(Database, Error, "refuses the user or the password", "psql -h")
	f.want(ClockSkew, Note, "does not answer")
	if text := f.String(); strings.Contains(text, "secret") || strings.Contains(text, databasetest.Password) {
		t.Errorf("a password shows:\n%s", text)
	}
	cluster.Stop()
	b.check().want(Database, Error, "cannot be reached", "systemctl start postgresql")
}

func TestNoDatabase(t *testing.T) {
	b := newBench(t, alone(t), conf)
	b.check().want(Database, Note, "names no database")
	b.o.Config.FusionPBX.Database.Type = "sqlite"
	b.check().want(Database, Error, "SQLite")
	host, port := hostOf(t, freeAddress(t))
	b.o.Config.FusionPBX.Database = config.Database{Type: "pgsql", Host: host, Port: port, Name: "x", Username: "y"}
	b.check().want(Database, Error, "cannot be reached")
}

// TestSilentServers has a database and a switch that accept and say nothing.
func TestSilentServers(t *testing.T) {
	b := newBench(t, alone(t), conf)
	b.o.Timeout = 50e6
	host, port := hostOf(t, listen(t).Addr().String())
	b.o.Config.FusionPBX.Database = config.Database{Type: "pgsql", Host: host, Port: port, Name: "x", Username: "y"}
	at := &b.o.Config.FusionPBX.EventSocket
	at.Host, at.Port = hostOf(t, listen(t).Addr().String())
	f := b.check()
	f.want(Database, Error, "in time", "--timeout")
	f.want(EventSocket, Error, "--timeout")
}

func hostOf(t *testing.T, address string) (host string, port int) {
	t.Helper()
	host, text, _ := net.SplitHostPort(address)
	if _, err := fmt.Sscan(text, &port); err != nil {
		t.Fatal(err)
	}
	return host, port
}

func TestEventSocket(t *testing.T) {
	sim, err := switchsim.Start(&switchsim.Recording{}, switchsim.Options{Password: "open sesame"})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	b := newBench(t, alone(t), conf)
	at := &b.o.Config.FusionPBX.EventSocket
	at.Host, at.Port = hostOf(t, sim.Addr())
	at.Password = "open sesame"
	b.check().want(EventSocket, OK, "status: Simulator", "version: Simulator")
	at.Password = "wrong secret"
	f := b.check()
	f.want(EventSocket, Error, "refused the password", "event_socket.conf.xml")
	if strings.Contains(f.String(), "secret") {
		t.Errorf("a password shows:\n%s", f)
	}
	at.Host, at.Port = hostOf(t, freeAddress(t))
	b.check().want(EventSocket, Error, "connection refused", "systemctl start freeswitch")
	s := &b.o.Config.Services
	s.ActiveCalls, s.ActiveConferences, s.OperatorPanel = "php", "php", "php"
	b.check().want(EventSocket, Note, "no service")
}
