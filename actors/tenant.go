package actors

import (
	"strconv"
	"strings"

	"strowger/transport/wire"
)

// tenant is the domain of all who belong to it.
type tenant struct {
	domain string
	name   wire.Raw // as requests carry it, as the next
	uuid   wire.Raw
}

// tenantOf returns the one value for a domain.
func (d *Deps) tenantOf(domain, uuid string) *tenant {
	// The length keeps apart what the two would run together.
	return d.tenants.of(strconv.Itoa(len(domain))+":"+domain+uuid, func() *tenant {
		return &tenant{domain: strings.Clone(domain), name: wire.QuoteString(domain), uuid: wire.QuoteString(uuid)}
	})
}
