package check

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"strowger/system"
	"strowger/system/token"
)

// tokens is about the directory of the tokens, with the eyes of the router.
func (c *checker) tokens(r *report) {
	uid, known := c.routerUser()
	owners, err := token.DefaultOwners(c.Config.Tokens.Owners)
	if err != nil {
		r.fail(TokensOwners, "getent passwd", "tokens.owners (from %s): %v", c.Config.Origin("tokens.owners"), err)
		return
	}
	owners = slices.DeleteFunc(owners, func(owner int) bool { return owner == c.Machine.UID && owner != uid && !c.listed(owner) })
	o := system.TokenBounds(c.Config)
	o.Dir, o.Owners, o.Now = c.Config.Tokens.Directory, owners, c.Machine.Now
	seen, err := token.Examine(o, uid)
	if err != nil {
		r.note(TokensDirectory, c.asRoot(), "%s: this user may not look into it: %v", seen.Dir, err)
		return
	}
	if seen.Problem != nil {
		r.fail(TokensDirectory, mendDirectory(seen, uid), "user %s (%s) can claim no token: %v", userName(uid), known, seen.Problem)
		return
	}
	more := ""
	if seen.More {
		more = "more than "
	}
	r.ok(TokensDirectory, "%s belongs to %s, mode %s, and has %s%d token files; user %s claims them (%s)",
		seen.Dir, userName(seen.Owner), octal(seen.Mode), more, seen.Tokens, userName(uid), known)
	c.owners(r, seen, uid, owners)
	c.newest(r, seen, uid)
}

// listed tells whether a user may issue tokens whoever runs the router.
func (c *checker) listed(uid int) bool {
	return uid == 0 || userName(uid) == "www-data" || slices.ContainsFunc(c.Config.Tokens.Owners, func(name string) bool {
		id, err := userID(name)
		return err == nil && id == uid
	})
}

// octal writes the permission bits of a mode as chmod takes them.
func octal(mode fs.FileMode) string {
	bits := uint32(mode.Perm())
	if mode&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return fmt.Sprintf("%04o", bits)
}

// mendDirectory is the command that makes tokens claimable.
func mendDirectory(seen token.Examination, uid int) string {
	switch {
	case errors.Is(seen.Problem, fs.ErrNotExist):
		return fmt.Sprintf("install -d -m 0700 -o %s %s", userName(uid), seen.Dir)
	case seen.Mode.Perm()&0o002 != 0 && seen.Mode&fs.ModeSticky == 0 && seen.Mode.IsDir():
		return "chmod +t " + seen.Dir
	case !seen.Mode.IsDir():
		return "set tokens.directory to a directory"
	}
	return fmt.Sprintf("chown %s %s", userName(uid), seen.Dir)
}

// owners tells whose tokens the router would take.
func (c *checker) owners(r *report, seen token.Examination, uid int, owners []int) {
	var names, kept []string
	for _, owner := range owners {
		names = append(names, userName(owner))
		if seen.Mode&fs.ModeSticky != 0 && uid != 0 && uid != owner && uid != seen.Owner && owner != 0 {
			kept = append(kept, userName(owner))
		}
	}
	if len(kept) > 0 {
		state := Warning
		if !c.fusionPBX() {
			state = Note // the user of the web server may have nothing to do with this router
		}
		r.add(state, TokensOwners, runAs(kept[0]), "tokens of user %s are believed, but user %s may not delete their files in %s, so the router refuses them",
			[]any{strings.Join(kept, ", "), userName(uid), seen.Dir})
		return
	}
	r.ok(TokensOwners, "tokens are believed if they are written by %s", strings.Join(names, ", "))
}

// newest tells what is wrong with the token that was written last.
func (c *checker) newest(r *report, seen token.Examination, uid int) {
	if seen.Newest == nil {
		r.ok(TokensNewest, "no token file waits in %s: none was left by a refusal", seen.Dir)
		return
	}
	n := seen.Newest
	age := max(0, c.Machine.Now().Sub(n.Written)).Round(time.Second)
	which := fmt.Sprintf("the newest token file, %s of %s, %v old", n.Name, userName(n.Owner), age)
	switch {
	case n.Problem == nil:
		r.ok(TokensNewest, "%s, is good and waits for its page", which)
	case errors.Is(n.Problem, token.ErrExpired):
		r.note(TokensNewest, "reload the page, which makes a new token", "%s: %v; nobody claimed it in time", which, n.Problem)
	case errors.Is(n.Problem, token.ErrNotFound):
		r.ok(TokensNewest, "%s, was claimed at this moment", which)
	case denied(n.Problem) && uid != c.Machine.UID && !c.Machine.root():
		r.note(TokensNewest, c.asRoot(), "%s, cannot be looked at by this user: %v", which, n.Problem)
	default:
		r.warn(TokensNewest, c.mendToken(n, uid), "%s, would be refused: %v", which, n.Problem)
	}
}

// runAs is the command that has the router run as another user.
func runAs(user string) string {
	return "systemctl edit websockets # [Service] User=" + user + ", then: systemctl restart websockets"
}

// mendToken says what makes the next token a better one.
func (c *checker) mendToken(n *token.Examined, uid int) string {
	text := n.Problem.Error()
	switch {
	case strings.Contains(text, "may not issue tokens"):
		return fmt.Sprintf("set tokens.owners: [%s] if that user is to issue tokens, then: systemctl restart websockets", userName(n.Owner))
	case strings.Contains(text, "lets others write"):
		return "have the program that writes tokens use umask 077"
	case (strings.Contains(text, "may not delete") || strings.Contains(text, "may not read")) && n.Owner == 0, denied(n.Problem) && n.Owner == 0:
		return fmt.Sprintf("have user %s write the tokens, as in: sudo -u %[1]s strowger token create --user NAME", userName(uid))
	case strings.Contains(text, "may not delete"), strings.Contains(text, "may not read"), denied(n.Problem):
		return runAs(userName(n.Owner))
	case strings.Contains(text, "tokens."):
		return "raise the setting that is named, then: systemctl restart websockets"
	}
	return c.seeTokens()
}

// seeTokens says where the reasons for refused tokens are.
func (c *checker) seeTokens() string {
	const see = "see docs/tokens.md for what a token file holds, and the router's log"
	if c.Machine.Windows {
		return see
	}
	return see + ": journalctl -u websockets -g 'authentication refused'"
}
