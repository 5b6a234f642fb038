package actors

import (
	"runtime"
	"testing"
)

func TestGrantsAreShared(t *testing.T) {
	var d Deps
	names := []string{"a", "b"}
	one := d.grantsOf(names)
	names[0] = "x" // what a token grants is not changed by whoever read it
	for name, test := range map[string]struct {
		names []string
		same  bool
	}{
		"the same": {[]string{"a", "b"}, true},
		"fewer":    {[]string{"a"}, false},
		"others":   {[]string{"a", "c"}, false},
		"none":     {nil, false},
	} {
		if same := d.grantsOf(test.names) == one; same != test.same {
			t.Errorf("%s: same %v, want %v", name, same, test.same)
		}
	}
	if got := string(one.wire); got != `{"a":true,"b":true}` || one.names[0] != "a" {
		t.Errorf("got %s, %q", got, one.names)
	}
	if got := string(d.grantsOf(nil).wire); got != "[]" {
		t.Errorf("no permissions are %s", got)
	}
	runtime.KeepAlive(one)
}

func TestTenantsAreShared(t *testing.T) {
	var d Deps
	one := d.tenantOf("a.example", "1")
	if d.tenantOf("a.example", "1") != one {
		t.Error("a domain is there twice")
	}
	for _, other := range [][2]string{{"a.example", "2"}, {"b.example", "1"}, {"a.example1", ""}, {"", "a.example1"}, {"a.example\x00", "1"}, {"", ""}} {
		if d.tenantOf(other[0], other[1]) == one {
			t.Errorf("%q is taken for a.example", other)
		}
	}
	if string(one.name) != `"a.example"` || string(one.uuid) != `"1"` || one.domain != "a.example" {
		t.Errorf("got %+v", one)
	}
	runtime.KeepAlive(one)
}
