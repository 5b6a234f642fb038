package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/cmd/strowger/internal/dropin"
	"strowger/config"
)

const conf = "document.root = /var/www/fusionpbx\n"

// show is what systemctl prints of a unit.
func show(name, enabled, active, more string) string {
	return "Id=" + name + ".service\nLoadState=loaded\nUnitFileState=" + enabled + "\nActiveState=" + active + "\n" + more + "\n\n"
}

const ourExec = "ExecStart={ path=/usr/local/bin/strowger ; argv[]=strowger-websockets serve --fusionpbx }\nUser=root\nLimitNOFILE=65536\nPrivateTmp=no"

// stands is what systemctl prints of a unit that says why it starts no PHP.
const stands = "ExecStart={ path=/bin/echo ; argv[]=/bin/echo why }"

// over writes the drop-ins as strowger fusionpbx install does.
func (b *bench) over(o dropin.Options) {
	b.t.Helper()
	b.write("etc/systemd/system/websockets.service", "")
	o.Program = "/usr/local/bin/strowger"
	h := dropin.Host{
		Root: b.root, Run: b.run, Say: func(string, ...any) {},
		Settings: func([]string, []string) (*config.Config, error) { return b.o.Config, nil },
	}
	if err := h.Install(b.t.Context(), o); err != nil {
		b.t.Fatal(err)
	}
}

func TestUnits(t *testing.T) {
	b := newBench(t, alone(t), conf)
	b.withSystemd(show("websockets", "enabled", "active", ourExec) + show("active_calls", "enabled", "active", "") +
		show("active_conferences", "enabled", "inactive", "") + show("operator_panel", "disabled", "inactive", "") +
		"Id=system_status.service\nLoadState=not-found\n")
	f := b.check()
	f.want(UnitRouter, Warning, "has no drop-in of strowger", "strowger fusionpbx install")
	f.want(UnitPHP, Warning, "active_calls runs in PHP", "strowger fusionpbx install", "services.active_calls: php")
	f.want(UnitPHP, Warning, "active_conferences starts in PHP", "strowger fusionpbx install")
	f.want(UnitPHP, Note, "operator_panel", "an upgrade of FusionPBX starts it")
	f.want(UnitPHP, OK, "no unit system_status")
	f.want(Descriptors, OK, "65536", "LimitNOFILE")

	b.write("etc/systemd/system/active_conferences.service.d/strowger.conf", "[Unit]\nConditionPathExists=!/usr/local/bin/strowger\n")
	b.check().want(UnitPHP, OK, "active_conferences")
}

func TestDropIns(t *testing.T) {
	b := newBench(t, alone(t), conf)
	b.over(dropin.Options{})
	b.withSystemd(show("websockets", "enabled", "active", ourExec) + show("active_calls", "enabled", "inactive", stands) +
		show("active_conferences", "enabled", "active", stands) + show("operator_panel", "enabled", "inactive", "ExecStart={ path=/usr/bin/php }") +
		show("system_status", "enabled", "inactive", stands+"\nNeedDaemonReload=yes"))
	f := b.check()
	f.want(UnitRouter, OK, "stays so after an upgrade of FusionPBX")
	f.want(UnitPHP, OK, "active_calls starts no PHP")
	f.want(UnitPHP, Warning, "active_conferences runs in PHP", "systemctl restart active_conferences")
	f.want(UnitPHP, Warning, "operator_panel has strowger's drop-in, but another one", "systemctl cat operator_panel")
	f.want(UnitPHP, Warning, "system_status have changed", "systemctl daemon-reload")

	b.o.Config.Services.ActiveCalls = "php"
	b.edit("active_conferences", "Restart=no", "Restart=on-failure")
	b.edit("websockets", "RestartSec=1", "RestartSec=2")
	b.remove("operator_panel")
	b.systemd = show("websockets", "enabled", "active", ourExec) + show("active_conferences", "enabled", "inactive", stands) + show("operator_panel", "enabled", "inactive", "")
	f = b.check()
	f.want(UnitRouter, Warning, "another version", "strowger fusionpbx update")
	f.want(UnitPHP, Warning, "nobody serves active.calls", "strowger fusionpbx update")
	f.want(UnitPHP, Warning, "another version", "active_conferences", "strowger fusionpbx update")
	f.want(UnitPHP, Warning, "operator_panel starts in PHP at boot", "strowger fusionpbx update")
}

// dropIn returns where the drop-in of a unit is.
func (b *bench) dropIn(unit string) string {
	return filepath.Join(b.root, "etc/systemd/system/"+unit+".service.d/50-strowger.conf")
}

// edit changes the drop-in of a unit.
func (b *bench) edit(unit, old, text string) {
	b.t.Helper()
	data, err := os.ReadFile(b.dropIn(unit))
	if err != nil || !strings.Contains(string(data), old) {
		b.t.Fatalf("%s is not in the drop-in of %s, %v", old, unit, err)
	}
	b.write("etc/systemd/system/"+unit+".service.d/50-strowger.conf", strings.Replace(string(data), old, text, 1))
}

func (b *bench) remove(unit string) {
	b.t.Helper()
	if err := os.Remove(b.dropIn(unit)); err != nil {
		b.t.Fatal(err)
	}
}

func TestRouterUnit(t *testing.T) {
	for name, test := range map[string]struct {
		unit  string
		state State
		mend  string
	}{
		"PHP":           {show("websockets", "enabled", "active", "ExecStart={ path=/usr/bin/php }"), Warning, "strowger fusionpbx install"},
		"failed":        {show("websockets", "enabled", "failed", ourExec), Error, "journalctl -u websockets"},
		"does not run":  {show("websockets", "enabled", "inactive", ourExec), Error, "systemctl start websockets"},
		"not at boot":   {show("websockets", "disabled", "active", ourExec), Warning, "systemctl enable websockets"},
		"not there":     {"Id=websockets.service\nLoadState=not-found\n", Note, "upgrade.php --services && strowger fusionpbx install"},
		"its own /tmp":  {show("websockets", "enabled", "active", ourExec+"\nPrivateTmp=yes"), Warning, "PrivateTmp=no"},
		"old files":     {show("websockets", "enabled", "active", ourExec+"\nNeedDaemonReload=yes"), Warning, "systemctl daemon-reload"},
		"does not tell": {"", Note, "sudo strowger check"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, alone(t), conf)
			b.withSystemd(test.unit)
			b.check().want(UnitRouter, test.state, test.mend)
		})
	}
	b := newBench(t, alone(t), conf)
	b.over(dropin.Options{})
	b.withSystemd(show("websockets", "enabled", "active", "ExecStart={ path=/usr/bin/php }"))
	b.check().want(UnitRouter, Warning, "another one has it start something else", "systemctl cat websockets")
	f := newBench(t, alone(t), conf).check()
	f.want(UnitRouter, Note, "systemd does not run here")
	f.without(UnitPHP)
}
