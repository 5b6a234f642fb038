package introspect

// Metrics is one reading of the system's counters. All but Connections, Clients, Waiting, Early, Inbound, Handshakes, Ejected, Reclaimable, Tickets.Used
// and Tickets.Sessions count since the
// start.
type Metrics struct {
	Connections   int64 // open now
	Clients       int64 // of them, clients
	Panics        int64 // in actors
	Errors        int64 // that handlers of services in the router returned without a status
	Authenticated int64 // tokens accepted
	Refused       int64 // tokens refused
	OddTokens     int64 // tokens accepted although fields of them had the wrong type
	Renewed       int64 // tokens that moved the end of their connection
	NotRenewed    int64 // tokens that were to do so and did not
	TokensIgnored int64 // of peers that were authenticated already
	Reclaimed     int64 // tokens accepted again, of clients that came back
	Reclaimable   int64 // tokens kept now for clients that may come back
	Traces        int64 // requests that were traced
	TracesSent    int64 // spans that the collector took
	TracesFailed  int64 // spans that it did not take
	Forgotten     int64 // tokens not kept for that because there were too many
	Requests      int64 // handed to a service
	Replies       int64 // handed to a subscriber
	Broadcasts    int64 // handed to a topic
	Ejections     int64 // of instances of services
	Ejected       int64 // instances that are ejected now
	// Heart is which parts of the core answer.
	Heart Heart
	// History is what became of clients that said where they were, and what is kept for them.
	History       History
	Gaps          Gaps
	Narrowed      int64 // broadcasts that a client did not get because it asked for less
	Watching      int64 // people who are known to watch a service whose policy tells
	Untold        int64 // connections that are not told of because too many watch
	SlowConsumers int64 // connections ended because they read too slowly
	Waiting       int64 // bytes that wait for slow readers now
	Queued        int64 // the same, where a message that several share counts once
	Kept          int64 // bytes that open requests take now
	Early         int64 // bytes that unauthenticated connections hold now
	Inbound       int64 // bytes of long messages of clients that are not complete or under way now
	Handshakes    int64 // handshakes that wait for their turn now
	LogLost       int64 // log lines dropped
	Merged        int64 // refusals that the log did not tell apart
	// Bearers is what happened to tokens that are not used up.
	Bearers Bearers
	// Tickets is what happened to tickets.
	Tickets Tickets
	// HTTP is what happened to requests by HTTP.
	HTTP HTTP
	// Compressed is what was compressed.
	Compressed Compressed
	// Build says what program this is.
	Build Build
	// Traffic is what connections have sent and got.
	Traffic Traffic
	// HandshakeTime is how long handshakes took that went well, AdmissionTime the time from a good token to its 200, RejectionTime
	// the time from another one to its 401, and DeliveryTime the time from a broadcast to the sockets.
	HandshakeTime, AdmissionTime, RejectionTime, DeliveryTime *Histogram
	// Services are those that are told apart, and one for all others.
	Services []Service
	// Claims is the pool that reads token files, Checks the one that checks other tokens.
	Claims, Checks Pool
	// Pools are those of the services in the router, by name.
	Pools map[string]Pool
	// Inside is what else is known of the services in the router, by name.
	Inside     map[string]Inside
	Dynamic    int64 // services that were added and are there now
	NotAdded   int64 // services that were not added because there were too many
	Upgrades   int64 // times that a new process took over, since the first one started
	NoUpgrades int64 // times that one could not
	// Cut counts the peers that were refused or cut off, by cause. The causes are a fixed set.
	Cut map[string]int64
	// Dead counts the messages that nobody could take, by reason. The reasons are a fixed set.
	Dead map[string]int64
	// Switch is nil if the system has no connection to a telephone switch.
	Switch *Switch
	// Database is nil if the system has none.
	Database *Database
	// Panel is nil if the system has no operator panel.
	Panel *Panel
	// Cluster is nil if the system is alone.
	Cluster *ClusterCounts
}

// Gaps is what was dropped for slow readers since the start, as the policies of services choose.
type Gaps struct {
	Dropped  int64 // broadcasts, once for each reader
	Replaced int64 // those of them in whose place a newer one came
	Told     int64 // times that a reader was told
}

// History is what is kept of broadcasts. All but Messages and Bytes count since the start.
type History struct {
	Messages     int64 // kept now
	Bytes        int64 // that they take
	Cut          int64 // dropped early because all histories together were too big
	Recovered    int64 // times that a client got what it had missed of a service
	NotRecovered int64 // times that it could not
}

// Bearers is what happened to JWTs and API keys. All but SetKeys, OldestSet and APIKeys count since the start.
type Bearers struct {
	JWTs, NoJWTs           int64   // accepted and refused
	Keys, NoKeys           int64   // API keys accepted and refused
	Fetches, FailedFetches int64   // of JWK Sets
	Waits                  int64   // JWTs that waited for a fetch
	Away                   int64   // JWTs turned away because their key could not be had
	SetKeys                int64   // keys of JWK Sets that count
	OldestSet              float64 // seconds since the oldest of the sets was fetched
	KeyChecks              int64   // API keys whose hash was computed
	KeysBusy               int64   // API keys turned away because too many were being checked
	APIKeys                int64   // that the file has
}

// HTTP is what happened to messages that came by HTTP. All but Keys, Bytes and Streams count since the start.
type HTTP struct {
	Published, Requested int64 // messages that were taken
	Repeated             int64 // answers that were given again for their idempotency key
	Keys, Bytes          int64 // answers that are kept now
	Streams              int64 // of events, that are open now
}

// Compressed is what was compressed since the start.
type Compressed struct {
	Messages      int64
	Before, After int64 // their bytes
}

// Panel is what the operator panel has refused.
type Panel struct {
	Refused int64 // calls of operators who had begun too many
	Unasked int64 // calls that the switch was not asked about, because they were too many
}

// Database is what happened to queries of FusionPBX's database. All but Up, Names and Connections count since
// the start.
type Database struct {
	Up          bool  // it answered when it was last asked
	Queries     int64 // put to the database
	Failed      int64 // of these, without an answer
	Unavailable int64 // refused at once, because the database is down or cannot be used
	NameHits    int64 // names of conferences that were known
	NameMisses  int64 // names that were not
	Names       int64 // that are kept
	Connections int64 // open
}

// Switch is what happened on the connections to the telephone switch.
type Switch struct {
	Connected bool  // all of them, now
	Connects  int64 // connections that were set up
	Failures  int64 // connections that failed or ended
	Events    int64 // events that were read
	Lost      int64 // events that services missed, each time for each service
	Skipped   int64 // events and replies that were too large or made no sense
	Replies   int64 // replies to commands
	Late      int64 // replies after the command's deadline
	Hurried   int64 // messages that did not wait to the end for an answer
	// LastEvent is when the last event was read, in seconds since 1970. 0 means that there was none.
	LastEvent float64
}

// Build says what a program was made from.
type Build struct{ Version, Commit, Go string }

// Traffic is what connections have sent and got since the start, after their handshake.
type Traffic struct {
	BytesIn, FramesIn   int64
	BytesOut, FramesOut int64
	WaitingFrames       int64  // for slow readers, now
	Paused              int64  // connections that are not read from now, because their window is full
	Pauses              int64  // how often that began
	Ends                []Ends // a fixed set
}

// Ends is how many connections have ended in one way.
type Ends struct {
	Code   string // of the close frame
	ByPeer bool
	Count  int64
}

// Service is what happened to requests and broadcasts of one service.
type Service struct {
	Name       string
	Outcomes   map[string]*Histogram // how long requests took, by a fixed set of outcomes
	Broadcasts int64
	Waiting    int64 // broadcasts and replies in its topic, now
}

// Pool is a bounded number of goroutines that work.
type Pool struct {
	Size    int64 // how many may run
	Running int64
	Waiting int64   // pieces of work
	Refused int64   // pieces of work that found no room since the start
	Oldest  float64 // for how many seconds the piece of work runs that runs for longest
}

// Inside is what is known of a service in the router alone.
type Inside struct {
	Abandoned int64 // goroutines of earlier lives that still run
	Said      int64 // bytes of what it has said that are under way
	Dropped   int64 // messages of it that found no room since the start
}

// Histogram counts durations since the start in buckets as Prometheus's native histograms have them.
type Histogram struct {
	Sum     float64 // seconds
	Count   uint64
	Schema  int32
	Zero    uint64 // of at most ZeroEnd seconds
	ZeroEnd float64
	Buckets map[int]uint64     // by number; empty ones are missing
	Within  map[float64]uint64 // how many took at most so many seconds, for readers that know no native histograms
}

// Tickets is what happened to the tickets with which clients come back.
type Tickets struct {
	Issued    int64
	TooBig    int64 // not made, because the identity may too much
	Accepted  int64
	Refused   int64
	Used      int64 // remembered now as used up
	Forgotten int64 // that were not remembered long enough, because there were too many
	Sessions  int64 // connections now whose clients have asked for tickets
	TakenOver int64 // connections that ended because their client came back over another one

	Waiting    int64 // clients without a connection whose requests are kept now
	Returned   int64 // clients that came back to requests that were kept
	Unreturned int64 // clients whose requests were kept and given up
}
