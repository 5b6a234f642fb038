package introspect

// Metrics is one reading of the system's counters. All but Connections count since the start.
type Metrics struct {
	Connections   int64 // open now
	Panics        int64 // in actors
	Authenticated int64 // tokens accepted
	Refused       int64 // tokens refused
	TokensIgnored int64 // of peers that were authenticated already
	Requests      int64 // handed to a service
	Replies       int64 // handed to a subscriber
	Broadcasts    int64 // handed to a topic
	SlowConsumers int64 // connections ended because they read too slowly
	LogLost       int64 // log lines dropped
	// Cut counts the peers that were refused or cut off, by cause. The causes are a fixed set.
	Cut map[string]int64
	// Dead counts the messages that nobody could take, by reason. The reasons are a fixed set.
	Dead map[string]int64
}
