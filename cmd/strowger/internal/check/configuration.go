package check

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"strowger/config"
)

// configuration tells where each value comes from that is no default.
func (c *checker) configuration(r *report) {
	chosen := c.Config.Chosen()
	for _, value := range chosen {
		r.ok(ConfigValue, "%s is %s, from %s", value.Key, value.Text, value.Origin)
	}
	if len(chosen) == 0 {
		r.ok(ConfigDefault, "every setting has its default: no file, no variable and no flag sets one")
	}
	for _, w := range c.Config.Warnings {
		r.warn(ConfigUnused, mendSource(w), "%s: the default is used instead", w)
	}
	if !c.fusionPBX() && config.FindFusionPBX(c.Machine.path("/etc/fusionpbx/config.conf"), c.Machine.path("/usr/local/etc/fusionpbx/config.conf")) != "" {
		r.note(ConfigDefault, c.Command+" --fusionpbx", "FusionPBX is on this machine, but its settings are not looked at without --fusionpbx")
	}
}

// Problems returns a finding for each thing that is wrong with a configuration that could not be loaded.
func Problems(err error, problems []error, command string) []Finding {
	var r report
	for _, problem := range problems {
		var e *config.Error
		switch {
		case errors.As(problem, &e) && strings.Contains(e.Msg, fs.ErrPermission.Error()):
			r.fail(ConfigProblem, "sudo "+command, "%s", e)
		case errors.As(problem, &e):
			r.fail(ConfigProblem, mendSource(e), "%s", e)
		default:
			r.fail(ConfigProblem, "", "%s", problem)
		}
	}
	if len(r) == 0 {
		r.fail(ConfigProblem, "", "%s", err)
	}
	r.note(ConfigProblem, command, "nothing else was looked at, because it depends on the configuration: mend that first, then check again")
	return r
}

// mendSource says where a wrong value is to be changed.
func mendSource(e *config.Error) string {
	switch {
	case e.Line > 0:
		return fmt.Sprintf("${EDITOR:-vi} +%d %s", e.Line, e.Source)
	case strings.HasPrefix(e.Source, "STROWGER_"):
		return "unset " + e.Source
	case strings.HasSuffix(e.Msg, syscall.ENOENT.Error()) && strings.HasSuffix(e.Source, ".conf"):
		return "name FusionPBX's file: --fusionpbx=FILE"
	case strings.HasSuffix(e.Msg, syscall.ENOENT.Error()):
		return "strowger config defaults > " + e.Source
	case e.Source != "" && !strings.HasPrefix(e.Source, "v_"):
		return "ls -l " + e.Source
	case e.Source == "v_default_settings":
		return "change it in FusionPBX: Advanced > Default Settings"
	}
	return ""
}
