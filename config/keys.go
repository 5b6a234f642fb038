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
		{"listen.trusted_proxies", []string{}, networks(), onRestart,
			"Addresses and networks, such as 127.0.0.1 or 10.0.0.0/8, of proxies whose X-Forwarded-For (or Forwarded) is believed. The log then shows the client's address as remote, and not the proxy's. Empty means that nobody is believed. List only proxies that write the header themselves, because others pass on what the client invents."},
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
			"Bytes that all unauthenticated connections together may hold: unfinished messages, messages under way, and answers that they do not read. Beyond that, an unauthenticated connection is closed when it holds more than 1KiB. A peer that sends a token and waits for the answer always has room."},
		{"limits.client_bytes", MiB, between(KiB, GiB), onReload,
			"Largest message from a browser, all its fragments together."},
		{"limits.service_bytes", 16 * MiB, between(KiB, GiB), onReload,
			"Largest message from a service, all its fragments together."},
		{"limits.depth", 511, between(8, 1024), onReload,
			"Levels of nesting in a JSON message."},
		{"limits.inbound_messages", 16, between(1, 65_536), onReload,
			"Messages of one connection that may be under way inside the router; at that many its socket is not read."},
		{"limits.service_inbound_messages", 64, between(1, 65_536), onReload,
			"The same for the connection of a service."},
		{"limits.outbound_messages", 1024, between(1, 1_000_000), onReload,
			"Messages that may wait for one slow reader before it is disconnected. A slow service stays connected, and requests beyond are answered 503."},
		{"limits.outbound_bytes", 4 * MiB, between(64*KiB, 4*GiB), onReload,
			"Bytes that may wait for one slow reader before it is disconnected."},
		{"limits.write_timeout", 30 * time.Second, between(100*time.Millisecond, 10*time.Minute), onReload,
			"Time one write to a socket may take before the connection is closed."},
		{"limits.pending_requests", 1024, between(1, 1_000_000), onReload,
			"Unanswered requests that one client may have at one service, whether or not their ids differ. A further one is answered 503."},

		{"keepalive.ping_interval", 25 * time.Second, zeroOr(between(time.Second, time.Hour)), onReload,
			"Time between two WebSocket pings to a browser. 0s means no pings."},
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
		{"routing.default_policy", "deny", oneOf("deny", "allow"), onReload,
			"What holds for a service that has no policy: deny gives what it says to nobody and refuses requests to it with 403, allow gives everybody everything. The log names each such service once."},

		{"services.unknown_class", "service", oneOf("service", "client"), onRestart,
			"What a service token makes its holder when its class is neither built in nor in services.classes."},
		{"services.classes", []string{}, classes(), onRestart,
			"PHP classes of services known besides " + builtinClasses() + ". A service of such a class, or of a class that has a policy, may also speak for the names that its class serves, as helper connections do."},

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
		{"admin.password_attempts", 5, between(1, 1000), onRestart,
			"Wrong passwords in a row after which an address must wait: 30 s, and twice as long after each further one up to 15 min. All addresses together have twenty times as many in a minute."},
		{"admin.session", 12 * time.Hour, between(time.Minute, 30*24*time.Hour), onRestart,
			"Time after which the console asks for the password again."},
		{"admin.audit_file", "", directory(), onRestart,
			"File to which a line of JSON is appended for each action in the console, besides the line in the log. The daemon makes it with mode 0600. Empty: only the log has them."},

		{"memory.heap_floor", 10 * MiB, between(4*MiB, 16*GiB), onRestart,
			"Size up to which the heap may grow before garbage is collected, even if little of it is in use. 4MiB is where Go's runtime begins by itself; requests then cost up to a quarter more processor time. Has no effect where the environment sets GOGC to anything but 100."},
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
