package check

import (
	"time"

	"strowger/system/fusionpbx/database"
)

// The years that a clock may show. The first is that of this program.
const (
	firstYear = 2025
	lastYear  = 2099
)

// mostSkew is how far clocks may be apart without harm to tokens, which are good for seconds at least.
const mostSkew = 5 * time.Second

// clock is about the time, by which tokens expire.
func (c *checker) clock(r *report) {
	mend := "timedatectl set-ntp true"
	if c.Machine.Windows {
		mend = "w32tm /resync"
	}
	now := c.Machine.Now()
	if year := now.UTC().Year(); year < firstYear || year > lastYear {
		r.fail(ClockYear, mend, "the clock says %s: tokens expire by it", now.UTC().Format(time.RFC3339))
	} else {
		r.ok(ClockYear, "the clock says %s", now.UTC().Format(time.RFC3339))
	}
	if !c.fusionPBX() || !database.Named(&c.Config.FusionPBX.Database) {
		return
	}
	found := c.about()
	skew, slack := found.skew.Round(time.Millisecond), found.slack
	switch {
	case found.err != nil:
		r.note(ClockSkew, "", "the clock was not compared, because the database does not answer")
	case skew.Abs()-slack > mostSkew:
		r.warn(ClockSkew, mend, "the clock of the database is %v away from that of this machine: tokens with a limit may be refused", skew.Abs())
	default:
		r.ok(ClockSkew, "the clock of the database is %v away from that of this machine, as far as its answer tells (within %v)", skew.Abs(), slack.Round(time.Millisecond))
	}
}
