package introspect

// Metrics is one reading of the system's counters. All but Connections, Clients, Waiting, Early, Handshakes and Reclaimable count since the start.
type Metrics struct {
	Connections   int64 // open now
	Clients       int64 // of them, clients
	Panics        int64 // in actors
	Errors        int64 // that handlers of services in the router returned without a status
	Authenticated int64 // tokens accepted
	Refused       int64 // tokens refused
	OddTokens     int64 // tokens accepted although fields of them had the wrong type
	TokensIgnored int64 // of peers that were authenticated already
	Reclaimed     int64 // tokens accepted again, of clients that came back
	Reclaimable   int64 // tokens kept now for clients that may come back
	Forgotten     int64 // tokens not kept for that because there were too many
	Requests      int64 // handed to a service
	Replies       int64 // handed to a subscriber
	Broadcasts    int64 // handed to a topic
	SlowConsumers int64 // connections ended because they read too slowly
	Waiting       int64 // bytes that wait for slow readers now
	Early         int64 // bytes that unauthenticated connections hold now
	Handshakes    int64 // handshakes that wait for their turn now
	LogLost       int64 // log lines dropped
	Merged        int64 // refusals that the log did not tell apart
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
}
