package service

// Subscriber is who asks, as the router knows it from the token. Nothing of it can be forged by a client.
type Subscriber struct {
	// ID names the connection; it is never given twice.
	ID         string
	DomainName string
	DomainUUID string
	// User is known inside the router only: the wire does not carry it.
	User User
}

// User is the person behind a subscriber.
type User struct {
	UUID string
	Name string
	// Extensions are as user@context.
	Extensions []string
}

// Has reports whether the subscriber has the permission.
func (s *Subscriber) Has(permission string) bool { panic("not implemented") }

// Permissions are all that the subscriber has, sorted.
func (s *Subscriber) Permissions() []string { panic("not implemented") }
