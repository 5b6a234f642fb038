package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/config"
	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/database/databasetest"
)

// TestFusionPBXDatabase has the daemon read its settings from a real database, which is changed, stopped and
// started meanwhile.
func TestFusionPBXDatabase(t *testing.T) {
	cluster := databasetest.Start(t)
	server := cluster.Database()
	conf := filepath.Join(t.TempDir(), "config.conf")
	writeFile(t, conf, fmt.Sprintf("database.0.type = pgsql\ndatabase.0.host = %q\ndatabase.0.port = %d\ndatabase.0.name = %s\ndatabase.0.username = %s\ndatabase.0.password = \"%s\"\n",
		server.Host, server.Port, server.Name, server.Username, databasetest.Password))
	setting := func(category, name, value string) {
		t.Helper()
		cluster.Exec(server.Name, fmt.Sprintf("delete from v_default_settings where default_setting_category = '%[1]s' and default_setting_subcategory = '%[2]s'; insert into v_default_settings values (gen_random_uuid(), '%[1]s', '%[2]s', 'text', '%[3]s', null, true)", category, name, value))
	}
	serve := func() *running {
		return begin(t, func(p *program) {
			newFakeRouter().install(p)
			p.environ = []string{"STROWGER_DATABASE__TIMEOUT=1m"}
			p.newSite = func() *site { return &site{read: database.ReadSettings, every: 10 * time.Millisecond} }
		}, "serve", "--fusionpbx="+conf, "--token-dir", t.TempDir())
	}
	stop := func(r *running) {
		t.Helper()
		r.signals.send(t, syscall.SIGTERM)
		r.wait(0)
		if strings.Contains(r.stderr.String(), databasetest.Password) {
			t.Errorf("the log shows the password: %s", r.stderr)
		}
	}

	setting("websocket_server", "bind_ip_address", "192.0.2.1")
	setting("system", "cpu_status_refresh_interval", "5")
	out := succeed(t, "config", "show", "--fusionpbx="+conf)
	for _, want := range []string{
		`  address: "192.0.2.1:8080"  # v_default_settings websocket_server/bind_ip_address` + "\n",
		"  cpu_interval: 5s  # v_default_settings system/cpu_status_refresh_interval\n",
		"#   operator_panel/agent_stats_interval = 10\n", "#   database.0.password = [redacted]\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("config show prints no %q in:\n%s", want, out)
		}
	}

	r := serve()
	r.stderr.line(t, `"msg":"listening"`)
	setting("system", "cpu_status_refresh_interval", "7")
	r.signals.send(t, syscall.SIGHUP)
	r.stderr.line(t, `"msg":"setting changed, takes effect after a restart"`, `"key":"dashboard.cpu_interval","old":"5s","new":"7s"`)
	r.stderr.line(t, `"msg":"settings reloaded","changes":1`)
	cluster.Stop()
	r.signals.send(t, syscall.SIGHUP)
	r.stderr.line(t, `"msg":"FusionPBX's default settings cannot be read`, "cannot be reached")
	r.stderr.line(t, `"msg":"settings reloaded","changes":0`) // those of the last time hold
	stop(r)

	r = serve()
	r.stderr.line(t, `"msg":"FusionPBX's default settings cannot be read`)
	r.stderr.line(t, `"msg":"listening"`)
	cluster.Start()
	r.stderr.line(t, `"msg":"FusionPBX's database answers`)
	r.stderr.line(t, `"key":"dashboard.cpu_interval","old":"3s","new":"7s"`)
	r.stderr.line(t, `"key":"listen.address","old":"\"127.0.0.1:8080\"","new":"\"192.0.2.1:8080\""`)
	stop(r)
}

func TestUnsupportedDatabase(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "config.conf")
	writeFile(t, conf, "database.0.type = sqlite\ndatabase.0.path = /var/lib/fusionpbx\ndatabase.0.name = fusionpbx.db\nwebsocket.port = 81\n")
	r := begin(t, func(p *program) { newFakeRouter().install(p) }, "serve", "--fusionpbx="+conf, "--token-dir", t.TempDir())
	r.stderr.line(t, `"level":"WARN"`, "SQLite, which is not supported")
	r.stderr.line(t, `"msg":"listening"`)
	r.signals.send(t, syscall.SIGTERM)
	r.wait(0)
	if out := succeed(t, "config", "show", "--fusionpbx="+conf); !strings.Contains(out, "# v_default_settings: FusionPBX's database is SQLite, which is not supported\n") ||
		!strings.Contains(out, `"127.0.0.1:81"`) {
		t.Errorf("config show prints %s", out)
	}
}

// What is missing for good is not asked for again, what may come is.
func TestSiteAsksAgain(t *testing.T) {
	answer := struct {
		list []config.Setting
		err  error
	}{}
	s := &site{every: time.Hour, read: func(context.Context, database.Options) ([]config.Setting, error) { return answer.list, answer.err }}
	cfg := config.Default()
	check := func(step string, settings int, problem, late bool) {
		t.Helper()
		list, err := s.settings(cfg)
		if len(list) != settings || (err != nil) != problem || (s.late() != nil) != late {
			t.Errorf("%s: %d settings, error %v, asks again %v", step, len(list), err, s.late() != nil)
		}
	}
	away := &database.UnavailableError{Reason: "away"}
	answer.err = away
	check("no database", 0, false, false)
	cfg.FusionPBX.Database.Name = "one"
	check("away", 0, true, true)
	if s.arrived() {
		t.Error("arrived, and the database is away")
	}
	answer.list, answer.err = make([]config.Setting, 2), nil
	if !s.arrived() || s.late() != nil {
		t.Error("not arrived, and the database is there")
	}
	check("there", 2, false, false)
	answer.err = away
	check("away again", 2, true, true)
	cfg.FusionPBX.Database.Name = "two"
	check("another one is away", 0, true, true)
	answer.err = &database.UnavailableError{Reason: "never", Permanent: true}
	check("not supported", 0, true, false)
	answer.err = errors.New("odd")
	check("odd error", 0, true, true)
	if (*site)(nil).late() != nil {
		t.Error("nobody asks again")
	}
}
