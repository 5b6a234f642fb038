package service

import "strowger/config/policy"

// Everyone returns a policy by which every subscriber sees all that a service says and may ask it
// for anything. Without a policy, in code or in the configuration, nobody sees anything.
func Everyone() *policy.Policy {
	return &policy.Policy{Scopes: []policy.Scope{{To: policy.All}}}
}
