package panel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
)

// address is an extension of a domain.
type address struct{ extension, domain string }

// registrations has how many phones each extension of each domain has.
type registrations map[string]map[string]int

var errRegistrations = errors.New("the switch did not answer with a list of registrations")

// registrationList is the switch's list of registrations.
type registrationList struct {
	phones registrations
	since  uint64 // number of the last event before the switch was asked
}

func (l *life) askRegistrations(ctx context.Context, _ string) (registrationList, error) {
	since := l.told.phones.last()
	reply, err := l.do(ctx, eventsocket.API("show registrations as json"))
	if err != nil {
		return registrationList{}, err
	}
	found, err := readRegistrations(reply.Body)
	return registrationList{found, since}, err
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
	return address{strings.TrimSpace(user), withoutPort(domain)}
}

func withoutPort(domain string) string {
	i := strings.LastIndexByte(domain, ':')
	if i < 0 || i == len(domain)-1 || strings.Trim(domain[i+1:], "0123456789") != "" {
		return domain
	}
	return domain[:i]
}

// registrationChanged pushes what an event says of a phone.
func (l *life) registrationChanged(e *eventsocket.Event, registered bool) {
	at := newAddress(first(e, "from-user", "to-user", "user", "username"), first(e, "realm", "from-host", "to-host", "host"))
	asking := l.registered.asking()
	l.registered.forgetAll()
	if at.extension == "" || at.domain == "" { // it may be about any phone
		l.registering.after(again, l.compareRegistrations)
		return
	}
	l.told.phones.event(at, registered, asking)
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
		said: func() { l.told.phones.tell(at, registered) },
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
	l.registering.stop()
	l.registered.get("", func(now registrationList, err error) {
		if err != nil {
			l.registrationsFailed(err)
			return
		}
		l.registering.succeeded()
		changes, certain := l.told.phones.differences(now)
		for _, c := range changes {
			l.pushRegistration(c.address, c.registered)
		}
		if !certain {
			l.registering.after(again, l.compareRegistrations)
		}
	})
}

// registrationsFailed compares again after a pause, unless that is to be done already.
func (l *life) registrationsFailed(err error) {
	if l.registering.waits() {
		return
	}
	if l.registering.isNews(err) {
		l.ctx.Log().Warn("registrations were not compared with the switch, pages may be wrong meanwhile", "err", err)
	}
	l.registering.after(l.registering.pause.After(err, l.Interval), l.compareRegistrations)
}

// registrationsOf calls then with how many phones each extension of a domain has. Events that came after the switch was
// asked count more than its answer; if the two differ, the switch is asked again, and pages are told of what is left.
func (l *life) registrationsOf(domain string, then func(phones map[string]int, err error)) {
	l.registered.get("", func(now registrationList, err error) {
		if err != nil {
			then(nil, err)
			return
		}
		phones, certain := l.told.phones.of(now, domain)
		if !certain {
			l.registering.after(again, l.compareRegistrations)
		}
		then(phones, nil)
	})
}
