package console

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"strowger/system/internal/introspect"
)

// Source is the system that is shown and acted on. Its methods may be called from any goroutine.
type Source interface {
	// Hello says what runs here.
	Hello() Hello
	// Reading reads the counters.
	Reading() Reading
	// Revisions returns numbers that grow when the tree, the dead letters and the log change.
	Revisions() (tree, letters, log uint64)
	// Tree returns the supervised actors and what else there is.
	Tree(ctx context.Context) (Node, error)
	Connections(ctx context.Context) ([]Connection, error)
	Topics(ctx context.Context) ([]Topic, error)
	Services(ctx context.Context) ([]Service, error)
	// Cluster returns the other routers that are one router with this one.
	Cluster() introspect.Cluster
	// Letters returns the dead letters that are kept, the latest first, and how many there were.
	Letters() (kept []introspect.DeadLetter, total uint64, counts map[string]int64)
	// Log returns the lines kept after a number, the oldest first.
	Log(after uint64) []*introspect.LogRecord
	// Explain tells what a subscriber gets. The event may be nil.
	Explain(subscriber, service string, event json.RawMessage) (any, error)

	// Disconnect closes a connection. The error is ErrGone if there is none.
	Disconnect(ctx context.Context, number uint64) error
	// Order has a service in the router restarted, stopped, started or its breaker reset. The error is ErrUnknown, or
	// wraps ErrNotNow.
	Order(ctx context.Context, name, deed string) error
	// Add adds a service that a template makes. The error says what is wrong with what was given, or wraps ErrNotNow.
	Add(ctx context.Context, name, template string, args map[string]string) error
	// Remove removes a service that was added. The error is ErrUnknown, or wraps ErrNotNow.
	Remove(ctx context.Context, name string) error
	// Replay asks a service once more what a dead letter has asked. The error is ErrGone, or wraps ErrNotNow.
	Replay(ctx context.Context, number uint64) (*Replayed, error)
}

// The errors of a Source.
var (
	ErrGone    = errors.New("it is not there any more")
	ErrUnknown = errors.New("there is no such service in the router")
	ErrNotNow  = errors.New("not possible")
)

// Hello is what runs here.
type Hello struct {
	Version  string               `json:"version"`
	Commit   string               `json:"commit,omitempty"`
	Go       string               `json:"go"`
	PID      int                  `json:"pid"`
	Host     string               `json:"host"`
	Started  time.Time            `json:"started"`
	Now      time.Time            `json:"now"`
	Address  string               `json:"address"`
	Ready    bool                 `json:"ready"`
	Problems []introspect.Problem `json:"problems"`
	Payloads bool                 `json:"payloads"`
	Cluster  *ClusterHello        `json:"cluster,omitempty"` // nil: the router is alone
}

// ClusterHello is this router's place in a cluster.
type ClusterHello struct {
	Name   string               `json:"name"`
	Node   string               `json:"node"`   // this one
	Nodes  int                  `json:"nodes"`  // other ones that are there
	Linked int                  `json:"linked"` // of those
	Notes  []introspect.Problem `json:"notes"`
}

// Reading is one reading of the counters.
type Reading struct {
	At time.Time
	// Since the start.
	Requests, Replies, Broadcasts, DeadLetters, Refused, SlowConsumers, Panics, Restarts int64
	CPU                                                                                  time.Duration
	// Now.
	Connections, Clients, Services, WaitingBytes, HeapBytes, Goroutines int64
}

// Node is an actor of the tree, or another part of the router.
type Node struct {
	introspect.Node
	Last     *Failure `json:"last_failure,omitempty"`
	Detail   string   `json:"detail,omitempty"`
	Omitted  int      `json:"omitted,omitempty"` // children that are too many to be shown
	Actions  []string `json:"actions,omitempty"`
	Children []Node   `json:"children,omitempty"`
}

// Failure is introspect.Failure with the stack.
type Failure struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Stack  string    `json:"stack,omitempty"`
}

// Connection is one row.
type Connection struct {
	ID            string     `json:"id"`
	Number        uint64     `json:"number"`
	Role          string     `json:"role"`
	User          string     `json:"user"`
	UserUUID      string     `json:"user_uuid"`
	Domain        string     `json:"domain"`
	Name          string     `json:"name"`
	Class         string     `json:"class"`
	Remote        string     `json:"remote"`
	Since         time.Time  `json:"since"`
	AgeMS         int64      `json:"age_ms"`
	IdleMS        int64      `json:"idle_ms"`
	Subscriptions int        `json:"subscriptions"`
	Queued        int        `json:"queued"`
	QueuedBytes   int64      `json:"queued_bytes"`
	InBytes       int64      `json:"in_bytes"`
	OutBytes      int64      `json:"out_bytes"`
	HTTP          bool       `json:"http,omitempty"` // it comes by HTTP and not by a socket
	Expires       *time.Time `json:"expires,omitempty"`

	Watches     []string `json:"-"`
	Extensions  []string `json:"-"`
	Permissions int      `json:"-"`
}

// Topic is one row.
type Topic struct {
	Name       string  `json:"name"`
	Members    int     `json:"members"`
	Classes    int     `json:"classes"`
	Instances  int     `json:"instances"`
	Broadcasts int64   `json:"broadcasts"`
	Rate       float64 `json:"rate"`
	Mailbox    int     `json:"mailbox"`
}

// Service is one row.
type Service struct {
	Name         string     `json:"name"`
	Inside       bool       `json:"inside"`
	State        string     `json:"state"`
	Since        *time.Time `json:"since,omitempty"`
	Instances    []Instance `json:"instances"`
	Restarts     uint64     `json:"restarts"`
	Breaker      string     `json:"breaker,omitempty"`
	RetryAfterMS int64      `json:"retry_after_ms"`
	Reason       string     `json:"reason,omitempty"`
	Open         int        `json:"open"`
	Queued       int        `json:"queued"`
	Abandoned    int        `json:"abandoned,omitempty"` // goroutines of earlier lives that still run
	Requests     int64      `json:"requests"`
	Rate         float64    `json:"rate"`
	Failures     int64      `json:"failures"`
	FailureRate  float64    `json:"failure_rate"`
	Latency      *Latency   `json:"latency_ms,omitempty"`
	Actions      []string   `json:"actions"`
}

// Latency is how long answers take, in milliseconds.
type Latency struct {
	Mean float64 `json:"mean"`
}

// Instance is one instance of a service.
type Instance struct {
	ID      string `json:"id"`
	Inside  bool   `json:"inside"`
	Remote  string `json:"remote,omitempty"`
	Class   string `json:"class,omitempty"`
	Open    int    `json:"open"`
	Leaving bool   `json:"leaving,omitempty"`
	Passive bool   `json:"passive,omitempty"`
}

// Replayed is what became of a dead letter that was asked once more.
type Replayed struct {
	Status       int     `json:"status"`
	Topic        string  `json:"topic"`
	PayloadBytes int     `json:"payload_bytes"`
	Payload      *string `json:"payload,omitempty"`
}
