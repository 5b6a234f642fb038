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
	if a := c.Admin.Address; a != "" && a == c.Listen.Address && !strings.HasSuffix(a, ":0") && !c.AdminGivesWay() {
		list = append(list, conflict{[]string{"admin.address", "listen.address"}, "is " + quote(a) + ", which listen.address is too"})
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
