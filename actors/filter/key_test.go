package filter

import (
	"fmt"
	"strings"
	"testing"

	"strowger/config/policy"
)

// Payloads have the same key if all that the policy coalesces by is the same in them.
func TestKey(t *testing.T) {
	f := compile(t, policy.Policy{Scopes: []policy.Scope{{To: policy.All}}, Slow: policy.Coalesce, Coalesce: []string{"id", "part"}})
	if f.Slow() != policy.Coalesce || (*Filter)(nil).Slow() != "" || Pass().Slow().Drops() {
		t.Error("the filter has not what the policy chose")
	}
	of := func(payload string) string { return f.Key([]byte(payload)) }
	one := of(`{"id":"a","part":1,"x":1}`)
	for payload, same := range map[string]bool{
		`{"part":1,"id":"a"}`:             true,
		`{"id":"\u0061","part":1,"y":{}}`: true,
		`{"id":"b","part":1,"id":"a"}`:    true,
		`{"id":"a","part":"1"}`:           false,
		`{"id":"a","part":1.0}`:           false,
		`{"id":"b","part":1}`:             false,
		`{"id":"a","deep":{"part":1}}`:    false,
		`{"id":"a"}`:                      false,
		`[{"id":"a","part":1}]`:           false,
		`null`:                            false,
		``:                                false,
		`{"id":"` + strings.Repeat("a", 300) + `","part":1}`: false,
	} {
		if got := of(payload); (got == one) != same || one == "" {
			t.Errorf("%s has the key %q, that of the first is %q", payload, got, one)
		}
	}
	for _, payload := range []string{`{"id":"a"}`, `[]`, `{"id":1,"part":"` + strings.Repeat("x", 257) + `"}`} {
		if got := of(payload); got != "" {
			t.Errorf("%.40s has the key %q, want none", payload, got)
		}
	}
	// The bound, and one past it: two bytes of kind and length for the first, three for the second, whose length takes two.
	fits := keyLength - len("v\x011") - len("t\x80\x01")
	at := func(n int) string { return of(fmt.Sprintf(`{"id":1,"part":%q}`, strings.Repeat("x", n))) }
	if at(fits) == "" || at(fits+1) != "" {
		t.Errorf("a key of %d bytes is %q, one of %d is %q", keyLength, at(fits), keyLength+1, at(fits+1))
	}
	// Values do not run into each other.
	if of(`{"id":"ab","part":"c"}`) == of(`{"id":"a","part":"bc"}`) {
		t.Error("two keys are the same")
	}
}
