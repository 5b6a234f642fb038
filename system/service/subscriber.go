package service

import (
	"encoding/json"
	"maps"
	"slices"

	"strowger/transport/wire"
)

// Subscriber is who asks, as the router knows it from the token. Nothing of it can be forged by a client.
type Subscriber struct {
	// ID names the connection; it is never given twice.
	ID         string
	DomainName string
	DomainUUID string
	// User is known inside the router only: the wire does not carry it.
	User        User
	permissions map[string]json.RawMessage
}

// User is the person behind a subscriber.
type User struct {
	UUID string
	Name string
	// Extensions are as user@context.
	Extensions []string
}

func newSubscriber(id string, a *Ask) *Subscriber {
	s := &Subscriber{ID: id, User: a.User}
	s.DomainName, _ = wire.Text(a.Envelope.DomainName)
	s.DomainUUID, _ = wire.Text(a.Envelope.DomainUUID)
	// Whoever has none comes with a list, which leaves the map nil.
	_ = json.Unmarshal(a.Envelope.Permissions, &s.permissions)
	return s
}

// Has reports whether the subscriber has the permission.
func (s *Subscriber) Has(permission string) bool {
	_, ok := s.permissions[permission]
	return ok
}

// Permissions are all that the subscriber has, sorted.
func (s *Subscriber) Permissions() []string { return slices.Sorted(maps.Keys(s.permissions)) }
