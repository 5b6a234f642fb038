package filter

// EventKey is the payload key that names a message's event.
const EventKey = "event_name"
