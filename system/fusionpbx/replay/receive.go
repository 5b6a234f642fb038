package replay

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/config/policy"
)

// receivers are the clients and what the service's built-in policy lets each see.
type receivers struct {
	scenario *Scenario
	filter   *filter.Filter
	classes  map[string]filter.Class
	names    []string
}

func (r *Result) receivers(t testing.TB) *receivers {
	t.Helper()
	builtin, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f, err := filter.Compile(builtin[policy.BuiltinClass(r.Service.Name)]) // one without rules is an error
	if err != nil {
		t.Fatalf("built-in policy of the service %s: %v", r.Service.Name, err)
	}
	to := &receivers{scenario: r.Scenario, filter: f, classes: map[string]filter.Class{}}
	for name, c := range r.Scenario.Clients {
		to.names = append(to.names, name)
		to.classes[name] = f.Class(c.subject())
	}
	slices.Sort(to.names)
	return to
}

func (c *Client) subject() filter.Subject {
	s := filter.Subject{Domain: c.Domain, Extensions: c.extensions()}
	for permission := range c.Permissions {
		s.Permissions = append(s.Permissions, permission)
	}
	slices.Sort(s.Permissions)
	return s
}

// compare compares what clients get of messages that both the original and the service under test sent. asker is
// the one who gets a reply; nil means that all clients get a push.
func (to *receivers) compare(pairs []pair, asker *Client, add func(Difference)) {
	for _, p := range pairs {
		for _, name := range to.names {
			if asker != nil && asker.Name != name {
				continue
			}
			d := Difference{Kind: Received, Client: name, Message: p.got}
			if p.want != nil {
				d.Topic, d.Want = p.want.Topic, to.original(name, p.want)
			}
			if p.got != nil {
				d.Topic, d.Got = p.got.Topic, to.receives(name, p.got)
			}
			if p.want != nil && p.got != nil && d.Want != d.Got {
				add(d)
			}
		}
	}
}

// receives returns the keys of the payload that a client gets, "refused" if it gets a refusal in its place, or "" if it
// gets nothing.
func (to *receivers) receives(name string, m *Message) string {
	payload, verdict := to.filter.Apply(to.classes[name], m.Topic, envelope.Raw(m.Payload), nil)
	if verdict == filter.Deliver {
		fields, err := members(payload)
		if err != nil || string(payload) == "null" || len(m.payload()) == 0 {
			return canonical(payload)
		}
		return keys(fields)
	}
	if m.IsPush() || to.filter.Streams(m.Topic) {
		return ""
	}
	return "refused"
}

// original returns the same for what the client got of the original.
func (to *receivers) original(name string, m *Message) string {
	for names, got := range to.scenario.got[m.line] {
		if !slices.Contains(strings.Split(names, ","), name) {
			continue
		}
		if string(got) == "null" {
			return "null"
		}
		var removed []string
		if err := json.Unmarshal(got, &removed); err != nil {
			return string(got)
		}
		if len(m.payload()) == 0 {
			return m.value()
		}
		return keys(slices.DeleteFunc(slices.Clone(m.payload()), func(f field) bool { return slices.Contains(removed, f.key) }))
	}
	return ""
}

// Received returns what a client gets of all that the service has said unasked, through the service's policy: the topic
// and the payload of each message.
func (r *Result) Received(t testing.TB, client string) []string {
	t.Helper()
	to := r.receivers(t)
	var got []string
	for _, m := range r.pushes() {
		if payload, verdict := to.filter.Apply(to.classes[client], m.Topic, m.Payload, nil); verdict == filter.Deliver {
			got = append(got, m.Topic+" "+string(payload))
		}
	}
	return got
}
