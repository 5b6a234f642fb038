package service

import "strowger/actors/filter"

// Everyone returns a policy by which every subscriber sees all that a service says and may ask it
// for anything. Without a policy, in code or in the configuration, nobody sees anything.
func Everyone() *filter.Policy {
	return &filter.Policy{Scopes: []filter.Scope{{To: filter.All}}}
}
