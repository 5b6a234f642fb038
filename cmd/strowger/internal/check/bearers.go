package check

import (
	"strings"

	"strowger/system"
	"strowger/system/apikey"
	"strowger/system/jwt"
)

// bearers is about what JWTs and API keys are checked with, with the eyes of the router.
func (c *checker) bearers(r *report) {
	uid, _ := c.routerUser()
	for _, entry := range c.Config.JWT.Keys {
		alg, path, _ := strings.Cut(entry, " ")
		err := jwt.CheckKeyFile(alg+" "+c.Machine.path(path), uid)
		switch {
		case err == nil:
			r.ok(JWTKeys, "%s has a key for %s", path, alg)
		case denied(err) && !c.Machine.root():
			r.note(JWTKeys, c.asRoot(), "this user may not read %s", path)
		default:
			r.fail(JWTKeys, "ls -l "+path+" # see docs/tokens.md for its form, owner and mode, then: strowger reload", "jwt.keys: %s: %v", alg, err)
		}
	}
	for _, entry := range c.Config.JWT.Sets {
		c.keySet(r, entry)
	}
	if path := c.Config.APIKeys.File; path != "" {
		keys, err := apikey.Check(c.Machine.path(path), c.Config.APIKeys.MaxKeys, uid)
		switch {
		case err == nil:
			r.ok(APIKeysFile, "%s has %d API keys", path, keys)
		case denied(err) && !c.Machine.root():
			r.note(APIKeysFile, c.asRoot(), "this user may not read %s", path)
		default:
			r.fail(APIKeysFile, "chown "+userName(uid)+" "+path+"; chmod 600 "+path+" # or mend the line that is named", "apikeys.file: %v", err)
		}
	}
}

// keySet tells whether a URL answers with keys.
func (c *checker) keySet(r *report, entry string) {
	ctx, cancel := c.deadline()
	defer cancel()
	url := entry[strings.LastIndexByte(entry, ' ')+1:]
	keys, err := jwt.CheckSet(ctx, entry, system.JWTOptions(c.Config))
	if err != nil {
		r.fail(JWTSets, "curl -i "+url+" # must answer 200 with a JWK Set", "jwt.jwks: %s: %v", url, err)
		return
	}
	r.ok(JWTSets, "%s answers with %d keys", url, keys)
}
