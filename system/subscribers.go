package system

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"strowger/actors"
)

// Subscriber is a connection that is subscribed to a service.
type Subscriber struct {
	ID       string `json:"subscriber"` // for Explain
	Role     string `json:"role"`
	User     string `json:"user,omitempty"`
	UserUUID string `json:"user_uuid,omitempty"`
	Domain   string `json:"domain,omitempty"`
	// Service is the name of a service that is subscribed to another one.
	Service string `json:"service,omitempty"`
	Remote  string `json:"remote"`
}

// Subscribers returns the connections that are subscribed to a service, by domain, user and id. The error
// is ErrUnknownService or says that the topic did not answer.
func (s *System) Subscribers(service string) ([]Subscriber, error) {
	if !s.made() {
		return nil, ErrUnknownService
	}
	route := s.deps.Registry.Lookup(service)
	if route == nil {
		return nil, ErrUnknownService
	}
	result, err := s.deps.System.Root.RequestFuture(route.Topic.PID(), &actors.ListMembers{}, explainTimeout).Result()
	if err != nil {
		return nil, fmt.Errorf("ask the topic: %w", err)
	}
	members, ok := result.(*actors.Members)
	if !ok {
		return nil, fmt.Errorf("ask the topic: it answered with a %T", result)
	}
	all := make([]Subscriber, 0, len(members.Peers))
	for _, p := range members.Peers {
		one := Subscriber{ID: p.ID, Role: p.Role.String(), User: p.UserName, UserUUID: p.UserUUID, Domain: p.Domain(), Service: p.Name}
		if p.Remote != nil {
			one.Remote = p.Remote.String()
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Subscriber) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.User, b.User), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// subscribersHandler answers GET ?service=NAME with a list of Subscribers. It shows who is connected, so
// it is for a listener that only administrators reach.
func (s *System) subscribersHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service := r.URL.Query().Get("service")
		if service == "" {
			http.Error(w, "subscribers: want service", http.StatusBadRequest)
			return
		}
		all, err := s.Subscribers(service)
		switch {
		case err == nil:
		case errors.Is(err, ErrUnknownService):
			http.Error(w, "subscribers: "+err.Error(), http.StatusNotFound)
			return
		default:
			http.Error(w, "subscribers: "+err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// An error means that whoever asked is gone.
		_ = json.NewEncoder(w).Encode(all)
	})
}
