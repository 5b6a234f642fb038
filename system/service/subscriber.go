package service

import "slices"

// Subscriber is who asks, as the router knows it from the token. Nothing of it can be forged by a client.
type Subscriber struct {
	// ID names the connection; it is never given twice.
	ID         string
	DomainName string
	DomainUUID string
	// Permissions are all that the subscriber has, sorted.
	Permissions []string
	// User is known inside the router only: the wire does not carry it.
	User User
}

// User is the person to whom a subscriber's token was given.
type User struct {
	UUID string
	Name string
	// Extensions are as user@context.
	Extensions []string
}

// Has reports whether the subscriber has the permission.
func (s *Subscriber) Has(permission string) bool {
	_, ok := slices.BinarySearch(s.Permissions, permission)
	return ok
}
