package policy

import (
	"fmt"
	"slices"
	"strings"
)

// What a policy may tell of who watches a service.
const (
	UserName   = "user_name"
	UserUUID   = "user_uuid"
	DomainName = "domain_name"
	DomainUUID = "domain_uuid"
	Extension  = "extensions"
)

// presenceFields are all of them.
var presenceFields = []string{UserName, UserUUID, DomainName, DomainUUID, Extension}

func (c *checker) presence(fields []string) {
	c.names("presence", fields)
	for i, field := range fields {
		if field != "" && !slices.Contains(presenceFields, field) {
			c.add(fmt.Sprintf("presence[%d]", i), "%q is none of %s", field, strings.Join(presenceFields, ", "))
		}
	}
}
