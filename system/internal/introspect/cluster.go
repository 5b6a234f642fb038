package introspect

import "time"

// Cluster is what this router knows of the others that are one router with it.
type Cluster struct {
	// Clustered is false for a router that is alone. Then there is nothing else.
	Clustered bool          `json:"clustered"`
	Name      string        `json:"name,omitempty"` // of the cluster
	Node      string        `json:"node,omitempty"` // this one
	Bus       *Bus          `json:"bus,omitempty"`
	Nodes     []ClusterNode `json:"nodes"` // this one first, then the others by name
}

// Bus is what connects the nodes.
type Bus struct {
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"`            // when that became so
	Server    string    `json:"server"`           // the NATS server that this node is connected to, or was last
	Listen    string    `json:"listen,omitempty"` // where the server inside takes other nodes
	Routes    int       `json:"routes"`           // connections of the server inside to those of other nodes
	Reason    string    `json:"reason,omitempty"` // why it is not connected, or what it refuses
}

// ClusterNode is a node.
type ClusterNode struct {
	Name     string `json:"name"`
	ID       string `json:"id"` // of this start of its program
	Version  string `json:"version"`
	Protocol int    `json:"protocol"`
	State    string `json:"state"`            // self, joining, linked or refused
	Reason   string `json:"reason,omitempty"` // why it is refused
	// HeartbeatMS is how long ago it was heard, in milliseconds.
	HeartbeatMS int64            `json:"heartbeat_ms"`
	Services    []ClusterService `json:"services"`
	Watches     []string         `json:"watches"` // the services that clients on it watch
	// Singletons are the services that one node has at a time, of those that this node has or would run.
	Singletons []ClusterSingleton `json:"singletons"`
	// QueuedBytes is what waits to be sent to it, UnreadBytes what it has sent that waits to be handled.
	QueuedBytes int64 `json:"queued_bytes"`
	UnreadBytes int64 `json:"unread_bytes"`
	// Unacknowledged is how many messages it has not yet said to have received. It says so twice a second.
	Unacknowledged uint64 `json:"unacknowledged"`
	Sent           uint64 `json:"sent"`     // requests, replies and broadcasts
	Received       uint64 `json:"received"` // the same
	Dropped        uint64 `json:"dropped"`  // of those for it, not sent because too much waited or the link ended
	SentBytes      uint64 `json:"sent_bytes"`
	ReceivedBytes  uint64 `json:"received_bytes"`
	Resets         uint64 `json:"resets"` // times that the link began anew
	Malformed      uint64 `json:"malformed"`
}

// ClusterSingleton is how a node stands to a service that one node of the cluster has at a time.
type ClusterSingleton struct {
	Name string `json:"name"`
	// State is stands: the node would run it; runs: it has it; serves: it has it, and all nodes know the instance; or
	// ails: it has it, and leaves it to any node that stands, because it does not work there.
	State string `json:"state"`
}

// ClusterService is what a node offers under one name.
type ClusterService struct {
	Name      string `json:"name"`
	Inside    bool   `json:"inside"`
	Instances int    `json:"instances"`
	Leaving   int    `json:"leaving,omitempty"` // of them, that take no more requests
}

// ClusterCounts are the numbers of a cluster. Those without a remark count since the start.
type ClusterCounts struct {
	BusUp          bool
	BusDisconnects int64
	BusDropped     int64 // messages that came faster than they could be taken
	Nodes, Linked  int64 // other nodes that are there now, and of them those that are linked
	QueuedBytes    int64 // for all nodes, now
	Met, Gone      int64 // nodes that came and went
	Refused        int64 // nodes whose protocol is too old or too new, or that are too many
	Sent, Received int64 // requests, replies and broadcasts
	Dropped        int64 // not sent because too much waited or a link ended
	Messages       struct{ Sent, Received int64 }
	Bytes          struct{ Sent, Received int64 }
	Gaps           int64 // that this node has noticed
	Resets         int64 // links that began anew
	LossesTold     int64 // times that a client was told that something may be missing
	QueueFull      int64 // times that what waited for a node was too much
	InboxFull      int64 // times that what a node had sent was too much
	Malformed      int64 // messages that made no sense
	PublishErrors  int64
	Visitors       int64 // clients of other nodes that services of this one know now
	TooManyVisits  int64 // requests handed back because a node had too many visitors
	Wills          int64 // of other nodes that are kept now
	Singletons     int64 // that this node has now
	Taken, Yielded int64 // singletons that this node has taken, and given up because another one has them
	// Lag is by the name of a node how many messages it has not yet said to have received.
	Lag map[string]uint64
}
