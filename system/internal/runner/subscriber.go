package runner

import (
	"encoding/json"
	"maps"
	"slices"

	"strowger/actors/envelope"
	"strowger/system/service"
)

func newSubscriber(id string, a *Ask) *service.Subscriber {
	s := &service.Subscriber{ID: id, User: a.User}
	s.DomainName, _ = envelope.Text(a.Envelope.DomainName)
	s.DomainUUID, _ = envelope.Text(a.Envelope.DomainUUID)
	var permissions map[string]json.RawMessage
	// Whoever has none comes with a list, which leaves the map nil.
	_ = json.Unmarshal(a.Envelope.Permissions, &permissions)
	s.Permissions = slices.Sorted(maps.Keys(permissions))
	return s
}
