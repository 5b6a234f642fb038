package check

import (
	"errors"
	"io/fs"
	"time"

	"strowger/system"
	"strowger/system/token"
)

// windows replaces what is looked at on Unix and is not on Windows. What is left out says so.
func (c *checker) windows() {
	c.sockets = func() sockets { return sockets{} }
	c.units = func() units { return units{absent: true} }
	c.nginx = func() proxies { return proxies{err: fs.ErrNotExist} }
	c.checks = []func(*report){
		c.configuration, c.listenPort, c.adminPages, c.notLookedAt, c.windowsTokens, c.refused, c.origins,
		c.database, c.eventSocket, c.clock, c.certificates,
	}
}

// restartRouter is the command that restarts the router.
func (c *checker) restartRouter() string {
	if c.Machine.Windows {
		return "restart strowger serve"
	}
	return "systemctl restart websockets"
}

// notLookedAt names what another system would be asked about.
func (c *checker) notLookedAt(r *report) {
	for _, name := range []Name{UnitRouter, UnitPHP, NginxFiles, Descriptors, KernelBacklog} {
		r.note(name, "", "not looked at on this platform (Windows)")
	}
}

// windowsTokens looks at the directory of the tokens as the user who runs the check.
func (c *checker) windowsTokens(r *report) {
	const otherDirectory = "set tokens.directory to a directory that the router's user may write to"
	if _, err := token.DefaultOwners(c.Config.Tokens.Owners); err != nil {
		r.fail(TokensOwners, "take tokens.owners out of the settings", "tokens.owners (from %s): %v", c.Config.Origin("tokens.owners"), err)
	} else {
		r.note(TokensOwners, "", "not looked at on this platform (Windows): whoever may write to the directory may issue tokens")
	}
	o := system.TokenBounds(c.Config)
	o.Dir, o.Now = c.Config.Tokens.Directory, c.Machine.Now
	seen, err := token.Examine(o, c.Machine.UID)
	switch {
	case err != nil:
		r.note(TokensDirectory, "", "%s: this user may not look into it: %v", seen.Dir, err)
		return
	case errors.Is(seen.Problem, fs.ErrNotExist) && c.Config.Tokens.Directory == "":
		r.note(TokensDirectory, "", "%s is not there: the router makes it when it starts", seen.Dir)
		return
	case seen.Problem != nil:
		r.fail(TokensDirectory, otherDirectory, "this user can claim no token: %v", seen.Problem)
		return
	}
	r.ok(TokensDirectory, "%s has %d token files; its access control list is not looked at", seen.Dir, seen.Tokens)
	n := seen.Newest
	switch {
	case n == nil:
		r.ok(TokensNewest, "no token file waits in %s: none was left by a refusal", seen.Dir)
		return
	case n.Problem == nil:
		r.ok(TokensNewest, "the newest token file, %s, is good and waits for its page", n.Name)
		return
	}
	age := max(0, c.Machine.Now().Sub(n.Written)).Round(time.Second)
	r.warn(TokensNewest, c.seeTokens(), "the newest token file, %s, %v old, would be refused: %v", n.Name, age, n.Problem)
}
