package panel

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestOldRegistrations has the switch's list of registrations on its way while events come. The list is older than
// they are, so it does not take back what they said, but it counts for the extensions that they are not about.
func TestOldRegistrations(t *testing.T) {
	tests := map[string]struct {
		events []sent
		old    string // the list that is on its way from 1.5 s to 3.5 s, about
		now    string // later ones
		want   []string
	}{
		"came meanwhile": {[]sent{register(2*time.Second, "1005")}, listOf("1010"), listOf("1005", "1010"),
			[]string{"1005 true"}},
		"went meanwhile": {[]sent{unregister(2*time.Second, "1010")}, listOf("1010"), listOf(),
			[]string{"1010 false"}},
		"came and went meanwhile": {[]sent{register(2*time.Second, "1005"), unregister(2100*time.Millisecond, "1005")}, listOf("1005", "1010"), listOf("1010"),
			[]string{"1005 true", "1005 false"}},
		"another one was missed": {[]sent{register(2*time.Second, "1005")}, listOf(), listOf("1005"),
			[]string{"1005 true", "1010 false"}},
		"one of two phones went": {[]sent{unregister(2*time.Second, "1010")}, listOf("1010", "1010"), listOf("1010"),
			[]string{"1010 false", "1010 true"}},
		"came before": {[]sent{register(900*time.Millisecond, "1005")}, listOf("1010"), listOf("1010"),
			[]string{"1005 true", "1005 false"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			x := &exchange{
				answer: func(command string, n int) (string, bool) {
					return []string{listOf("1010"), test.old, test.now}[min(n, 3)-1], command == showRegistrations
				},
				delay: func(command string, n int) time.Duration {
					if command == showRegistrations && n == 2 {
						return 2 * time.Second
					}
					return 0
				},
			}
			events := append([]sent{cut(time.Second)}, test.events...)
			slices.SortFunc(events, func(a, b sent) int { return int(a.at - b.at) })
			r := x.on(t, madeUp(t, events...), 10*time.Second, nil)
			got := pushes(r, topicRegistration, "extension", "registered")
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], topicRegistration+" ")
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("pages were told %q, want %q", got, test.want)
			}
		})
	}
}

// TestOldRegistrationsInAnswer asks for the extensions while the list is on its way, and an event comes. The
// answer is not older than what pages were told before it.
func TestOldRegistrationsInAnswer(t *testing.T) {
	x := &exchange{
		answer: func(command string, n int) (string, bool) {
			if n == 3 {
				return listOf("1002", "1005"), command == showRegistrations
			}
			return listOf("1002", "1010", "1010"), command == showRegistrations
		},
		delay: func(command string, n int) time.Duration {
			if command == showRegistrations && n == 2 {
				return time.Second
			}
			return 0
		},
	}
	s := madeUp(t, register(1500*time.Millisecond, "1005"), unregister(1500*time.Millisecond, "1002"))
	extensions := s.Ask(t, time.Second, "operator", Name, "extensions_active", map[string]any{})
	state := s.Ask(t, time.Second, "operator", Name, "action", map[string]any{"action": "registrations_state", "domain_name": "a.example.com"})
	r := x.on(t, s, 10*time.Second, nil)
	answer := string(r.Replies(extensions)[0].Payload)
	for extension, want := range map[string]string{"1002": "false", "1005": "true", "1010": "true"} {
		_, row, _ := strings.Cut(answer, `"extension":"`+extension+`"`)
		_, registered, _ := strings.Cut(row, `"registered":`)
		if !strings.HasPrefix(registered, want) {
			t.Errorf("%s is registered: %.5s, want %s", extension, registered, want)
		}
	}
	if got := string(r.Replies(state)[0].Payload); !strings.Contains(got, `"1005":1`) || !strings.Contains(got, `"1010":2`) || strings.Contains(got, `"1002"`) {
		t.Errorf("registrations_state is %s", got)
	}
	// Another phone of 1002 may be left, so the switch is asked again.
	want := []string{"registration_change 1005 true", "registration_change 1002 false", "registration_change 1002 true", "registration_change 1010 false"}
	if got := pushes(r, topicRegistration, "extension", "registered"); !slices.Equal(got, want) {
		t.Errorf("pages were told %q, want %q", got, want)
	}
}

// TestExtensionsWithoutRegistrations asks for the extensions while the switch does not answer with its registrations.
// The page shows no phones, and is told of them when the switch answers, without a gap in the events.
func TestExtensionsWithoutRegistrations(t *testing.T) {
	x := &exchange{answer: func(command string, n int) (string, bool) {
		if n == 2 || n == 3 {
			return "-ERR no reply\n", command == showRegistrations
		}
		return listOf("1002", "1005"), command == showRegistrations
	}}
	s := madeUp(t)
	id := s.Ask(t, time.Second, "operator", Name, "extensions_active", map[string]any{})
	r := x.on(t, s, 10*time.Second, nil)
	if replies := r.Replies(id); len(replies) != 1 || strings.Contains(string(replies[0].Payload), `"registered":true`) {
		t.Errorf("answers %+v", replies)
	}
	want := []string{"registration_change 1002 true", "registration_change 1005 true"}
	if got := pushes(r, topicRegistration, "extension", "registered"); !slices.Equal(got, want) {
		t.Errorf("pages were told %q, want %q", got, want)
	}
}

// TestRefusedRegistrations asks for the extensions while the switch does not answer with its registrations. Pages that
// showed an extension that has gone meanwhile are told so all the same, without a gap in the events.
func TestRefusedRegistrations(t *testing.T) {
	x := &exchange{answer: func(command string, n int) (string, bool) {
		return []string{listOf("1005", "1010"), "-ERR no reply\n", listOf("1002", "1010")}[min(n, 3)-1], command == showRegistrations
	}}
	s := madeUp(t)
	s.Ask(t, time.Second, "operator", Name, "extensions_active", map[string]any{})
	r := x.on(t, s, 10*time.Second, nil)
	want := []string{"registration_change 1002 true", "registration_change 1005 false", "registration_change 1010 true"}
	if got := pushes(r, topicRegistration, "extension", "registered"); !slices.Equal(got, want) {
		t.Errorf("pages were told %q, want %q", got, want)
	}
}
