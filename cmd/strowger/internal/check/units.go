package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"strowger/cmd/strowger/internal/dropin"
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

// askUnits asks systemd for the units, all of them at once.
func (c *checker) askUnits() units {
	if _, err := os.Stat(c.Machine.path("/run/systemd/system")); err != nil {
		return units{absent: true}
	}
	const properties = "Id,LoadState,UnitFileState,ActiveState,ExecStart,User,LimitNOFILE,PrivateTmp,FragmentPath,NeedDaemonReload"
	args := []string{"show", "--property=" + properties, "websockets.service"}
	for _, s := range dropin.Services(c.Config) {
		args = append(args, s.Unit+".service")
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

// The commands that mend units.
const (
	goOver = "strowger fusionpbx install"
	renew  = "strowger fusionpbx update"
	reread = "systemctl daemon-reload"
)

// routerUnit is about the unit that starts the router.
func (c *checker) routerUnit(r *report) {
	if !c.fusionPBX() {
		return
	}
	u := c.units()
	state := dropin.LookRouter(c.Machine.Root)
	switch router := u.router; {
	case u.absent:
		r.note(UnitRouter, "", "systemd does not run here: nobody says which of FusionPBX's PHP services still start or run")
	case u.err != nil:
		r.note(UnitRouter, c.asRoot(), "systemctl does not answer: %v", u.err)
	case !router.there():
		r.note(UnitRouter, "php /var/www/fusionpbx/core/upgrade/upgrade.php --services && "+goOver, "there is no unit websockets: nothing starts the router at boot")
	case router["NeedDaemonReload"] == "yes":
		r.warn(UnitRouter, reread+" && systemctl restart websockets", "the files of the unit websockets have changed since systemd read them")
	case !router.ours() && state != dropin.Absent:
		r.warn(UnitRouter, "systemctl cat websockets # remove ExecStart= from the drop-in that follows 50-strowger.conf, then: "+goOver, "the unit websockets has strowger's drop-in, but another one has it start something else")
	case !router.ours():
		r.warn(UnitRouter, goOver, "the unit websockets (%s) starts FusionPBX's PHP router, not strowger", router["FragmentPath"])
	case router["ActiveState"] == "failed":
		r.fail(UnitRouter, "journalctl -u websockets -n 20 -o cat; systemctl restart websockets", "the unit websockets has failed")
	case !router.active():
		r.fail(UnitRouter, "systemctl start websockets", "the unit websockets starts strowger, but does not run")
	case router["UnitFileState"] != "enabled":
		r.warn(UnitRouter, "systemctl enable websockets", "the unit websockets runs strowger, but does not start at boot (%s)", router["UnitFileState"])
	case router["PrivateTmp"] == "yes":
		r.warn(UnitRouter, "systemctl edit websockets # [Service] PrivateTmp=no, then: systemctl restart websockets", "the unit websockets has PrivateTmp=yes: tokens that PHP writes to /tmp are not seen")
	case state == dropin.Absent:
		r.warn(UnitRouter, goOver, "the unit websockets runs strowger, but has no drop-in of strowger: FusionPBX's upgrade writes over %s", router["FragmentPath"])
	case state == dropin.Other:
		r.warn(UnitRouter, renew, "another version of strowger has written the drop-in of the unit websockets, or somebody has changed it (changes belong into another one: systemctl edit websockets)")
	default:
		r.ok(UnitRouter, "the unit websockets runs strowger, starts at boot, and stays so after an upgrade of FusionPBX")
	}
}

// phpUnits is about the units of services that strowger can serve itself.
func (c *checker) phpUnits(r *report) {
	u := c.units()
	if !c.fusionPBX() || u.absent || u.err != nil {
		return // routerUnit tells why
	}
	mend := renew
	if dropin.LookRouter(c.Machine.Root) == dropin.Absent {
		mend = goOver
	}
	for _, s := range dropin.Services(c.Config) {
		if s.Served {
			c.servedUnit(r, s, u.php[s.Unit], mend)
		} else if s.Look(c.Machine.Root) != dropin.Absent {
			r.warn(UnitPHP, mend, "nobody serves %s: it is left to PHP (%s), but the drop-in of the unit %s keeps PHP from starting", s.Name, s.Setting, s.Unit)
		}
	}
}

// servedUnit is about the unit of a service that strowger serves.
func (c *checker) servedUnit(r *report, s dropin.Service, one unit, mend string) {
	state := s.Look(c.Machine.Root)
	starts := strings.HasPrefix(one["UnitFileState"], "enabled")
	switch {
	case one.active():
		if state == dropin.Current {
			mend = "systemctl restart " + s.Unit
		}
		r.warn(UnitPHP, mend, "the unit %s runs in PHP, but strowger serves it: it gets no work (or leave it to PHP: %s)", s.Unit, s.Setting)
	case state == dropin.Other:
		r.warn(UnitPHP, mend, "another version of strowger has written the drop-in of the unit %s, or somebody has changed it", s.Unit)
	case !one.there():
		r.ok(UnitPHP, "there is no unit %s", s.Unit)
	case state == dropin.Absent && c.conditioned(s.Unit):
		r.ok(UnitPHP, "a condition keeps the unit %s from starting: strowger serves it", s.Unit)
	case state == dropin.Absent && starts:
		r.warn(UnitPHP, mend, "the unit %s starts in PHP at boot, but strowger serves it (or leave it to PHP: %s)", s.Unit, s.Setting)
	case state == dropin.Absent:
		r.note(UnitPHP, mend, "the unit %s neither runs nor starts at boot, but an upgrade of FusionPBX starts it; strowger serves it", s.Unit)
	case one["NeedDaemonReload"] == "yes":
		r.warn(UnitPHP, reread, "the files of the unit %s have changed since systemd read them", s.Unit)
	case !dropin.StandIn(one["ExecStart"]):
		r.warn(UnitPHP, "systemctl cat "+s.Unit+" # remove ExecStart= from the drop-in that follows 50-strowger.conf, then: "+reread, "the unit %s has strowger's drop-in, but another one has it start PHP; strowger serves it", s.Unit)
	default:
		r.ok(UnitPHP, "the unit %s starts no PHP: strowger serves it", s.Unit)
	}
}

// conditioned tells whether a condition keeps a unit from starting, as those that earlier versions wrote.
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
