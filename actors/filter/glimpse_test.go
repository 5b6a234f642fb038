package filter

import "testing"

// TestGlimpse wants a message that a Glimpse calls foreign to be dropped by Apply, and foreign calls of a domain to be
// told by it.
func TestGlimpse(t *testing.T) {
	r := newSource(11)
	told := 0
	for range 20_000 {
		p, f := r.policy()
		payload, topic := []byte(r.payload()), r.one(topics)
		glimpse := f.Glimpse(payload)
		for range 3 {
			s := r.subject()
			c := f.Class(s)
			if !glimpse.Foreign(c) {
				continue
			}
			if out, v := f.Apply(c, topic, payload, nil); v == Deliver {
				t.Fatalf("%s is foreign to %+v, and %s is delivered\npolicy %+v", payload, s, out, p)
			}
			if c != (Class{}) {
				told++
			}
		}
	}
	if told < 1000 {
		t.Errorf("%d messages were told to be foreign", told)
	}
}

func TestGlimpseOfCalls(t *testing.T) {
	f := callsFilter(t)
	glimpse := f.Glimpse(row)
	for name, test := range map[string]struct {
		subject string
		foreign bool
	}{
		"own domain":     {"call_active_domain call_active_view one.example", false},
		"another domain": {"call_active_domain call_active_view two.example", true},
		"sees all":       {"call_active_all call_active_view two.example", false},
		"own extension":  {"call_active_view 100@one.example", false},
		"another one":    {"call_active_view 101@one.example", true},
	} {
		if got := glimpse.Foreign(f.Class(subject(test.subject))); got != test.foreign {
			t.Errorf("%s: foreign is %t", name, got)
		}
	}
	c := f.Class(subject("call_active_domain call_active_view two.example"))
	if n := testing.AllocsPerRun(100, func() { glimpse := f.Glimpse(row); glimpse.Foreign(c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkForeign judges one message for the classes of 80 domains, of which one is its own.
func BenchmarkForeign(b *testing.B) {
	f := callsFilter(b)
	var classes []Class
	for i := range 80 {
		domain := "one.example"
		if i > 0 {
			domain = string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".example"
		}
		classes = append(classes, f.Class(subject("call_active_domain call_active_view "+domain)))
	}
	b.Run("apply", func(b *testing.B) {
		for b.Loop() {
			for _, c := range classes {
				f.Apply(c, "CHANNEL_CALLSTATE", row, nil)
			}
		}
	})
	b.Run("glimpse", func(b *testing.B) {
		for b.Loop() {
			glimpse := f.Glimpse(row)
			for _, c := range classes {
				if !glimpse.Foreign(c) {
					f.Apply(c, "CHANNEL_CALLSTATE", row, nil)
				}
			}
		}
	})
}
