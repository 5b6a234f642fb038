package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	koanfmaps "github.com/knadh/koanf/maps"
	"github.com/knadh/koanf/providers/structs"
)

// Validate returns every value that is out of its bounds and every pair of
// values that do not go together, each an *Error without a source, sorted by
// key and joined; nil when there are none. What Load returned is valid.
func (c *Config) Validate() error {
	var problems []*Error
	values := c.flatten()
	bad := map[string]bool{}
	for _, k := range keys() {
		if err := k.check(values[k.name]); err != nil {
			bad[k.name] = true
			problems = append(problems, &Error{Key: k.name, Msg: err.Error()})
		}
	}
	for _, conflict := range c.conflicts() {
		if !bad[conflict.keys[0]] && !bad[conflict.keys[1]] {
			problems = append(problems, &Error{Key: conflict.keys[0], Msg: conflict.msg})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Policies)) {
		problems = append(problems, checkPolicy(name, c.Policies[name])...)
	}
	return join(problems)
}

// conflict is two values that are right alone but not together.
type conflict struct {
	keys []string // the one to report first
	msg  string
}

func (c *Config) conflicts() []conflict {
	const certificate, private = "listen.tls_certificate", "listen.tls_key"
	const idle, ping = "keepalive.idle_timeout", "keepalive.ping_interval"

	var list []conflict
	if c.Listen.TLSCertificate != "" && c.Listen.TLSKey == "" {
		list = append(list, conflict{[]string{private, certificate}, "is missing, " + certificate + " needs it"})
	}
	if c.Listen.TLSKey != "" && c.Listen.TLSCertificate == "" {
		list = append(list, conflict{[]string{certificate, private}, "is missing, " + private + " needs it"})
	}
	list = append(list, c.Admin.conflicts()...)
	if p := c.Listen.ProxyProtocol; (p == "optional" || p == "required") && len(c.Listen.TrustedProxies) == 0 {
		list = append(list, conflict{[]string{"listen.trusted_proxies", "listen.proxy_protocol"}, "is empty, listen.proxy_protocol needs it"})
	}
	if k := c.Keepalive; k.IdleTimeout > 0 && k.IdleTimeout <= k.PingInterval {
		msg := fmt.Sprintf("%s is not longer than %s, which is %s", format(k.IdleTimeout), ping, format(k.PingInterval))
		list = append(list, conflict{[]string{idle, ping}, msg})
	}
	if t := c.Tokens; t.UnclaimedAfter > 0 && t.SweepInterval == 0 {
		msg := "is set, but tokens.sweep_interval is 0s: nothing is deleted"
		list = append(list, conflict{[]string{"tokens.unclaimed_after", "tokens.sweep_interval"}, msg})
	}
	list = append(list, c.jwtConflicts()...)
	if t := c.Tokens; t.Tickets > 0 && t.TicketBytes+ticketRoom > c.Limits.UnauthenticatedBytes {
		msg := fmt.Sprintf("%s and %d bytes around it are more than limits.unauthenticated_bytes, which is %s", format(t.TicketBytes), ticketRoom, format(c.Limits.UnauthenticatedBytes))
		list = append(list, conflict{[]string{ticketBytesKey, "limits.unauthenticated_bytes"}, msg})
	}
	if a := c.Admin.Address; a != "" && a == c.Listen.Address && !strings.HasSuffix(a, ":0") && !c.AdminGivesWay() {
		list = append(list, conflict{[]string{"admin.address", "listen.address"}, "is " + quote(a) + ", which listen.address is too"})
	}
	return append(list, c.Cluster.conflicts()...)
}

// ticketRoom is what a message with a ticket has besides it, in bytes: the positions of some services among others.
const ticketRoom = 1024

// jwtRoom is what a message with a JWT has besides it, in bytes.
const jwtRoom = 256

func (c *Config) jwtConflicts() []conflict {
	const sets, audiences, most = "jwt.jwks", "jwt.audiences", "jwt.max_bytes"
	j := &c.JWT
	var list []conflict
	if len(j.Sets) > 0 && len(j.Audiences) == 0 {
		list = append(list, conflict{[]string{audiences, sets}, "is empty, jwt.jwks needs it: the issuer signs for other programs too"})
	}
	bare := slices.ContainsFunc(j.Sets, func(item string) bool { return !strings.Contains(item, " ") })
	if bare && len(j.Issuers) == 0 {
		list = append(list, conflict{[]string{"jwt.issuers", sets}, "is empty, jwt.jwks needs it or an issuer before each URL"})
	}
	if j.On() && j.MaxBytes+jwtRoom > c.Limits.UnauthenticatedBytes {
		msg := fmt.Sprintf("%s and %d bytes around it are more than limits.unauthenticated_bytes, which is %s", format(j.MaxBytes), jwtRoom, format(c.Limits.UnauthenticatedBytes))
		list = append(list, conflict{[]string{most, "limits.unauthenticated_bytes"}, msg})
	}
	if len(j.Services)+len(j.Permissions) > 0 && !j.On() {
		key := "jwt.permissions"
		if len(j.Permissions) == 0 {
			key = "jwt.services"
		}
		list = append(list, conflict{[]string{key, "jwt.keys"}, "is set, but jwt.keys and jwt.jwks are empty: no JWT is accepted"})
	}
	return list
}

// flatten returns the values by key.
func (c *Config) flatten() map[string]any {
	nested, err := structs.Provider(c, "koanf").Read()
	if err != nil {
		panic(fmt.Sprintf("config: flatten: %v", err)) // the provider has no way to fail
	}
	flat, _ := koanfmaps.Flatten(nested, nil, ".")
	return flat
}
