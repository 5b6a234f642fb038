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
	Renewal                           // one that does not move the end of its connection
	Attempts                          // too many of them
	AuthTimeout                       // no good token in time
	TooBig                            // a message that is too long
	Fragments                         // a message of too many frames
	Depth                             // a message that is nested too deeply, which is ignored
	Keys                              // one whose envelope has too many keys
	Protocol                          // a breach of RFC 6455
	NotUTF8                           // a text that is not UTF-8
	SlowReader                        // too much waits for a peer that reads slowly
	BroadcastsDropped                 // some for a peer that reads slowly, as their policy chooses
	OutboundRate                      // takes too few bytes in a second of what waits for it
	OutboundTotal                     // the slowest, when too much waits for all together
	WriteTimeout                      // a write that a peer does not take
	Idle                              // no sign of life
	PingsEnded                        // none from a peer that used to send pings
	Unreachable                       // TCP has given up
	Shutdown                          // takes nothing while the router stops
	Connections                       // too many connections
	PerAddress                        // too many of one address
	ClientPlaces                      // too many clients: the other places are kept for services
	Unauthenticated                   // too many connections that have not authenticated
	UnauthenticatedBytes              // connections that have not authenticated hold too much
	Descriptors                       // no file descriptor is left
	Unchecked                         // a token that cannot be looked at now
	Ticket                            // a ticket that is not made, so that the client comes back with a token
	Waiting                           // a client whose connection is lost, and whose requests are kept no longer
	Accept                            // the kernel does not hand over a connection
	RequestRefused                    // a request that a policy refuses
	ReplyDropped                      // a reply that a policy drops, so that its asker is answered 403
	ForeignName                       // a message of a service under a name that is not its own
	UnknownName                       // a message of a service under a name that nobody offers or watches
	BroadcastUnheard                  // a broadcast that reaches nobody because it lacks what the policy goes by
	UnknownClass                      // a service that is taken for a client because of its class
	FilterValues                      // filters of a client that name too much, so that they are not used
	PresencePeople                    // somebody who is not told of among those who watch a service, because there are too many
	MessageRate                       // too many messages by HTTP in a second
	BodyTimeout                       // no complete body of an HTTP request in time
	IdempotencyKeys                   // too many HTTP requests with a key under way
	PendingRequests                   // too many requests of one client to one service are open
	ServiceRequests                   // too many of all clients to one service
	PendingBytes                      // those of all clients take too much
	Unkept                            // a request that another instance cannot get, because too much is kept of its client's
	SlowService                       // a request that finds no room because its service reads slowly
	InboundTotal                      // a client that holds most when all of them have sent too much
	FrameRate                         // a client that sends too many frames in a second, so that it is not read from for a while
	ByteRate                          // too many bytes
	Unanswered                        // a request that no service has answered in time, so that its asker is answered 504
	Ejected                           // a request for a service whose instances are all ejected
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
		Renewal:              {"renewal", "renewal of a token refused: the connection ends when it would have", "", slog.LevelWarn},
		Attempts:             {"authentication_attempts", "connection closed after too many refused tokens", "limits.authentication_attempts", slog.LevelWarn},
		AuthTimeout:          {"authentication_timeout", "connection closed because it did not authenticate in time", "limits.authentication_timeout", slog.LevelWarn},
		TooBig:               {"message_too_big", "connection closed because of a message that is too big", "", slog.LevelWarn},
		Fragments:            {"fragments", "connection closed because of a message of too many frames", "limits.fragments", slog.LevelWarn},
		Depth:                {"depth", "message ignored because it is nested too deeply", "limits.depth", slog.LevelWarn},
		Keys:                 {"keys", "message ignored because its envelope has too many keys", "limits.keys", slog.LevelWarn},
		Protocol:             {"protocol_error", "connection closed because of a protocol error", "", slog.LevelWarn},
		NotUTF8:              {"not_utf8", "connection closed because of a text that is not UTF-8", "", slog.LevelWarn},
		SlowReader:           {"slow_reader", "slow consumer disconnected", "limits.outbound_messages, limits.outbound_bytes", slog.LevelWarn},
		BroadcastsDropped:    {"broadcasts_dropped", "broadcasts dropped for a slow consumer, as the policy of their service chooses", "policies, limits.outbound_messages, limits.outbound_bytes", slog.LevelWarn},
		OutboundRate:         {"outbound_rate", "slow consumer disconnected because it takes too few bytes in a second", "limits.outbound_rate", slog.LevelWarn},
		OutboundTotal:        {"outbound_total", "slowest consumer disconnected because too much waits for all of them", "limits.outbound_total_bytes", slog.LevelWarn},
		WriteTimeout:         {"write_timeout", "slow consumer disconnected in the middle of a write", "limits.write_timeout", slog.LevelWarn},
		Idle:                 {"idle", "connection closed because it gave no sign of life", "keepalive.idle_timeout", slog.LevelWarn},
		PingsEnded:           {"pings_ended", "connection closed because it used to send pings and is silent", "keepalive.pinger_timeout", slog.LevelWarn},
		Unreachable:          {"unreachable", "connection lost because the peer cannot be reached", "keepalive.tcp", slog.LevelWarn},
		Shutdown:             {"shutdown", "slow consumer disconnected because the router stops", "shutdown.timeout", slog.LevelWarn},
		Connections:          {"connections", "connection refused because there are too many", "limits.connections", slog.LevelWarn},
		PerAddress:           {"connections_per_address", "connection refused because its address has too many", "limits.connections_per_address", slog.LevelWarn},
		ClientPlaces:         {"client_places", "client turned away because the places that are left are kept for services", "limits.connections, limits.service_reserve", slog.LevelWarn},
		Unauthenticated:      {"unauthenticated", "oldest unauthenticated connection closed to make room", "limits.unauthenticated", slog.LevelWarn},
		UnauthenticatedBytes: {"unauthenticated_bytes", "unauthenticated connection closed because all of them hold too much", "limits.unauthenticated_total_bytes", slog.LevelWarn},
		Descriptors:          {"descriptors", "connection refused because no file descriptor is left", "LimitNOFILE, limits.connections", slog.LevelError},
		Unchecked:            {"unchecked", "connection closed because its token cannot be checked now", "", slog.LevelWarn},
		Ticket:               {"ticket", "no ticket is made for a client that asked for one", "", slog.LevelWarn},
		Waiting:              {"resume_wait", "client whose connection is lost not waited for: its open requests are lost", "", slog.LevelWarn},
		Accept:               {"accept", "connection could not be accepted", "", slog.LevelError},
		RequestRefused:       {"request_refused", "request refused by policy: the service did not see it", "policies", slog.LevelWarn},
		ReplyDropped:         {"reply_dropped", "reply dropped by policy: the request was carried out and answered 403", "policies", slog.LevelWarn},
		ForeignName:          {"foreign_name", "service spoke under a name that is not its own", "services.classes", slog.LevelWarn},
		UnknownName:          {"unknown_name", "service spoke under a name that nobody offers or watches", "", slog.LevelWarn},
		BroadcastUnheard:     {"broadcast_unheard", "broadcast reached nobody: it lacks the key that its policy goes by", "policies", slog.LevelWarn},
		UnknownClass:         {"unknown_class", "token of a service makes its holder a client because the class is not known", "services.classes, services.unknown_class", slog.LevelWarn},
		FilterValues:         {"filter_values", "filters of a client not used because they name too many topics and values", "limits.filter_values", slog.LevelWarn},
		PresencePeople:       {"presence_people", "watcher of a service not told of because too many are", "limits.presence_people", slog.LevelWarn},
		MessageRate:          {"http_rate", "HTTP request refused because its sender sends too many messages", "http.rate", slog.LevelWarn},
		BodyTimeout:          {"http_body_timeout", "HTTP request refused because its body did not come in time", "http.body_timeout", slog.LevelWarn},
		IdempotencyKeys:      {"http_idempotency_keys", "HTTP request refused because too many with a key are under way", "http.idempotency_keys", slog.LevelWarn},
		PendingRequests:      {"pending_requests", "request answered 503 because its client has too many open at the service", "limits.pending_requests", slog.LevelWarn},
		ServiceRequests:      {"service_requests", "request answered 503 because its service has too many open", "limits.service_requests", slog.LevelWarn},
		PendingBytes:         {"pending_total_bytes", "request answered 503 because all open requests together take too much", "limits.pending_total_bytes", slog.LevelWarn},
		Unkept:               {"pending_bytes", "request is not kept for another instance: its asker gets 503 if this one dies", "limits.pending_bytes, limits.pending_total_bytes", slog.LevelWarn},
		SlowService:          {"slow_service", "request answered 503 because the service reads too slowly", "limits.outbound_messages, limits.outbound_bytes, limits.outbound_total_bytes", slog.LevelWarn},
		InboundTotal:         {"inbound_total", "client disconnected because all of them have sent too much that is under way, and it most", "limits.inbound_total_bytes", slog.LevelWarn},
		FrameRate:            {"message_rate", "connection not read for a second because it sends too many messages", "limits.message_rate", slog.LevelWarn},
		ByteRate:             {"byte_rate", "connection not read for a second because it sends too many bytes", "limits.byte_rate", slog.LevelWarn},
		Unanswered:           {"unanswered", "request not answered in time: its asker got 504", "routing.request_timeout, routing.unanswered", slog.LevelWarn},
		Ejected:              {"ejected", "request answered 503 because all instances of the service are ejected", "routing.eject_after, routing.eject_silence, routing.health", slog.LevelWarn},
	}[c]
}

// String returns the cause as a label.
func (c Cause) String() string { return c.text().label }
