package filter

import (
	"fmt"
	"strings"
	"testing"

	"strowger/config/policy"
)

// row is a payload as long as those of live calls, none of whose keys needs a permission.
var row = []byte(`{"event_name":"CHANNEL_CALLSTATE","unique_id":"0a1b2c3d-0000-4000-8000-000000000001","caller_context":"one.example","channel_presence_id":"100@one.example","answer_state":"ringing","channel_call_state":"RINGING","caller_channel_created_time":"1767225600000000","caller_caller_id_name":"A","caller_caller_id_number":"100","caller_destination_number":"101"}`)

func callsFilter(tb testing.TB) *Filter {
	policies, err := policy.Builtin()
	if err != nil {
		tb.Fatal(err)
	}
	return compile(tb, policies["active_calls_service"])
}

func cases() map[string]struct {
	subject string
	payload []byte
} {
	var many strings.Builder
	for i := range 20 {
		fmt.Fprintf(&many, "%d@one.example ", 100-i)
	}
	return map[string]struct {
		subject string
		payload []byte
	}{
		"domain":       {"call_active_domain call_active_view one.example", row},
		"extensions":   {"call_active_domain2 call_active_view " + many.String(), []byte(strings.Replace(string(row), `"caller_context":"one.example",`, "", 1))},
		"removed keys": {"call_active_all", row},
		"foreign":      {"call_active_domain two.example", row},
	}
}

func TestApplyDoesNotAllocate(t *testing.T) {
	f := callsFilter(t)
	for name, test := range cases() {
		t.Run(name, func(t *testing.T) {
			c := f.Class(subject(test.subject))
			out, v := f.Apply(c, "CHANNEL_CALLSTATE", test.payload, nil)
			if whole := v == Deliver && len(out) == len(test.payload); whole != (name == "domain" || name == "extensions") {
				t.Fatalf("the whole payload: %t (%s %s)", whole, v, out)
			}
			dst := make([]byte, 0, len(test.payload))
			if n := testing.AllocsPerRun(100, func() { f.Apply(c, "CHANNEL_CALLSTATE", test.payload, dst) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	f := callsFilter(b)
	for name, test := range cases() {
		b.Run(name, func(b *testing.B) {
			c := f.Class(subject(test.subject))
			dst := make([]byte, 0, len(test.payload))
			b.SetBytes(int64(len(test.payload)))
			b.ReportAllocs()
			for b.Loop() {
				f.Apply(c, "CHANNEL_CALLSTATE", test.payload, dst)
			}
		})
	}
	b.Run("pass", func(b *testing.B) {
		pass := Pass()
		c := pass.Class(Subject{})
		b.ReportAllocs()
		for b.Loop() {
			pass.Apply(c, "CHANNEL_CALLSTATE", row, nil)
		}
	})
}

func BenchmarkClass(b *testing.B) {
	f := callsFilter(b)
	s := subject("call_active_codec call_active_domain call_active_view one.example")
	b.ReportAllocs()
	for b.Loop() {
		f.Class(s)
	}
}
