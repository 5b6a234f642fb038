package actors

import (
	"slices"

	"strowger/actors/envelope"
)

// grants are the permissions of all who have the same: a group of users holds one list of hundreds
// of names, not a list each.
type grants struct {
	names []string     // sorted, unique
	wire  envelope.Raw // {"name":true,...}; [] where there are none
}

// grantsOf returns the one value for these names.
func (d *Deps) grantsOf(names []string) *grants {
	key := permissionMap(names)
	return d.grants.Of(key, func() *grants { return &grants{names: slices.Clone(names), wire: envelope.Raw(key)} })
}

// permissionMap spells the permissions as requests carry them: [] where there are none.
func permissionMap(names []string) string {
	if len(names) == 0 {
		return "[]"
	}
	size := len("{}")
	for _, name := range names {
		size += len(name) + len(`"":true,`)
	}
	b := append(make([]byte, 0, size), '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(envelope.AppendString(b, name), ":true"...)
	}
	return string(append(b, '}'))
}
