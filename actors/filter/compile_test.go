package filter

import (
	"testing"

	"strowger/config/policy"
)

func TestCompileRefusesWhatCheckRefuses(t *testing.T) {
	p := policy.Policy{Require: []string{""}}
	f, err := Compile(p)
	if f != nil || err == nil || err.Error() != p.Check().Error() {
		t.Errorf("got %v, %v; want what Check says", f, err)
	}
}

func TestBuiltinPoliciesCompile(t *testing.T) {
	policies, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range policies {
		compile(t, p)
	}
}

func TestCompileKeepsNothingOfThePolicy(t *testing.T) {
	p := policy.Policy{
		Require:  []string{"p"},
		Scopes:   []policy.Scope{{To: policy.Domain, Keys: []string{"d"}, Accept: []string{"default"}}},
		Requests: map[string][]string{"t": {"q"}}, TenantKeys: []string{"d"},
	}
	f := compile(t, p)
	p.Require[0], p.Scopes[0].Accept[0], p.Requests["t"][0], p.TenantKeys[0] = "x", "x", "x", "x"
	s := subject("p q a.b")
	if got := applied(f, s, "t", `{"d":"default"}`); got == dropped || !f.AllowRequest(s, []byte(`"t"`), nil) || f.AllowRequest(s, nil, []byte(`{"d":"c.d"}`)) {
		t.Error("a change of the policy reached the filter")
	}
}
