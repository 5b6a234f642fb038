package actors

import (
	"strconv"
	"strings"

	"strowger/actors/envelope"
)

// tenant is the domain of all who belong to it.
type tenant struct {
	domain string
	name   envelope.Raw // as requests carry it, as the next
	uuid   envelope.Raw
}

// tenantOf returns the one value for a domain.
func (d *Deps) tenantOf(domain, uuid string) *tenant {
	// The length keeps apart what the two would run together.
	return d.tenants.Of(strconv.Itoa(len(domain))+":"+domain+uuid, func() *tenant {
		return &tenant{domain: strings.Clone(domain), name: envelope.QuoteString(domain), uuid: envelope.QuoteString(uuid)}
	})
}
