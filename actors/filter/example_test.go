package filter_test

import (
	"fmt"

	"strowger/actors/filter"
	"strowger/config/policy"
)

func ExampleFilter_Apply() {
	f, err := filter.Compile(policy.Policy{
		Scopes: []policy.Scope{
			{Permission: "calls_all", To: policy.All},
			{To: policy.Domain, Keys: []string{"caller_context"}},
		},
		KeyPermissions: map[string][]string{"codec": {"calls_codec"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	payload := []byte(`{"caller_context":"a.example","codec":"PCMU","rate":8e3}`)
	for _, s := range []filter.Subject{
		{Permissions: []string{"calls_all", "calls_codec"}},
		{Domain: "a.example"},
		{Domain: "b.example"},
	} {
		out, verdict := f.Apply(f.Class(s), "call", payload, nil)
		fmt.Printf("%s<%s>\n", verdict, out)
	}
	fmt.Println(f.Explain(filter.Subject{Domain: "b.example"}, "call", payload).Rule)
	// Output:
	// deliver<{"caller_context":"a.example","codec":"PCMU","rate":8e3}>
	// deliver<{"caller_context":"a.example","rate":8e3}>
	// drop<>
	// scopes[1] to domain: the key that tells whose it is does not match
}
