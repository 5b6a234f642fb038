package policy_test

import (
	"fmt"

	"strowger/config/policy"
)

// A policy as it is written down, in YAML and in Go: holders of weather_all see everything, others what is
// of their domain.
func ExampleParse() {
	policies, err := policy.Parse([]byte(`
weather:
  scopes:
    - {permission: weather_all, to: all}
    - {to: domain, keys: [domain_name]}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	written := policy.Policy{Scopes: []policy.Scope{
		{Permission: "weather_all", To: policy.All},
		{To: policy.Domain, Keys: []string{"domain_name"}},
	}}
	for i, scope := range policies["weather"].Scopes {
		fmt.Printf("%q %s %v\n", scope.Permission, scope.To, scope.To == written.Scopes[i].To)
	}

	_, err = policy.Parse([]byte(`weather: {scopes: [{to: everywhere}]}`))
	fmt.Println(err != nil)
	// Output:
	// "weather_all" all true
	// "" domain true
	// true
}
