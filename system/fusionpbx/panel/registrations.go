package panel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// address is an extension of a domain.
type address struct{ extension, domain string }

// registrations has how many phones each extension of each domain has.
type registrations map[string]map[string]int

var errRegistrations = errors.New("the switch did not answer with a list of registrations")

func (l *life) askRegistrations(ctx context.Context, _ string) (registrations, error) {
	reply, err := l.Commands.Do(ctx, eventsocket.API("show registrations as json"))
	if err != nil {
		return nil, fmt.Errorf("ask the switch: %w", err)
	}
	return readRegistrations(reply.Body)
}

// readRegistrations reads the answer to "show registrations as json".
func readRegistrations(body string) (registrations, error) {
	var list struct {
		Count *json.Number `json:"row_count"`
		Rows  []struct {
			User  string `json:"reg_user"`
			Realm string `json:"realm"`
		} `json:"rows"`
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return nil, fmt.Errorf("%w: %w", errRegistrations, err)
	}
	if list.Count == nil || list.Count.String() != strconv.Itoa(len(list.Rows)) {
		// Other JSON is not the list of a switch without registrations.
		return nil, fmt.Errorf("%w: row_count is not the number of rows", errRegistrations)
	}
	found := registrations{}
	for _, row := range list.Rows {
		at := newAddress(row.User, row.Realm)
		if at.extension == "" || at.domain == "" {
			continue
		}
		if found[at.domain] == nil {
			found[at.domain] = map[string]int{}
		}
		found[at.domain][at.extension]++
	}
	return found, nil
}

// newAddress returns the address of a user who may be written as user@domain, at a domain that may have a port.
func newAddress(user, domain string) address {
	user, rest, _ := strings.Cut(strings.TrimSpace(user), "@")
	domain = strings.TrimSpace(domain)
	if domain == "" {
		domain = strings.TrimSpace(rest)
	}
	return address{strings.TrimSpace(user), regexp.MustCompile(`:[0-9]+$`).ReplaceAllString(domain, "")}
}

// registrationChanged pushes what an event says of a phone.
func (l *life) registrationChanged(e *eventsocket.Event, registered bool) {
	l.registered.forgetAll()
	at := newAddress(first(e, "from-user", "to-user", "user", "username"), first(e, "realm", "from-host", "to-host"))
	if at.extension == "" || at.domain == "" {
		return
	}
	l.pushRegistration(at, registered)
}

// pushRegistration tells pages, and remembers last what they know.
func (l *life) pushRegistration(at address, registered bool) {
	var p event.Payload
	p.Set("extension", at.extension)
	p.Set("domain_name", at.domain)
	p.SetJSON("registered", fmt.Appendf(nil, "%t", registered))
	l.enqueue(&push{topic: topicRegistration, status: 200, ready: true,
		make: func() envelope.Raw { return p.JSON() },
		said: func() { l.told.register(at, registered) },
	})
}

// first returns the value of the first header that has one.
func first(e *eventsocket.Event, headers ...string) string {
	for _, header := range headers {
		if value := strings.TrimSpace(e.Get(header)); value != "" {
			return strings.Clone(value) // what is kept must not hold the memory of the event
		}
	}
	return ""
}

// compareRegistrations pushes what pages have missed. The first time there is nothing to compare with.
func (l *life) compareRegistrations() {
	l.registered.get("", func(now registrations, err error) {
		if err != nil {
			l.ctx.Log().Debug("registrations were not compared with the switch", "err", err)
			l.retryRegistrations()
			return
		}
		for _, change := range l.told.differences(now) {
			l.pushRegistration(change.address, change.registered)
		}
	})
}

// retryRegistrations compares again after a while.
func (l *life) retryRegistrations() {
	if l.retrying {
		return
	}
	l.retrying = true
	l.ctx.After(again, func(service.Context) {
		l.retrying = false
		l.compareRegistrations()
	})
}

// change is a change of an extension that pages have missed.
type change struct {
	address
	registered bool
}

// differences compares what pages know with the switch, in order of the addresses.
func (m *memory) differences(now registrations) []change {
	m.mu.Lock()
	defer m.mu.Unlock()
	var changes []change
	for at := range m.registered {
		if now[at.domain][at.extension] == 0 {
			changes = append(changes, change{at, false})
		}
	}
	for domain, extensions := range now {
		for extension := range extensions {
			if at := (address{extension, domain}); !m.registered[at] {
				changes = append(changes, change{at, true})
			}
		}
	}
	if !m.compared {
		for _, c := range changes {
			m.set(c.address, c.registered)
		}
		m.compared = true
		return nil
	}
	slices.SortFunc(changes, func(a, b change) int {
		return strings.Compare(a.domain+"\x00"+a.extension, b.domain+"\x00"+b.extension)
	})
	return changes
}

func (m *memory) register(at address, registered bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(at, registered)
}

func (m *memory) set(at address, registered bool) {
	if registered {
		m.registered[at] = true
		return
	}
	delete(m.registered, at)
}
