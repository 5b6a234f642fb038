package check

import "testing"

const conf = "document.root = /var/www/fusionpbx\n"

// show is what systemctl prints of a unit.
func show(name, enabled, active, more string) string {
	return "Id=" + name + ".service\nLoadState=loaded\nUnitFileState=" + enabled + "\nActiveState=" + active + "\n" + more + "\n\n"
}

const ourExec = "ExecStart={ path=/usr/local/bin/strowger ; argv[]=strowger-websockets serve --fusionpbx }\nUser=root\nLimitNOFILE=65536\nPrivateTmp=no"

func TestUnits(t *testing.T) {
	b := newBench(t, alone(t), conf)
	b.withSystemd(show("websockets", "enabled", "active", ourExec) + show("active_calls", "enabled", "active", "") +
		show("active_conferences", "enabled", "inactive", "") + show("operator_panel", "disabled", "inactive", "") +
		"Id=system_status.service\nLoadState=not-found\n")
	f := b.check()
	f.want(UnitRouter, OK)
	f.want(UnitPHP, Warning, "active_calls runs in PHP", "systemctl disable --now active_calls", "services.active_calls: php")
	f.want(UnitPHP, Warning, "active_conferences starts in PHP")
	f.want(UnitPHP, OK, "operator_panel")
	f.want(UnitPHP, OK, "no unit system_status")
	f.want(Descriptors, OK, "65536", "LimitNOFILE")

	b.write("etc/systemd/system/active_conferences.service.d/strowger.conf", "[Unit]\nConditionPathExists=!/usr/local/bin/strowger\n")
	b.check().want(UnitPHP, OK, "active_conferences")
}

func TestRouterUnit(t *testing.T) {
	for name, test := range map[string]struct {
		unit  string
		state State
		mend  string
	}{
		"PHP":           {show("websockets", "enabled", "active", "ExecStart={ path=/usr/bin/php }"), Warning, "sh deploy/fusionpbx over"},
		"failed":        {show("websockets", "enabled", "failed", ourExec), Error, "journalctl -u websockets"},
		"does not run":  {show("websockets", "enabled", "inactive", ourExec), Error, "systemctl start websockets"},
		"not at boot":   {show("websockets", "disabled", "active", ourExec), Warning, "systemctl enable websockets"},
		"not there":     {"Id=websockets.service\nLoadState=not-found\n", Note, "install -m 0644"},
		"its own /tmp":  {show("websockets", "enabled", "active", ourExec+"\nPrivateTmp=yes"), Warning, "PrivateTmp=no"},
		"does not tell": {"", Note, "sudo strowger check"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, alone(t), conf)
			b.withSystemd(test.unit)
			b.check().want(UnitRouter, test.state, test.mend)
		})
	}
	f := newBench(t, alone(t), conf).check()
	f.want(UnitRouter, Note, "systemd does not run here")
	f.without(UnitPHP)
}
