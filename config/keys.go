package config

import (
	"strings"
	"time"

	"strowger/config/policy"
)

// key is one row of the table: all there is to know about a key.
type key struct {
	name  string // section and key, joined by a dot
	def   any    // default; its type is the key's type
	rule  rule
	apply apply
	doc   string // meaning, with the unit and what zero or empty means
}

// apply says when a changed value takes effect.
type apply bool

const (
	onReload  apply = true
	onRestart apply = false
)

// keys returns the table, in the order in which it is printed. A key exists
// when it has a row here and a field in Config; a test compares the two.
func keys() []key {
	return []key{
		{"listen.address", "127.0.0.1:8080", address(), onRestart,
			"TCP address to accept connections on. An empty host means all interfaces, port 0 any free port. PHP services connect to websocket.host and websocket.port of FusionPBX's config.conf, so the two must agree."},
		{"listen.origins", []string{}, origins(), onReload,
			"Pages of other hosts that may connect: host names, or full origins such as https://pbx.example.com. Pages in files have the origin null or file://. A request without an Origin, or with the host name it asks for, is always accepted; * accepts every origin."},
		{"listen.client", false, anyBool(), onReload,
			"Whether a GET of any path that ends in /strowger.js is answered with the TypeScript client, as a script for pages. The admin port always has it at /strowger.js."},
		{"listen.http", false, anyBool(), onReload,
			"Whether requests with a path that ends in /publish, /request or /events are answered: services and backends publish and request by HTTP, and pages get server-sent events where WebSockets are blocked. See docs/clients.md."},
		{"listen.compression", false, anyBool(), onReload,
			"Whether browsers that offer it get messages compressed (permessage-deflate, RFC 7692), for connections that come after a change. It saves bandwidth and costs processor time; a broadcast is compressed once for all who get the same. Do not set it where a proxy compresses already."},
		{"listen.compression_level", 1, between(1, 9), onReload,
			"How hard to compress: 1 is fastest, 9 smallest."},
		{"listen.compression_threshold", KiB, between(Size(64), GiB), onReload,
			"Size in bytes from which on a message is compressed."},
		{"listen.trusted_proxies", []string{}, networks(), onRestart,
			"Addresses and networks, such as 127.0.0.1 or 10.0.0.0/8, of proxies whose X-Forwarded-For (or Forwarded) is believed. The log then shows the client's address as remote, and not the proxy's. The console counts wrong passwords for that address too, and believes X-Forwarded-Proto. Empty means that nobody is believed. List only proxies that write the header themselves, because others pass on what the client invents."},
		{"listen.proxy_protocol", "off", oneOf("off", "optional", "required"), onRestart,
			"Whether connections of trusted proxies begin with a header of the PROXY protocol, version 1 or 2, which names the client: none do, some do, or all do. Use optional if services connect from a proxy's address without one, as those on the same machine do. Then the proxy must write the header itself, because it passes on what the client sends. A header must come within limits.header_timeout and has at most 4KiB. Needs listen.trusted_proxies."},
		{"listen.tls_certificate", "", anyText(), onRestart,
			"PEM file with the certificate chain, a regular file. A reload reads the file again; another file name needs a restart. Empty means no TLS, for use behind a proxy that ends it. Needs listen.tls_key."},
		{"listen.tls_key", "", anyText(), onRestart,
			"PEM file with the private key of listen.tls_certificate, which a reload reads again too."},

		{"limits.connections", 19000, between(1, 1_000_000), onReload,
			"Connections open at the same time. The process needs 96 file descriptors more than that; with fewer the router takes fewer connections and says so in the log."},
		{"limits.service_reserve", 64, between(0, 1_000_000), onReload,
			"Connections of limits.connections that are kept for services: when clients have all others, a further client is closed with 1013 and its token stays good. Never more than a quarter of limits.connections. 0 means that clients may take every place."},
		{"limits.unauthenticated", 9500, between(0, 1_000_000), onReload,
			"Connections that may be open without having authenticated. Beyond it the oldest of them is closed, so that silent peers cannot keep services and users out. Never more than half of limits.connections. 0 means no bound: they may take every place, and nobody is closed to make room."},
		{"limits.connections_per_address", 0, between(0, 1_000_000), onReload,
			"Connections that one address may have open, of those that come while this is set. A further one is answered 503. The addresses of a /64 network of IPv6 count as one. A proxy that listen.trusted_proxies does not name counts for all its clients, and one that is named is exempt where it names nobody. 0 means any number, because many users may share an address."},
		{"limits.handshakes", 0, between(0, 65_536), onReload,
			"Handshakes that are worked on at the same time. A further one waits for its turn, so that a flood of newcomers does not hold up who is connected. A handshake that waits for its peer does not count. 0 means two for each processor."},
		{"limits.header_bytes", 8 * KiB, between(KiB, MiB), onReload,
			"Largest HTTP request head."},
		{"limits.header_timeout", 10 * time.Second, between(100*time.Millisecond, 5*time.Minute), onReload,
			"Time a peer has for its complete HTTP request head."},
		{"limits.authentication_timeout", time.Minute, between(100*time.Millisecond, time.Hour), onReload,
			"Time a connection may stay unauthenticated. Below 15s the operator panel page no longer recovers from a refused token."},
		{"limits.authentication_attempts", 5, between(1, 1000), onReload,
			"Refused tokens after which a connection is closed."},
		{"limits.unauthenticated_bytes", 8 * KiB, between(KiB, GiB), onReload,
			"Largest message from a connection that has not authenticated, all its fragments together. A message with a token has some 300 bytes."},
		{"limits.unauthenticated_total_bytes", 32 * MiB, between(MiB, 64*GiB), onReload,
			"Bytes that all unauthenticated connections together may hold: unfinished messages, messages under way, and answers that they do not read. Beyond that, an unauthenticated connection is closed when it holds more than 1KiB. A peer that sends a token and waits for the answer always has room. Never more than a sixteenth of the memory limit (memory.limit)."},
		{"limits.client_bytes", MiB, between(KiB, GiB), onReload,
			"Largest message from a browser, all its fragments together."},
		{"limits.service_bytes", 16 * MiB, between(KiB, GiB), onReload,
			"Largest message from a service, all its fragments together. A service in the router may have as much under way of what it has said: beyond that its sources and broadcasts wait."},
		{"limits.fragments", 16_384, between(16, 1_000_000), onReload,
			"Frames that one message may consist of. A message of more is treated as one that is too big: its connection is closed with 1009."},
		{"limits.depth", 511, between(8, 1024), onReload,
			"Levels of nesting in a JSON message."},
		{"limits.keys", 256, between(32, 65_536), onReload,
			"Keys that the envelope of a message may have, those that the router does not know included. A message with more is ignored. Keys inside the payload do not count, because they cost no more than other bytes."},
		{"limits.inbound_messages", 16, between(1, 65_536), onReload,
			"Messages of one connection that may be under way inside the router; at that many its socket is not read."},
		{"limits.service_inbound_messages", 64, between(1, 65_536), onReload,
			"The same for the connection of a service."},
		{"limits.inbound_total_bytes", Size(0), between(0, 1024*GiB), onReload,
			"Bytes that browsers together may have sent of messages over 4KiB which are not complete or under way. Beyond it those that hold most are disconnected. 0 means a sixteenth of the memory limit (memory.limit), and 1GiB where there is none."},
		{"limits.message_rate", 10_000, between(0, 1_000_000), onReload,
			"Messages that a browser may send in a second; pings, pongs and each fragment of a message count as well. Beyond that its socket is not read for a second, so nothing is lost. Services are exempt. 0 means any number."},
		{"limits.byte_rate", 16 * MiB, between(0, 64*GiB), onReload,
			"Bytes that a browser may send in a second. Beyond that its socket is not read for a second, so nothing is lost. Services are exempt. 0 means any number."},
		{"limits.outbound_messages", 1024, between(1, 1_000_000), onReload,
			"Messages that may wait for one slow reader before it is disconnected. A slow service stays connected, and requests beyond are answered 503."},
		{"limits.outbound_bytes", 4 * MiB, between(64*KiB, 4*GiB), onReload,
			"Bytes that may wait for one slow reader before it is disconnected."},
		{"limits.outbound_total_bytes", Size(0), between(0, 1024*GiB), onReload,
			"Bytes that may wait for all slow readers together, those of streams, and of bodies and answers by HTTP, included; what several sockets wait for counts once. Beyond it the slowest clients are disconnected, and requests to slow services are answered 503. 0 means a quarter of the memory limit (memory.limit), and 1GiB where there is none."},
		{"limits.outbound_rate", 8 * KiB, between(0, GiB), onReload,
			"Bytes a second that a reader must take at least, over the time of limits.write_timeout, as long as more waits for it. A slower one is disconnected. 0 means any rate that satisfies limits.write_timeout."},
		{"limits.write_timeout", 30 * time.Second, between(100*time.Millisecond, 10*time.Minute), onReload,
			"Time one write to a socket may take before the connection is closed."},
		{"limits.pending_requests", 1024, between(1, 1_000_000), onReload,
			"Unanswered requests that one client may have at one service, whether or not their ids differ. A further one is answered 503."},
		{"limits.service_requests", 100_000, between(1, 10_000_000), onReload,
			"Unanswered requests that all clients together may have at one service. Beyond it a client that has 16 unanswered requests at the service is answered 503."},
		{"limits.pending_bytes", 4 * MiB, between(KiB, 64*GiB), onReload,
			"Bytes of unanswered requests of one client to one service that are kept, so that another instance can get them (routing.instances: failover). A request beyond is answered 503 if its instance dies."},
		{"limits.pending_total_bytes", Size(0), between(0, 1024*GiB), onReload,
			"Memory that the unanswered requests of all clients may take. Half of it may be whole messages. Beyond it a client that has 16 unanswered requests at a service is answered 503. 0 means an eighth of the memory limit (memory.limit), and 256MiB where there is none."},
		{"limits.filter_values", 64, between(1, 4096), onReload,
			"Topics and values that the filters of one client may name together, with which it asks to get less of its services. A filter beyond it is not used: the client gets all, and is told. It holds for clients that authenticate from then on."},
		{"limits.presence_people", 1000, between(1, 10_000), onReload,
			"People on one node that are told of for each service whose policy tells who watches it. Those beyond are not told of until there is room, nor those whose names take more than 1 KiB. A node takes as many from each other node. Set it alike on all nodes."},
		{"limits.history_bytes", 64 * MiB, between(64*KiB, 64*GiB), onReload,
			"Bytes that all kept broadcasts may take together, those of services whose policy has a history. Beyond it those services keep fewer that have more than their equal share, and clients that come back late are told that they missed some. Never more than a sixteenth of the memory limit (memory.limit)."},

		{"http.batch", 100, between(1, 10_000), onReload,
			"Messages that one HTTP request may have. One with more is answered 413. limits.client_bytes and limits.service_bytes bound its body."},
		{"http.body_timeout", 30 * time.Second, between(100*time.Millisecond, 10*time.Minute), onReload,
			"Time a peer has for the body of an HTTP request, which is answered 408 then."},
		{"http.rate", 1000, between(0, 1_000_000), onReload,
			"Messages that one identity may send by HTTP in a second, over all its connections. Further requests are answered 429. One that has been silent may send as many more at once. 0 means no bound."},
		{"http.idempotency_lifetime", 10 * time.Minute, zeroOr(between(time.Second, 24*time.Hour)), onReload,
			"Time for which the answer to an HTTP request with an Idempotency-Key is kept, so that the same request gets it again and is not carried out again. 0s means that such keys are ignored."},
		{"http.idempotency_keys", 10_000, between(1, 1_000_000), onReload,
			"Answers that are kept for their Idempotency-Key. Beyond that the oldest of the sender with the most is forgotten. If all are of requests that are under way, a further one is answered 503."},
		{"http.idempotency_bytes", 16 * MiB, between(64*KiB, 16*GiB), onReload,
			"Bytes of these answers. Beyond that the oldest of the sender with the most are forgotten. Never more than a sixteenth of the memory limit (memory.limit)."},

		{"keepalive.ping_interval", 25 * time.Second, zeroOr(between(time.Second, time.Hour)), onReload,
			"Time between two WebSocket pings to a browser, and between two comments in a stream of server-sent events. 0s means none."},
		{"keepalive.idle_timeout", 90 * time.Second, zeroOr(between(time.Second, 24*time.Hour)), onReload,
			"Time after which a browser's connection is closed when nothing was read from it, not even a pong. 0s means never. Must be longer than keepalive.ping_interval."},
		{"keepalive.pinger_timeout", 90 * time.Second, zeroOr(between(time.Second, 24*time.Hour)), onReload,
			"Time after which a service that has sent WebSocket pings of its own is closed when nothing was read from it; at least three times the longest time between two of its pings. 0s means never. It holds for browsers where keepalive.idle_timeout is 0s."},
		{"keepalive.tcp", 15 * time.Second, between(time.Second, time.Hour), onReload,
			"Time between two TCP keepalive probes, for connections that come after a change. A peer that cannot be reached is given up after four times that, whether or not data is under way to it (on Linux; see docs/deploy.md). Dead services are found by this only, unless they send pings, since PHP services cannot be pinged."},

		{"tokens.directory", "", directory(), onRestart,
			"Directory of the token files, an absolute path. Empty means /dev/shm where it can be written, otherwise the system's temporary directory, which is how PHP chooses; on Windows strowger\\tokens in the user's %LocalAppData%."},
		{"tokens.owners", []string{}, owners(), onRestart,
			"Users, by name or number, whose token files are accepted besides those of the daemon's own user, www-data and root."},
		{"tokens.max_bytes", 8 * MiB, between(4*KiB, 64*MiB), onRestart,
			"Largest token file. A token of FusionPBX has a row for each of the user's extensions, of some 500 bytes each."},
		{"tokens.max_depth", 64, between(4, 10_000), onRestart,
			"Levels of nesting in a token file."},
		{"tokens.max_permissions", 10_000, between(100, 1_000_000), onRestart,
			"Permissions that a token may have; one with more is refused."},
		{"tokens.max_services", 256, between(16, 65_536), onRestart,
			"Subscriptions that a token may have; one with more is refused."},
		{"tokens.max_extensions", 65_536, between(100, 1_000_000), onRestart,
			"Extensions that a token may have; one with more is refused. tokens.max_bytes bounds them too."},
		{"tokens.waiting", 20_000, between(8, 1_000_000), onReload,
			"Tokens that may wait to be looked at, as they do while their directory hangs; JWTs and API keys have a queue of their own with the same bound. A further connection is closed with 1013 and its token stays good, and a renewal is answered 503."},
		{"tokens.sweep_interval", 10 * time.Minute, zeroOr(between(time.Minute, 24*time.Hour)), onRestart,
			"Time between two looks for token files to delete: those whose limit has passed an hour ago or more. 0s means they stay."},
		{"tokens.unclaimed_after", time.Duration(0), zeroOr(between(time.Hour, 8760*time.Hour)), onRestart,
			"Age at which a token without a limit is deleted as well. 0s means never: it is good for ever, and a page in a sleeping laptop may still come for it. Needs tokens.sweep_interval."},
		{reclaimKey, time.Duration(0), zeroOr(between(time.Second, 24*time.Hour)), onReload,
			"Time for which a client whose connection is gone may come back with its token, from the same address, as pages of FusionPBX do. Not after the token's own limit, nor after the client has closed the connection in good order. 0s means that a token is good for one connection. With --fusionpbx the default is 5m. See docs/tokens.md."},
		{"tokens.reclaim_count", 20_000, between(100, 10_000_000), onReload,
			"Tokens whose connection is gone that are kept for those who come back. Beyond that the one that would be forgotten first is forgotten now."},
		{"tokens.reclaim_file", "", directory(), onRestart,
			"File in which the daemon keeps these tokens while it is restarted, an absolute path. Only the daemon's user can read it, and it holds hashes of the tokens. Empty means .strowger-reclaim-PORT in the directory of the token files, with the port of listen.address, and no file for port 0."},
		{ticketsKey, time.Duration(0), zeroOr(between(10*time.Second, 24*time.Hour)), onReload,
			"Time for which a ticket is good. A client that asks for tickets comes back with one over another connection, after a lost network, a restart of the daemon or on another node, without a new token. Never longer than the token's own limit. 0s means that there are none. See docs/protocol.md, section 16."},
		{"tokens.ticket_key_file", "", directory(), onRestart,
			"File with the keys of tickets, an absolute path: each 32 bytes in base64 on a line of its own. The first one seals, all of them open. A reload reads it again. The daemon makes it if there is none; only its user may be able to read it. The nodes of a cluster need the same keys. Empty means .strowger-tickets-PORT in the directory of the token files, and with port 0 a key that ends with the daemon. Beside it, with .used at the end of the name, is which tickets are used up."},
		{ticketBytesKey, 6 * KiB, between(512, MiB), onReload,
			"Largest ticket. A client whose permissions take more room gets none. limits.unauthenticated_bytes must have room for it and the message around it."},
		{"tokens.ticket_count", 20_000, between(100, 10_000_000), onReload,
			"Used tickets that are remembered until their time is over, so that none is good twice. Beyond that the oldest is forgotten, and all tickets that were made before its use are refused."},
		{"tokens.resume_wait", 5 * time.Second, zeroOr(between(100*time.Millisecond, 5*time.Minute)), onReload,
			"Time for which the open requests of a client with a ticket are kept after its connection is lost. If it comes back to this node with the ticket by then, it gets the answers over the new connection. limits.pending_total_bytes bounds what is kept for all clients together. 0s means that the requests are lost with the connection."},
		{"tokens.resume_count", 1000, between(1, 100_000), onReload,
			"Clients whose requests are kept so at the same time. For one more, those of the client are given up that has been away for longest, of the address with the most such clients."},
		{"tokens.resume_messages", 1000, between(1, 1_000_000), onReload,
			"Answers that are kept for one such client. With one more its requests are given up."},
		{"tokens.resume_bytes", MiB, between(KiB, GiB), onReload,
			"Bytes of these answers."},

		{"jwt.keys", []string{}, keyFiles(), onReload,
			"Keys that JWTs are checked with: each an algorithm, a space and the absolute path of a file, such as RS256 /etc/strowger/issuer.pem. A reload reads the files again. Algorithms are HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384, ES512 and EdDSA; a key is good for its own only. A file has a public key or a certificate in PEM, a JWK, or for HS the secret as it is. See docs/tokens.md."},
		{"jwt.jwks", []string{}, keySets(), onReload,
			"URLs of JWK Sets with keys that JWTs are checked with, such as https://login.example.com/.well-known/jwks.json. Each may stand behind the issuer that its keys are for and a space. http is accepted only for this machine. Redirects are not followed. Needs jwt.issuers, or an issuer before each URL, and jwt.audiences."},
		{"jwt.issuers", []string{}, texts(), onReload,
			"Values of the claim iss that are accepted. Empty means any."},
		{"jwt.audiences", []string{}, texts(), onReload,
			"Values of the claim aud, of which a JWT must have one. Empty means that it must have none."},
		{"jwt.leeway", 30 * time.Second, between(time.Duration(0), 10*time.Minute), onReload,
			"Time by which the clock of an issuer may differ: a JWT is good for so much longer and so much earlier than it says."},
		{"jwt.max_bytes", 6 * KiB, between(512, 64*KiB), onReload,
			"Largest JWT. limits.unauthenticated_bytes must have room for it and the message around it."},
		{"jwt.user_uuid_claim", "sub", anyText(), onReload,
			"Claim with the user's UUID. A dot leads into an object, as in user.id. Empty: none has it."},
		{"jwt.user_name_claim", "preferred_username", anyText(), onReload,
			"Claim with the user's name."},
		{"jwt.permissions_claim", "permissions", anyText(), onReload,
			"Claim with the permissions: a list of texts, or a text with spaces between them, as scope is."},
		{"jwt.services_claim", "services", anyText(), onReload,
			"Claim with the services that the holder is subscribed to, in the same form."},
		{"jwt.domain_name_claim", "domain_name", anyText(), onReload,
			"Claim with the name of the domain."},
		{"jwt.domain_uuid_claim", "domain_uuid", anyText(), onReload,
			"Claim with the UUID of the domain."},
		{"jwt.extensions_claim", "extensions", anyText(), onReload,
			"Claim with the extensions, such as 1001@a.example.com, in the form of jwt.permissions_claim."},
		{"jwt.service_name_claim", "", anyText(), onReload,
			"Claim whose value makes the holder the service of that name. Empty: no JWT makes its holder a service."},
		{"jwt.service_class_claim", "", anyText(), onReload,
			"Claim with the class of the service."},
		{"jwt.permissions", []string{}, texts(), onReload,
			"Permissions that every client with a JWT has besides those in its JWT."},
		{"jwt.services", []string{}, texts(), onReload,
			"Services that every client with a JWT is subscribed to besides those in its JWT."},
		{"jwt.jwks_interval", 5 * time.Minute, between(10*time.Second, 24*time.Hour), onReload,
			"Time between two fetches of a JWK Set. A key that is taken out of the set counts for so long."},
		{"jwt.jwks_timeout", 5 * time.Second, between(100*time.Millisecond, time.Minute), onReload,
			"Time that a fetch may take."},
		{"jwt.jwks_retry", 30 * time.Second, between(time.Second, time.Hour), onReload,
			"Least time between the beginnings of two fetches of a JWK Set. A JWT whose key is not known has the set fetched earlier than jwt.jwks_interval says, but not more often than this."},
		{"jwt.jwks_keep", 24 * time.Hour, between(time.Minute, 30*24*time.Hour), onReload,
			"Time for which the keys of a set count while its URL does not answer."},
		{"jwt.jwks_wait", 2 * time.Second, between(10*time.Millisecond, 30*time.Second), onReload,
			"Time that an authentication waits for the keys of a set. Then the connection is closed with 1013, and the JWT stays good."},
		{"jwt.jwks_waiting", 2, between(1, 6), onReload,
			"Authentications that may wait so at the same time. A further one is turned away at once in the same way. Eight tokens of all kinds are looked at at once, so the others go on."},
		{"jwt.jwks_bytes", 256 * KiB, between(KiB, 16*MiB), onReload,
			"Largest JWK Set."},
		{"jwt.jwks_keys", 32, between(1, 1000), onReload,
			"Keys that a JWK Set may have; one with more is not used."},

		{"apikeys.file", "", directory(), onReload,
			"File with the API keys of services, an absolute path. strowger token apikey adds one, and a reload reads the file again. It must have mode 0600 and belong to the daemon's user or root. Empty: no API key is accepted."},
		{"apikeys.max_keys", 10_000, between(1, 1_000_000), onReload,
			"API keys that the file may have; one with more is an error."},
		{"apikeys.checks", 1, between(1, 8), onReload,
			"API keys that are checked in full at the same time, which takes 19MiB and some 20 ms of a processor each. A further connection is closed with 1013, and its key stays good."},
		{"apikeys.verified", 1000, between(0, 1_000_000), onReload,
			"API keys that are remembered after a full check, so that the next connection with one takes no time. Beyond that the one that was remembered first is forgotten."},

		{"routing.request_timeout", time.Minute, between(100*time.Millisecond, time.Hour), onReload,
			"Time a service has to answer a request; a later reply is a dead letter."},
		{"routing.unknown_service", "silent", oneOf("silent", "404", "503"), onReload,
			"Answer to a request for a service nobody offers. The dashboard and conference pages take any answer for success, so silent is the safe one."},
		{"routing.unsolicited_replies", false, anyBool(), onReload,
			"Whether a reply nobody waits for is still delivered to the client it names."},
		{"routing.replies_without_resource", true, anyBool(), onReload,
			"Whether a reply without a resource_id is delivered to the one client that has a request with this request_id open at the service."},
		{"routing.instances", "all", oneOf("all", "balanced", "failover"), onReload,
			"Which of several remote instances of one service get a request: all, as with the PHP router; balanced, the one with the fewest unanswered requests, which are answered 503 if it dies; failover, the same, but its requests are handed to another instance, so one may be carried out twice."},
		{"routing.unanswered", "silent", oneOf("silent", "504"), onReload,
			"What a client gets when a remote service has not answered its request within routing.request_timeout: silent, nothing, as with the PHP router; 504, that answer, which is logged and counted. A request without a request_id gets no answer."},
		{"routing.eject_after", 0, between(0, 10_000), onReload,
			"Requests in a row that an instance of a remote service leaves unanswered for routing.request_timeout until it is ejected: it gets no more requests, those that it has are dealt with as if it had died, and after routing.eject_pause one request tries it. 0 means never."},
		{"routing.eject_silence", time.Duration(0), zeroOr(between(100*time.Millisecond, time.Hour)), onReload,
			"Time for which an instance of a remote service may have requests and answer none until it is ejected in the same way. It must be longer than the service's longest regular work. 0 means for ever."},
		{"routing.eject_pause", 30 * time.Second, between(100*time.Millisecond, time.Hour), onReload,
			"Time until an ejected instance gets one request. If it answers in time, it gets requests as before, else it stays ejected for that time again. While all instances of a service are ejected, other requests are answered with 503 at once."},
		{"routing.health", []string{}, healthRequests(), onReload,
			"Remote services that get health requests: the name of a service, a space and the topic of the request, such as \"weather ping\". An instance that has not answered one when the next is due is ejected until it answers one. Any answer will do."},
		{"routing.health_interval", 10 * time.Second, between(100*time.Millisecond, time.Hour), onReload,
			"Time between two health requests, and the time that an instance has to answer one."},
		{"routing.presence_interval", time.Second, between(100*time.Millisecond, time.Minute), onReload,
			"Time in which changes of who watches a service are gathered before they are told, where its policy tells. Who comes and goes within it is not told of."},
		{"routing.default_policy", "deny", oneOf("deny", "allow"), onReload,
			"What holds for a service that has no policy: deny gives what it says to nobody and refuses requests to it with 403, allow gives everybody everything. The log names each such service once."},

		{"services.unknown_class", "service", oneOf("service", "client"), onRestart,
			"What a service token makes its holder when its class is neither built in nor in services.classes."},
		{"services.classes", []string{}, classes(), onRestart,
			"PHP classes of services known besides " + builtinClasses() + ". A service of such a class, or of a class that has a policy, may also speak for the names that its class serves, as helper connections do."},

		{"services.pool", 8, between(1, 4096), onRestart,
			"Functions that a service in the router may run at once beside its own goroutine (Go in docs/services.md). Others wait. A service may say otherwise."},
		{"services.dynamic", 1000, between(0, 100_000), onReload,
			"Services that may be added while the router runs (System.Add in docs/embedding.md). More are refused."},
		{"services.active_calls", "inside", oneOf("inside", "php"), onRestart,
			"Where " + policy.ActiveCalls + " runs when FusionPBX's config.conf is read (--fusionpbx): inside the daemon, or in FusionPBX's own service, whose unit is " + policy.BuiltinUnit(policy.ActiveCalls) + ". A service that runs inside leaves the other one without work. Without config.conf it is always left to FusionPBX."},
		{"services.active_conferences", "inside", oneOf("inside", "php"), onRestart,
			"The same for " + policy.ActiveConferences + ", whose unit is " + policy.BuiltinUnit(policy.ActiveConferences) + ". Without a PostgreSQL database in config.conf, conferences are shown by their extension or UUID."},
		{"services.operator_panel", "inside", oneOf("inside", "php"), onRestart,
			"The same for " + policy.OperatorPanel + ", whose unit is " + policy.BuiltinUnit(policy.OperatorPanel) + ". Without a PostgreSQL database in config.conf, extensions, agents and changes of a status are answered with 503."},

		{"panel.agent_stats_interval", 10 * time.Second, zeroOr(between(time.Second, time.Hour)), onRestart,
			"Time between two pushes of the statistics of agents to the operators of their domain. 0 means never; events of the call center then still cause pushes."},
		{"panel.calls_per_minute", 30, between(1, 10_000), onRestart,
			"Calls that one operator may begin within a minute: by originate, by listening to a call and by attended transfers. One more is answered with 429. An operator who has begun none for a minute may begin all of them at once."},
		{"panel.recording_questions", 256, between(1, 4096), onRestart,
			"Calls that the switch is asked about at once, whether they are recorded; all of them together may take switch.command_timeout. Further ones are shown as they were and asked about the next time."},

		{"conferences.push_wait", 2 * time.Second, between(10*time.Millisecond, time.Minute), onRestart,
			"Time that a message about a conference or a new member waits for what FreeSWITCH's list and the database have of them. The messages after it wait as well, so that all stay in order. Then it goes out with what the event has."},
		{"conferences.push_queue", 10_000, between(10, 1_000_000), onRestart,
			"Messages about conferences that may wait so. If there are more, the oldest does not wait any longer."},

		{"switch.command_timeout", 10 * time.Second, between(100*time.Millisecond, 5*time.Minute), onRestart,
			"Time that FreeSWITCH has to answer one command of a service that runs inside. The request is then answered with 504. Where the event socket is and its password are in FusionPBX's config.conf."},
		{"switch.event_bytes", MiB, between(16*KiB, 64*MiB), onRestart,
			"Largest event of FreeSWITCH that is read. A larger one is skipped, logged and counted, and services ask FreeSWITCH for what they missed. Above 64MiB the connection is made anew."},
		{"switch.reply_bytes", 16 * MiB, between(64*KiB, 64*MiB), onRestart,
			"Largest answer of FreeSWITCH to a command. A list of channels has some 1000 bytes for each."},
		{"switch.queue_events", 4096, between(16, 1_000_000), onRestart,
			"Events that may wait for one service inside. One that is slower loses them, which is logged and counted, and asks FreeSWITCH for what it missed. FreeSWITCH is never made to wait."},
		{"switch.queue_bytes", 32 * MiB, between(MiB, 4*GiB), onRestart,
			"Bytes of the events that may wait for one service inside."},

		{"dashboard.enabled", true, anyBool(), onRestart,
			"Whether the daemon offers the service " + policy.SystemDashboard + " itself. Set it to false to leave it to FusionPBX's " + policy.BuiltinUnit(policy.SystemDashboard) + " service, which gets no work otherwise. A program that embeds the router offers it by passing dashboard.New to system.New; the key then has no effect."},
		{"dashboard.cpu_interval", 3 * time.Second, between(time.Second, time.Hour), onRestart,
			"Time between two broadcasts of the processor's load."},
		{"dashboard.network_interval", 3 * time.Second, between(time.Second, time.Hour), onRestart,
			"Time between two broadcasts of the network's load."},
		{"dashboard.network_interface", "", anyText(), onRestart,
			"Network interface that is measured. Empty means that of the default route."},

		{"database.timeout", 3 * time.Second, between(100*time.Millisecond, time.Minute), onRestart,
			"Time a query of FusionPBX's database may take, connecting included. With --fusionpbx the start and a reload read FusionPBX's default settings, and wait so long at most for a database that does not answer."},
		{"database.connections", 4, between(1, 100), onRestart,
			"Connections to FusionPBX's database open at the same time. They are opened when they are needed."},
		{"database.rows", 50_000, between(100, 10_000_000), onRestart,
			"Rows that an answer of FusionPBX's database may have, such as the extensions of one domain. A request that needs more gets an error."},
		{"database.name_age", time.Minute, between(time.Second, 24*time.Hour), onRestart,
			"Time for which the name of a conference is kept before the database is asked again."},
		{"database.names", 10_000, between(100, 10_000_000), onRestart,
			"Names of conferences kept. Beyond that the one that was needed least lately is forgotten."},

		{"cluster.name", "strowger", clusterName(), onRestart,
			"Name of the cluster. Nodes with the same name on the same bus are one router. Clusters with different names can share an external NATS."},
		{"cluster.node", "", shortText(), onRestart,
			"Name of this node, for logs, the admin pages and metrics of the other nodes. Empty means the name of the machine. Give each node its own name."},
		{"cluster.listen", "", orEmpty(address()), onRestart,
			"TCP address at which the NATS server inside the daemon accepts the other nodes. Empty means that there is no such server, and nothing listens. An address that other machines reach needs cluster.secret_file or certificates. Port 0 means any free port. See docs/cluster.md."},
		{"cluster.routes", []string{}, routes(), onRestart,
			"Where other nodes listen: host:port of their cluster.listen. One that can be reached is enough, because it names the others; list all, so that any of them may be down. The list may name this node too, so all nodes can have the same one. Needs cluster.listen."},
		{"cluster.nats", []string{}, servers(), onRestart,
			"Servers of an external NATS that connects the nodes: nats://host:port, tls://host:port or host:port. Several must belong to one NATS cluster. Empty means none. Without it and without cluster.listen the router is alone."},
		{"cluster.secret", Secret(""), sharedSecret(), onRestart,
			"Secret that all nodes with cluster.listen share. It crosses the network as it is unless there are certificates. Better use cluster.secret_file."},
		{"cluster.secret_file", "", anyText(), onRestart,
			"File with the shared secret in its first line, which only the daemon's user may be able to read. The secret has 16 to 256 characters; openssl rand -hex 32 makes one."},
		{"cluster.tls_certificate", "", anyText(), onRestart,
			"PEM file with the certificate chain that this node shows to other nodes or to an external NATS. It must be good for servers and for clients, and name the host or address by which other nodes reach this one. It is read again for each new connection. Needs cluster.tls_key."},
		{"cluster.tls_key", "", anyText(), onRestart,
			"PEM file with the private key of cluster.tls_certificate."},
		{"cluster.tls_ca", "", anyText(), onRestart,
			"PEM file with the certificates of the authorities that may vouch for other nodes or for the external NATS. With cluster.listen every node that shows a certificate of one of them is let in, so use an authority that signs for this cluster alone. Empty means those that the system trusts, which is possible with cluster.nats only."},
		{"cluster.user", "", anyText(), onRestart,
			"User at the external NATS. Needs cluster.password_file."},
		{"cluster.password_file", "", anyText(), onRestart,
			"File with the user's password in its first line, which only the daemon's user may be able to read. It is read again for each new connection."},
		{"cluster.nkey_file", "", anyText(), onRestart,
			"File with the seed of an nkey for the external NATS, which only the daemon's user may be able to read."},
		{"cluster.creds_file", "", anyText(), onRestart,
			"Credentials file for the external NATS, with a JWT and its seed, which only the daemon's user may be able to read."},
		{"cluster.queue_bytes", 64 * MiB, between(MiB, 4*GiB), onRestart,
			"Bytes that may wait to be sent to one other node, and as many from one other node that wait to be handled, and from the bus that nobody has looked at yet. Beyond it messages of this pair of nodes are dropped and counted, and the link between them begins anew; other nodes do not notice."},
		{"cluster.inbound_bytes", 16 * MiB, between(MiB, GiB), onReload,
			"Bytes of replies and broadcasts of one other node that may be under way in this one. Beyond it what the node sends waits, and counts for cluster.queue_bytes."},
		{"cluster.pending_bytes", 64 * MiB, between(16*MiB, 4*GiB), onRestart,
			"Bytes that the NATS server inside keeps for one slow node. At three quarters of it the server drops messages to this node, and the link to it begins anew. Needs cluster.listen."},
		{"cluster.offered", 10_000, between(100, 1_000_000), onRestart,
			"Instances of services that one other node may offer. Further ones are dropped and counted, and requests of this node's clients do not find them."},
		{"cluster.watched", 100_000, between(1_000, 10_000_000), onRestart,
			"Services whose broadcasts one other node may get. It gets none of further ones, which are counted."},
		{"cluster.visitors", 262_144, between(1024, 10_000_000), onReload,
			"Clients of one other node that services of this one know, because these clients have asked them. Requests of further ones are handed back, so that another node's instance gets them or their node answers 503."},
		{"cluster.wills", 131_072, between(1024, 10_000_000), onReload,
			"Wills that this node keeps for one instance of a service on another node: what pages are told when the node is lost. FusionPBX's services have one for each call and conference. More are dropped and counted, and such calls stay on pages when their node is lost."},
		{"cluster.start_wait", 3 * time.Second, zeroOr(between(100*time.Millisecond, time.Minute)), onRestart,
			"Longest time that the start waits for the bus and for links to the nodes that are there, before connections are accepted. 0s does not wait. A node that finds nobody starts alone, and links when others come."},
		{"cluster.singletons", []string{}, texts(), onRestart,
			"Services in this process that one node of the cluster runs at a time, of those that have them in this list. Another one takes over when that node is gone. Services that are on every node, as those of FusionPBX, cannot be in it. A router that is alone runs them as all others."},
		{"cluster.singleton_wait", 5 * time.Second, between(100*time.Millisecond, time.Minute), onRestart,
			"Longest time that a node which stops waits until others have taken its singletons, and no longer than a quarter of the time that it has to stop. Requests to them wait too. After that they get what they get when nobody offers the service."},

		{"traces.endpoint", "", orEmpty(collector()), onRestart,
			"URL of a collector of OpenTelemetry that takes traces as OTLP with JSON over HTTP, such as http://127.0.0.1:4318/v1/traces. Each traced request is one span. Empty means no traces, and then they cost nothing."},
		{"traces.one_in", 1, between(1, 1_000_000), onRestart,
			"One in so many requests is traced, at random. 1 traces every request. At most 4096 spans wait to be sent; more are dropped."},

		{"admin.address", "127.0.0.1:8081", orEmpty(address()), onRestart,
			"TCP address of the admin pages: health, metrics, the tree of actors, dead letters, the console. All but the console know no passwords, so keep them on the loopback interface or behind a firewall. Empty turns them off. Where nobody chose the address and it is taken, by listen.address or another process, the daemon warns and does without the pages until it is restarted; an address that was chosen is tried again every half minute."},
		{"admin.connections", 32, between(1, 10_000), onRestart,
			"Connections to the admin pages open at the same time. One more takes the place of the one that has waited longest for a request, or is closed if all are being answered."},
		{"admin.questions", 0, between(0, 10_000), onRestart,
			"Requests with a body, as /explain takes them, that may be read at the same time; one more is answered 503. 0 means a quarter of admin.connections, so that slow ones leave room for the other pages. Never more than admin.connections."},
		{"admin.read_timeout", 10 * time.Second, between(100*time.Millisecond, 5*time.Minute), onRestart,
			"Time a request to the admin pages may take to arrive; its body, if it has one, may take as long again."},
		{"admin.write_timeout", 30 * time.Second, between(100*time.Millisecond, 10*time.Minute), onRestart,
			"Time an answer of the admin pages may take to be read. A profile may also take the time that it runs."},
		{"admin.idle_timeout", 2 * time.Minute, between(time.Second, time.Hour), onRestart,
			"Time a connection to the admin pages may wait for its next request. Where metrics are fetched more often than that, one connection serves for all of them."},
		{"admin.header_bytes", 8 * KiB, between(KiB, MiB), onRestart,
			"Largest head of a request to the admin pages. Up to 4KiB more may be accepted. A longer one is answered 431."},
		{"admin.actors", 1000, between(1, 1_000_000), onRestart,
			"Actors that /metrics shows one by one. Those beyond are counted in strowger_supervisor_omitted_actors; /tree has all of them."},
		{"admin.services", 100, between(1, 10_000), onRestart,
			"Services that /metrics shows one by one, in the order in which they were first offered. All others are shown as one, other. Each takes up to 11KiB of memory."},
		{"admin.pprof", false, anyBool(), onRestart,
			"Whether the admin pages have Go's profiles at /debug/pprof/. Whoever may connect can then slow the daemon down."},
		{"admin.payloads", false, anyBool(), onRestart,
			"Whether dead letters keep what they held, which may be what people say to each other, and the admin pages show it. Only then can a dead letter be replayed."},
		{"admin.dead_letters", 256, between(0, 100_000), onRestart,
			"Dead letters that are kept. Further ones take the place of the oldest. 0 keeps none."},
		{"admin.dead_letter_bytes", MiB, between(64*KiB, GiB), onRestart,
			"Bytes that all dead letters kept may take together."},
		{"admin.log_records", 1000, between(0, 100_000), onRestart,
			"Lines of the log that are kept for the console and for strowger mcp. 0 keeps none."},
		{"admin.log_bytes", MiB, between(64*KiB, GiB), onRestart,
			"Bytes that all lines of the log that are kept may take together."},
		{"admin.console", true, anyBool(), onRestart,
			"Whether the admin pages have the console, which the verbs status, service, connections, deadletters, top and mcp use too."},
		{"admin.trust_loopback", true, anyBool(), onRestart,
			"Whether the console takes whoever connects from this machine without a password. Where users of this machine must not act, or a proxy on it passes requests on, set it to false."},
		{passwordKey, "", orEmpty(passwordHash()), onRestart,
			"The console's password, as strowger admin password prints it. Empty: nobody can use the console from another machine."},
		{"admin.tls_certificate", "", anyText(), onRestart,
			"PEM file with the certificate chain of the admin pages, a regular file. It is read again for each new connection. Empty means no TLS: then do not let the pages leave this machine, or have a proxy end TLS. Needs admin.tls_key."},
		{"admin.tls_key", "", anyText(), onRestart,
			"PEM file with the private key of admin.tls_certificate."},
		{"admin.client_ca", "", anyText(), onRestart,
			"PEM file with the authorities whose client certificates the console takes in place of a password. It is read again for each new connection. The audit log has the subject of the certificate. The other pages ask for none. Empty: no certificate counts. Needs admin.tls_certificate."},
		{"admin.password_attempts", 5, between(1, 1000), onRestart,
			"Wrong passwords in a row after which an address must wait: 30 s, and twice as long after each further one up to 15 min. All addresses together have twenty times as many in a minute; one that has sent the right password before does not wait for the others."},
		{"admin.session", 12 * time.Hour, between(time.Minute, 30*24*time.Hour), onRestart,
			"Time after which the console asks for the password again."},
		{"admin.audit_file", "", directory(), onRestart,
			"File to which a line of JSON is appended for each action in the console, besides the line in the log. The daemon makes it with mode 0600. Empty: only the log has them."},

		{"heartbeat.interval", 2 * time.Second, between(100*time.Millisecond, time.Minute), onReload,
			"Time between two looks whether the parts of the core get on: the router, names and topics, what reads, writes and accepts, the token files and the log."},
		{"heartbeat.limit", 5 * time.Second, between(time.Second, 10*time.Minute), onReload,
			"Time after which a part that does not answer is named in the log, in /readyz and in the metrics. If the router cannot go on without it, /healthz answers 503 and systemd's watchdog is not fed any more."},

		{"memory.heap_floor", 10 * MiB, between(4*MiB, 16*GiB), onRestart,
			"Size up to which the heap may grow before garbage is collected, even if little of it is in use. 4MiB is where Go's runtime begins by itself; requests then cost up to a quarter more processor time. Has no effect where the environment sets GOGC to anything but 100."},
		{"memory.limit", Size(0), between(0, 1024*GiB), onRestart,
			"Memory that the daemon should need at most: near it garbage is collected more often, and limits.outbound_total_bytes follows it. 0 means nine tenths of what the cgroup allows (MemoryMax of the unit, the limit of the container), and none where that allows any. The environment's GOMEMLIMIT takes precedence."},
		{"memory.trim_interval", 5 * time.Second, zeroOr(between(time.Second, time.Hour)), onRestart,
			"Time between two looks whether the daemon has become idle and holds memory that it does not need, which it then gives back. 0s leaves it to Go's runtime."},

		{"log.level", "info", oneOf("debug", "info", "warn", "error"), onReload,
			"Least important level that is logged."},
		{"log.format", "auto", oneOf("auto", "text", "json"), onRestart,
			"Form of the log lines; auto means text on a terminal and JSON elsewhere."},
		{"log.queue_bytes", MiB, between(64*KiB, GiB), onRestart,
			"Bytes of log lines that may wait while whoever reads the log is slow or stuck. The daemon goes on routing; beyond that the oldest lines are dropped and counted (strowger_log_lines_dropped_total), and a line says how many when the log flows again."},
		{"log.refusal_kinds", 16, between(1, 10_000), onReload,
			"Kinds of refusals that the log tells apart at a time for each cause (docs/admin.md). All others of the cause share one line, and are counted in strowger_log_refusals_merged_total."},
		{"log.refusal_lines", 48, between(1, 100_000), onReload,
			"The same for all causes together. It bounds how many of these lines the log has in a minute."},

		{"shutdown.timeout", 10 * time.Second, between(0, 10*time.Minute), onRestart,
			"Time connections have to take what waits for them and to say goodbye when the daemon stops. A peer that takes nothing for a quarter of it is cut off then (Linux only). Services inside finish within this time too; those that do not are abandoned. 0s cuts them off at once."},
		{"shutdown.pace", 10_000, between(0, 1_000_000), onReload,
			"Connections that are closed in a second when the daemon stops, so that clients do not all come back in the same moment: clients first and services last, the newest first. The first 500 or so go at once. If it would take more than half of the time that is left of shutdown.timeout, more are closed in a second. 0 closes all at once."},

		{"upgrade.binary", "", directory(), onReload,
			"Program that an upgrade starts, an absolute path. Empty means the file that the running daemon was started from. Whoever may write this file decides what the daemon's user runs."},
		{"upgrade.timeout", 30 * time.Second, between(time.Second, 10*time.Minute), onReload,
			"Time a new process has to start, up to the point at which it could take over. After that it is ended, and the running one goes on."},
		{"upgrade.pause", 5 * time.Second, between(100*time.Millisecond, time.Minute), onReload,
			"Time for the takeover itself, in which nothing is read from connections and nothing is written to them. After that the new process is ended, and the running one goes on."},
	}
}

// reclaimKey is the key whose default is another one with --fusionpbx.
const (
	reclaimKey       = "tokens.reclaim"
	ticketsKey       = "tokens.tickets"
	ticketBytesKey   = "tokens.ticket_bytes"
	fusionPBXReclaim = 5 * time.Minute
)

// policiesKey is the one key that is no row of the table: its value is a mapping, and only a file
// can have it.
const (
	policiesKey = "policies"
	policiesDoc = "Who sees what of a service and who may ask it for what, by the name of the service or the class in its token; the name goes first. " +
		"A policy here takes the place, as a whole, of the built-in one and of one that a service in the router has in code. See docs/policies.md, and strowger config policies for those in use."
)

// passwordKey is the key whose value does not show when it changes.
const passwordKey = "admin.password_hash"

// isList tells whether the key takes a list of texts.
func (k key) isList() bool {
	_, list := k.def.([]string)
	return list
}

// isSecret tells whether the key's value does not show.
func (k key) isSecret() bool {
	_, secret := k.def.(Secret)
	return secret
}

// section returns the part of the name before the last dot.
func (k key) section() string {
	section, _ := cutLast(k.name)
	return section
}

// check returns an error when a value of the key's type is not allowed.
func (k key) check(value any) error {
	switch value := value.(type) {
	case string:
		if err := checkText(value); err != nil {
			return err
		}
	case Secret:
		if err := checkText(string(value)); err != nil {
			return err
		}
	case []string:
		for _, item := range value {
			if item == "" {
				return errEmptyItem
			}
			if err := checkText(item); err != nil {
				return err
			}
		}
	}
	return k.rule.check(value)
}

// builtinClasses returns the classes of FusionPBX's services as a text.
func builtinClasses() string {
	var names []string
	for _, class := range policy.Classes() {
		names = append(names, class.Name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// cutLast splits a dotted name before its last part.
func cutLast(name string) (before, last string) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name
	}
	return name[:i], name[i+1:]
}
