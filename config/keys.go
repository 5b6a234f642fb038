package config

import (
	"slices"
	"strings"
	"time"

	"strowger/config/policy"
)

// keys returns the table, in the order in which it is printed. A key exists
// when it has a row here and a field in Config; a test compares the two.
func keys() []key { return slices.Concat(peerKeys(), daemonKeys()) }

// peerKeys are about those who connect: how, how much they may have, and who they are.
func peerKeys() []key {
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

// builtinClasses returns the classes of FusionPBX's services as a text.
func builtinClasses() string {
	var names []string
	for _, class := range policy.Classes() {
		names = append(names, class.Name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
