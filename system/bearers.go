package system

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"strowger/actors"
	"strowger/config"
	"strowger/system/apikey"
	"strowger/system/internal/introspect"
	"strowger/system/jwt"
)

// The names under which reusable tokens are presented, in place of the name of a file. No file has such a name.
const (
	jwtName    = "jwt"
	apiKeyName = "apikey" // alone, or before a colon and the name of a service
)

// bearers are the tokens that are not used up: JWTs and API keys. A reload replaces what they are checked with.
type bearers struct {
	log      *slog.Logger
	current  atomic.Pointer[checks]
	fetching *jwt.Counters
	checking *apikey.Counters
	counts   struct{ jwts, noJWTs, keys, noKeys atomic.Int64 }
}

// checks is what JWTs and API keys are checked with.
type checks struct {
	jwts *jwt.Verifier
	keys *apikey.Store
}

func newBearers(cfg *config.Config, log *slog.Logger) (*bearers, error) {
	b := &bearers{log: log, fetching: new(jwt.Counters), checking: new(apikey.Counters)}
	c, err := b.prepare(cfg)
	if err != nil {
		return nil, err
	}
	b.current.Store(c)
	return b, nil
}

// prepare reads the files that cfg names. Nothing changes before use.
func (b *bearers) prepare(cfg *config.Config) (*checks, error) {
	var before *jwt.Verifier
	if c := b.current.Load(); c != nil {
		before = c.jwts
	}
	o := JWTOptions(cfg)
	o.Counters, o.Log = b.fetching, b.log
	jwts, err := jwt.New(o, before)
	if err != nil {
		return nil, err
	}
	k := keyOptions(cfg)
	k.Counters = b.checking
	keys, err := apikey.Open(k)
	if err != nil {
		jwts.Close()
		return nil, err
	}
	return &checks{jwts, keys}, nil
}

// use has all who come from now on checked by c.
func (b *bearers) use(c *checks) {
	b.current.Swap(c).jwts.Close()
	c.jwts.Refresh()
}

// refresh has the keys fetched that are due.
func (b *bearers) refresh() { b.current.Load().jwts.Refresh() }

// close ends fetches.
func (b *bearers) close() { b.current.Load().jwts.Close() }

// JWTOptions returns what the settings say of JWTs.
func JWTOptions(cfg *config.Config) jwt.Options {
	j, t := &cfg.JWT, &cfg.Tokens
	return jwt.Options{
		Keys: j.Keys, Sets: j.Sets, Issuers: j.Issuers, Audiences: j.Audiences, Leeway: j.Leeway, MaxBytes: int(j.MaxBytes),
		Claims: jwt.Claims{
			UserUUID: j.UserUUIDClaim, UserName: j.UserNameClaim, Permissions: j.PermissionsClaim, Services: j.ServicesClaim,
			DomainName: j.DomainNameClaim, DomainUUID: j.DomainUUIDClaim, Extensions: j.ExtensionsClaim,
			ServiceName: j.ServiceNameClaim, ServiceClass: j.ServiceClassClaim,
			AllPermissions: j.Permissions, AllServices: j.Services,
		},
		Bounds:   jwt.Bounds{Permissions: t.MaxPermissions, Services: t.MaxServices, Extensions: t.MaxExtensions},
		Interval: j.JWKSInterval, FetchTimeout: j.JWKSTimeout, Retry: j.JWKSRetry, Keep: j.JWKSKeep, Wait: j.JWKSWait, Waiting: j.JWKSWaiting,
		SetBytes: int64(j.JWKSBytes), SetKeys: j.JWKSKeys,
	}
}

// keyOptions returns what the settings say of API keys.
func keyOptions(cfg *config.Config) apikey.Options {
	k := &cfg.APIKeys
	return apikey.Options{File: k.File, MaxKeys: k.MaxKeys, Checks: k.Checks, Verified: k.Verified}
}

// jwt returns what a JWT grants.
func (b *bearers) jwt(text string) (*bearer, error) {
	c := b.current.Load()
	g, err := c.jwts.Verify(text)
	if now := b.current.Load(); err != nil && now != c {
		g, err = now.jwts.Verify(text) // a reload has come between, and has ended what it waited for
	}
	if err != nil {
		b.counts.noJWTs.Add(1)
		return nil, err
	}
	b.counts.jwts.Add(1)
	return &bearer{service: g.ServiceName, class: g.ServiceClass, grants: actors.Credentials{
		Services: g.Services, Permissions: g.Permissions, DomainName: g.DomainName, DomainUUID: g.DomainUUID,
		UserUUID: g.UserUUID, UserName: g.UserName, Extensions: g.Extensions, ExpiresAt: g.ExpiresAt,
		Bearer: fmt.Sprintf("jwt %q %q", g.Issuer, g.Subject), RenewBy: jwtName,
	}}, nil
}

// key returns what an API key grants to a holder that asks for a service.
func (b *bearers) key(text, service string) (*bearer, error) {
	e, name, err := b.current.Load().keys.Verify(text, service)
	if err != nil {
		b.counts.noKeys.Add(1)
		return nil, err
	}
	b.counts.keys.Add(1)
	return &bearer{service: name, class: e.Class, grants: actors.Credentials{ExpiresAt: e.ExpiresAt, Bearer: apiKeyName + " " + e.ID}}, nil
}

// stats returns what happened to JWTs and API keys.
func (b *bearers) stats() introspect.Bearers {
	c := b.current.Load()
	s := introspect.Bearers{
		JWTs: b.counts.jwts.Load(), NoJWTs: b.counts.noJWTs.Load(), Keys: b.counts.keys.Load(), NoKeys: b.counts.noKeys.Load(),
		Fetches: b.fetching.Fetches.Load(), FailedFetches: b.fetching.FetchesFailed.Load(), Waits: b.fetching.Waits.Load(), Away: b.fetching.Away.Load(),
		KeyChecks: b.checking.Checks.Load(), KeysBusy: b.checking.Busy.Load(), APIKeys: int64(c.keys.Keys()),
	}
	for _, set := range c.jwts.Sets() {
		s.SetKeys += int64(set.Keys)
		s.OldestSet = max(s.OldestSet, set.Age.Truncate(time.Millisecond).Seconds())
	}
	return s
}
