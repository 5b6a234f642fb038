package refusals

import "log/slog"

// Cause says why the router refused a peer or what it sent, or cut it off.
type Cause int

// The causes. String returns the label that logs and metrics show.
const (
	Handshake            Cause = iota // a request that asks for no WebSocket
	Abandoned                         // the peer left before its request was complete, as port checks do
	Origin                            // a page of a host that may not connect
	ProxyHeader                       // no PROXY header that makes sense
	HeaderBytes                       // a request head that is too long
	HeaderTimeout                     // no complete request head in time
	Token                             // a token that is not good
	Attempts                          // too many of them
	AuthTimeout                       // no good token in time
	TooBig                            // a message that is too long
	Protocol                          // a breach of RFC 6455
	NotUTF8                           // a text that is not UTF-8
	SlowReader                        // too much waits for a peer that reads slowly
	WriteTimeout                      // a write that a peer does not take
	Idle                              // no sign of life
	PingsEnded                        // none from a peer that used to send pings
	Unreachable                       // TCP has given up
	Shutdown                          // takes nothing while the router stops
	Connections                       // too many connections
	ClientPlaces                      // too many clients: the other places are kept for services
	Unauthenticated                   // too many connections that have not authenticated
	UnauthenticatedBytes              // connections that have not authenticated hold too much
	Descriptors                       // no file descriptor is left
	Accept                            // the kernel does not hand over a connection
	RequestRefused                    // a request that a policy refuses
	ReplyDropped                      // a reply that a policy drops, so that its asker is answered 403
	ForeignName                       // a message of a service under a name that is not its own
	UnknownName                       // a message of a service under a name that nobody offers or watches
	BroadcastUnheard                  // a broadcast that reaches nobody because it lacks what the policy goes by
	UnknownClass                      // a service that is taken for a client because of its class
	causes
)

// text is what the log says of a cause.
type text struct {
	label   string
	message string
	setting string // the one that decides; empty: none, or the event says which
	level   slog.Level
}

func (c Cause) text() text {
	return [causes]text{
		Handshake:            {"handshake", "handshake refused", "", slog.LevelWarn},
		Abandoned:            {"abandoned", "handshake abandoned by the peer", "", slog.LevelDebug},
		Origin:               {"origin", "origin refused", "listen.origins", slog.LevelWarn},
		ProxyHeader:          {"proxy_header", "connection of a trusted proxy without a good PROXY header", "listen.proxy_protocol, listen.trusted_proxies", slog.LevelWarn},
		HeaderBytes:          {"header_bytes", "request head too long", "limits.header_bytes", slog.LevelWarn},
		HeaderTimeout:        {"header_timeout", "no complete request in time", "limits.header_timeout", slog.LevelWarn},
		Token:                {"token", "authentication refused", "", slog.LevelWarn},
		Attempts:             {"authentication_attempts", "connection closed after too many refused tokens", "limits.authentication_attempts", slog.LevelWarn},
		AuthTimeout:          {"authentication_timeout", "connection closed because it did not authenticate in time", "limits.authentication_timeout", slog.LevelWarn},
		TooBig:               {"message_too_big", "connection closed because of a message that is too big", "", slog.LevelWarn},
		Protocol:             {"protocol_error", "connection closed because of a protocol error", "", slog.LevelWarn},
		NotUTF8:              {"not_utf8", "connection closed because of a text that is not UTF-8", "", slog.LevelWarn},
		SlowReader:           {"slow_reader", "slow consumer disconnected", "limits.outbound_messages, limits.outbound_bytes", slog.LevelWarn},
		WriteTimeout:         {"write_timeout", "slow consumer disconnected in the middle of a write", "limits.write_timeout", slog.LevelWarn},
		Idle:                 {"idle", "connection closed because it gave no sign of life", "keepalive.idle_timeout", slog.LevelWarn},
		PingsEnded:           {"pings_ended", "connection closed because it used to send pings and is silent", "keepalive.pinger_timeout", slog.LevelWarn},
		Unreachable:          {"unreachable", "connection lost because the peer cannot be reached", "keepalive.tcp", slog.LevelWarn},
		Shutdown:             {"shutdown", "slow consumer disconnected because the router stops", "shutdown.timeout", slog.LevelWarn},
		Connections:          {"connections", "connection refused because there are too many", "limits.connections", slog.LevelWarn},
		ClientPlaces:         {"client_places", "client turned away because the places that are left are kept for services", "limits.connections, limits.service_reserve", slog.LevelWarn},
		Unauthenticated:      {"unauthenticated", "oldest unauthenticated connection closed to make room", "limits.unauthenticated", slog.LevelWarn},
		UnauthenticatedBytes: {"unauthenticated_bytes", "unauthenticated connection closed because all of them hold too much", "limits.unauthenticated_total_bytes", slog.LevelWarn},
		Descriptors:          {"descriptors", "connection refused because no file descriptor is left", "LimitNOFILE, limits.connections", slog.LevelError},
		Accept:               {"accept", "connection could not be accepted", "", slog.LevelError},
		RequestRefused:       {"request_refused", "request refused by policy: the service did not see it", "policies", slog.LevelWarn},
		ReplyDropped:         {"reply_dropped", "reply dropped by policy: the request was carried out and answered 403", "policies", slog.LevelWarn},
		ForeignName:          {"foreign_name", "service spoke under a name that is not its own", "services.classes", slog.LevelWarn},
		UnknownName:          {"unknown_name", "service spoke under a name that nobody offers or watches", "", slog.LevelWarn},
		BroadcastUnheard:     {"broadcast_unheard", "broadcast reached nobody: it lacks the key that its policy goes by", "policies", slog.LevelWarn},
		UnknownClass:         {"unknown_class", "token of a service makes its holder a client because the class is not known", "services.classes, services.unknown_class", slog.LevelWarn},
	}[c]
}

// String returns the cause as a label.
func (c Cause) String() string { return c.text().label }
