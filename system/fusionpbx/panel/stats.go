package panel

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

const (
	// spacing is the shortest time between two pushes of a domain's statistics that events cause.
	spacing = 2 * time.Second
	// interest is how long a domain's agents are watched after its operators have last asked for anything. Their
	// pages ask every few seconds.
	interest = 10 * time.Minute
)

// stats says when the statistics of each domain's agents were pushed.
type stats struct {
	pushed  map[string]time.Time
	waiting map[string]bool // a push comes when the spacing is over
}

// stat is what pages are told of an agent again and again.
type stat struct {
	Name            string `json:"agent_name"`
	Status          string `json:"status"`
	State           string `json:"state"`
	CallsAnswered   string `json:"calls_answered"`
	TalkTime        string `json:"talk_time"`
	LastBridgeStart string `json:"last_bridge_start"`
	QueueName       string `json:"queue_name"`
	QueueExtension  string `json:"queue_extension"`
	Domain          string `json:"domain_name"`
}

// watch notes that operators of a domain look at its agents.
func (l *life) watch(domain string) {
	l.told.mu.Lock()
	defer l.told.mu.Unlock()
	if domain != "" {
		l.told.watched[domain] = l.ctx.Now()
	}
}

// seen notes that operators of a domain are still there.
func (l *life) seen(r service.Request) {
	l.told.mu.Lock()
	defer l.told.mu.Unlock()
	domain := r.Subscriber().DomainName
	if _, ok := l.told.watched[domain]; ok {
		l.told.watched[domain] = l.ctx.Now()
	}
}

// watched returns the domains whose agents somebody looks at.
func (l *life) watched() []string {
	l.told.mu.Lock()
	defer l.told.mu.Unlock()
	var domains []string
	for domain, last := range l.told.watched {
		if l.ctx.Now().Sub(last) > interest {
			delete(l.told.watched, domain)
			continue
		}
		domains = append(domains, domain)
	}
	slices.Sort(domains)
	return domains
}

// pushStats pushes the statistics of all domains that somebody looks at.
func (l *life) pushStats() {
	for _, domain := range l.watched() {
		l.pushDomain(domain)
	}
}

// pushDomain pushes the statistics of one domain's agents. The policy lets only its own operators see them.
func (l *life) pushDomain(domain string) {
	if l.stats.pushed == nil {
		l.stats.pushed, l.stats.waiting = map[string]time.Time{}, map[string]bool{}
	}
	l.stats.pushed[domain] = l.ctx.Now()
	l.agents.get(domain, func(found []agent, err error) {
		if err != nil {
			l.ctx.Log().Debug("no statistics of agents", "err", err)
			return
		}
		if len(found) == 0 {
			return
		}
		list := make([]stat, len(found))
		for i, a := range found {
			list[i] = stat{a.Name, a.Status, a.State, a.CallsAnswered, a.TalkTime, a.LastBridgeStart, a.QueueName, a.QueueExtension, a.Domain}
		}
		text, err := json.Marshal(list)
		if err != nil {
			l.ctx.Log().Error("statistics of agents cannot be encoded", "err", err)
			return
		}
		// Each node that has pages of the domain tells them, so those of others are not told.
		l.enqueue(&push{topic: topicStats, ready: true, here: true, make: func() envelope.Raw { return text }})
	})
}

// queueChanged pushes the statistics anew when the switch says that something has happened to an agent. An event
// that names no queue may be about any domain.
func (l *life) queueChanged(e *eventsocket.Event) {
	_, changed, ok := strings.Cut(e.Get("CC-Queue"), "@")
	for _, domain := range l.watched() {
		if !ok || changed == domain {
			l.agents.forget(domain)
			l.pushSoon(domain)
		}
	}
}

// pushSoon pushes at once, or when the spacing is over.
func (l *life) pushSoon(domain string) {
	rest := spacing - l.ctx.Now().Sub(l.stats.pushed[domain])
	if rest <= 0 {
		l.pushDomain(domain)
		return
	}
	if l.stats.waiting[domain] {
		return
	}
	l.stats.waiting[domain] = true
	l.line.Add(rest, func() {
		delete(l.stats.waiting, domain)
		l.agents.forget(domain)
		l.pushDomain(domain)
	})
}
