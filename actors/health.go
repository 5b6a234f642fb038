package actors

import (
	"time"

	"strowger/actors/envelope"
)

type (
	// checkHealth has a service send health requests to its instances.
	checkHealth struct{ unmissed }
	// reconsider tells a service that the settings have changed.
	reconsider struct{ unmissed }
)

func (*checkHealth) toService() {}
func (*reconsider) toService()  {}

// health is how a service asks its instances whether they answer.
type health struct {
	asker *Peer        // as whom the router asks; nil: it does not
	key   envelope.Key // of its requests
	asked time.Time    // by Deps.Awake: when they were sent last
	stop  func() bool  // stops the timer of the next request; nil: none set
}

// SettingsChanged tells all services and topics that the settings have changed.
func (d *Deps) SettingsChanged() {
	for route := range d.Registry.All() {
		route.Service.Send(&reconsider{})
		route.Topic.Send(&settingsChanged{})
	}
}

// reconsider lets those instances get requests again that the new settings would not eject.
func (s *service) reconsider() {
	set := s.deps.settings()
	checked := set.Health[s.name] != ""
	for _, i := range s.instances {
		if i.ejected && (i.why == byHealth && !checked || i.why != byHealth && !set.ejects()) {
			s.readmit(i)
		}
		if !checked {
			i.unwell = false
		}
	}
	s.checkLater()
}

// checkLater sets the timer of the next health request, if there are to be any.
func (s *service) checkLater() {
	set := s.deps.settings()
	if set.Health[s.name] == "" {
		if s.health.stop != nil {
			s.health.stop()
		}
		s.health = health{}
		return
	}
	if s.health.stop != nil || len(s.instances) == 0 {
		return
	}
	if s.health.asker == nil {
		id := envelope.NewID()
		s.health.asker = &Peer{Identity: Identity{
			ID: id, Role: Client, resourceID: envelope.QuoteString(id), tenant: s.deps.tenantOf("", ""), grants: s.deps.grantsOf(nil),
		}}
		s.health.key = envelope.KeyOf(s.health.asker.resourceID)
	}
	s.health.asked = s.deps.Awake()
	s.health.stop = s.self.After(s.deps.Clock, set.HealthInterval, &checkHealth{})
}

// checkHealth ejects the instances that have not answered the last health request, and sends the next one to all.
func (s *service) checkHealth() {
	s.health.stop = nil
	set := s.deps.settings()
	topic := set.Health[s.name]
	if topic == "" {
		return
	}
	if early := set.HealthInterval - s.deps.Awake().Sub(s.health.asked); early > 0 {
		// The process did not run for a while, so the services get that time again.
		s.health.stop = s.self.After(s.deps.Clock, early, &checkHealth{})
		return
	}
	for _, i := range s.instances {
		if !i.judged() || !s.takes(i) {
			continue
		}
		if i.unwell {
			s.eject(i, byHealth)
		}
		i.unwell = true
		i.peer.Outlet.Send(s.healthRequest(topic))
	}
	s.checkLater()
}

// healthRequest returns a request of the router's own. An instance that has no room for it does not answer it.
func (s *service) healthRequest(topic string) Message {
	e := &envelope.Envelope{
		ServiceName: envelope.QuoteString(s.name), Topic: envelope.QuoteString(topic), RequestID: s.health.asker.resourceID,
	}
	s.health.asker.stamp(e)
	m := s.deps.Egress.Encode(e, nil)
	m.Refused = unasked{}
	return m
}

// unasked is told that a health request found no room.
type unasked struct{}

// Refuse implements Refuser.
func (unasked) Refuse() {}

// answersHealth takes the answer to a health request. Any answer shows that the instance works.
func (s *service) answersHealth(m *say) bool {
	if s.health.asker == nil || requestKey(m.envelope) != s.health.key {
		return false
	}
	i := s.instance(m.from)
	if i == nil {
		return false
	}
	i.unwell = false
	if i.ejected && i.why == byHealth {
		s.readmit(i)
	}
	return true
}
