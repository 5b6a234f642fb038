package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"strowger/config/policy"
)

// unit is what systemd knows of one.
type unit map[string]string

// there tells whether the unit is installed.
func (u unit) there() bool { return u["LoadState"] != "" && u["LoadState"] != "not-found" }

// ours tells whether the unit starts strowger.
func (u unit) ours() bool { return strings.Contains(u["ExecStart"], "strowger") }

// active tells whether the unit runs.
func (u unit) active() bool {
	return u["ActiveState"] == "active" || u["ActiveState"] == "activating" || u["ActiveState"] == "reloading"
}

// units is what systemd said.
type units struct {
	absent bool // systemd does not run
	err    error
	router unit
	php    map[string]unit // by name
}

// served returns the units of FusionPBX whose services run inside, with the setting that decides.
func (c *checker) served() [][2]string {
	s := &c.Config.Services
	var served [][2]string
	add := func(is bool, service, setting string) {
		if is {
			served = append(served, [2]string{policy.BuiltinUnit(service), setting})
		}
	}
	add(s.ActiveCalls == inside, policy.ActiveCalls, "services.active_calls: php")
	add(s.ActiveConferences == inside, policy.ActiveConferences, "services.active_conferences: php")
	add(s.OperatorPanel == inside, policy.OperatorPanel, "services.operator_panel: php")
	add(c.Config.Dashboard.Enabled, policy.SystemDashboard, "dashboard.enabled: false")
	return served
}

// askUnits asks systemd for the units, all of them at once.
func (c *checker) askUnits() units {
	if _, err := os.Stat(c.Machine.path("/run/systemd/system")); err != nil {
		return units{absent: true}
	}
	const properties = "Id,LoadState,UnitFileState,ActiveState,ExecStart,User,LimitNOFILE,PrivateTmp,FragmentPath"
	args := []string{"show", "--property=" + properties, "websockets.service"}
	for _, served := range c.served() {
		args = append(args, served[0]+".service")
	}
	ctx, cancel := c.deadline()
	defer cancel()
	out, err := c.Machine.Run(ctx, "systemctl", args...)
	u := units{err: err, php: map[string]unit{}}
	if ctx.Err() != nil {
		u.err = fmt.Errorf("no answer within %v", c.Timeout)
	}
	for block := range strings.SplitSeq(out, "\n\n") {
		one := unit{}
		for line := range strings.Lines(block) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			one[key] = value
		}
		if name := strings.TrimSuffix(one["Id"], ".service"); name == "websockets" {
			u.router = one
		} else if name != "" {
			u.php[name] = one
		}
	}
	return u
}

// routerUnit is about the unit that starts the router.
func (c *checker) routerUnit(r *report) {
	if !c.fusionPBX() {
		return
	}
	u := c.units()
	switch router := u.router; {
	case u.absent:
		r.note(UnitRouter, "", "systemd does not run here: nobody says which of FusionPBX's PHP services still start or run")
	case u.err != nil:
		r.note(UnitRouter, c.asRoot(), "systemctl does not answer: %v", u.err)
	case !router.there():
		r.note(UnitRouter, "install -m 0644 deploy/strowger.service /etc/systemd/system/websockets.service && systemctl daemon-reload && systemctl enable --now websockets", "there is no unit websockets: nothing starts the router at boot")
	case !router.ours():
		r.warn(UnitRouter, "sh deploy/fusionpbx over", "the unit websockets (%s) starts FusionPBX's PHP router, not strowger", router["FragmentPath"])
	case router["ActiveState"] == "failed":
		r.fail(UnitRouter, "journalctl -u websockets -n 20 -o cat; systemctl restart websockets", "the unit websockets has failed")
	case !router.active():
		r.fail(UnitRouter, "systemctl start websockets", "the unit websockets starts strowger, but does not run")
	case router["UnitFileState"] != "enabled":
		r.warn(UnitRouter, "systemctl enable websockets", "the unit websockets runs strowger, but does not start at boot (%s)", router["UnitFileState"])
	case router["PrivateTmp"] == "yes":
		r.warn(UnitRouter, "systemctl edit websockets # [Service] PrivateTmp=no, then: systemctl restart websockets", "the unit websockets has PrivateTmp=yes: tokens that PHP writes to /tmp are not seen")
	default:
		r.ok(UnitRouter, "the unit websockets runs strowger, and starts at boot")
	}
}

// phpUnits is about the units of services that run inside.
func (c *checker) phpUnits(r *report) {
	u := c.units()
	if !c.fusionPBX() || u.absent || u.err != nil {
		return // routerUnit tells why
	}
	for _, served := range c.served() {
		name, setting := served[0], served[1]
		one := u.php[name]
		starts := strings.HasPrefix(one["UnitFileState"], "enabled")
		if starts && c.conditioned(name) {
			starts = false
		}
		stop := "systemctl disable --now " + name
		switch {
		case !one.there():
			r.ok(UnitPHP, "there is no unit %s", name)
		case one.active():
			r.warn(UnitPHP, stop, "the unit %s runs in PHP, but strowger serves it: it gets no work (or leave it to PHP: %s)", name, setting)
		case starts:
			r.warn(UnitPHP, stop, "the unit %s starts in PHP at boot, but strowger serves it (or leave it to PHP: %s)", name, setting)
		default:
			r.ok(UnitPHP, "the unit %s neither runs nor starts at boot: strowger serves it", name)
		}
	}
}

// conditioned tells whether the drop-in of docs/deploy.md keeps a unit from starting.
func (c *checker) conditioned(name string) bool {
	found, _ := filepath.Glob(c.Machine.path("/etc/systemd/system/" + name + ".service.d/*.conf"))
	for _, file := range found {
		if data, err := os.ReadFile(file); err == nil && strings.Contains(string(data), "ConditionPathExists=!") && strings.Contains(string(data), "strowger") {
			return true
		}
	}
	return false
}

// routerUser returns the user as whom the router runs, or would, and how that is known.
func (c *checker) routerUser() (uid int, known string) {
	if h := c.listen(); h.taken && (c.pages().ours || len(h.processes) > 0 && h.processes[0].strowger()) {
		return h.uid, "the router runs as that user"
	}
	if u := c.units().router; u.ours() && u["User"] != "" {
		if uid, err := userID(u["User"]); err == nil {
			return uid, "the unit websockets names that user"
		}
	}
	return c.Machine.UID, "that user asks; no router runs, and no unit names another"
}
