package actors

import (
	"time"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
	"strowger/config/policy"
)

// Cluster is the way to the other nodes. Deps has none where there is one node only. Its methods may be called from any
// goroutine and never block. Each tells all other nodes, and remembers what it has told for those that come later.
//
// What an actor tells reaches a node in the order in which it told it, among all that it sends to that node. Done is
// called once, by any goroutine, when every node has heard the news, or has gone, or has not answered for a while.
type Cluster interface {
	// Offered tells of an instance on this node, or of one that has changed. Done may be nil.
	Offered(o Offered, done func())
	// Withdrawn tells that an instance is gone. All that it said has been sent before, and so have the requests that it
	// has left open.
	Withdrawn(name, id string)
	// Watched tells that this node has subscribers of a service. Done may be nil.
	Watched(name string, done func())
	// Unwatched tells that it has none any more.
	Unwatched(name string)
}

// Node is the way to one other node. Its methods may be called from any goroutine, never block and keep their order.
// Nodes are compared with ==.
type Node interface {
	// Name is what the operator calls the node. It is for logs.
	Name() string
	// Send sends p, which nobody changes afterwards. It returns false if p is dropped because too much waits or the
	// node is gone. Then the node learns that it has missed something. Send adds a holder to the lease of p, and
	// releases it when p is sent or dropped. The caller releases its own. One parcel may be sent to several nodes.
	Send(p *Parcel) bool
}

// Offered is an instance of a service as other nodes know it.
type Offered struct {
	Name  string // of the service
	ID    string // of the instance: its subscriber id
	Class string
	// KnownClass, see Identity.
	KnownClass bool
	// Inside is true for a service that runs in the router of its node.
	Inside bool
	// Everywhere is true if each node's instance knows a part of what is asked, so that one that gets a request may have
	// others asked too.
	Everywhere bool
	// Leaving is true once it takes no more requests. It stays true.
	Leaving bool
	// Policy is the policy that the service has in code, nil for none.
	Policy *policy.Policy
}

// ParcelKind is what a parcel says.
type ParcelKind uint8

// The kinds of parcels. The comment says which fields they have besides Service.
const (
	// AskParcel is a request. Text is the stamped envelope, Instances are who gets it; Subscriber, User, Left and Part.
	AskParcel ParcelKind = iota + 1
	// ReplyParcel is for one asker: Text is the envelope, not filtered; Instance has said it; Class, KnownClass;
	// Subscriber is the asker.
	ReplyParcel
	// BroadcastParcel is for all who watch the service. Text is the envelope, not filtered; Instance has said it;
	// Class, KnownClass, Open. Instance need not be offered: a helper may speak for a service.
	BroadcastParcel
	// HandBackParcel says that an instance will not answer a request: Instance, Subscriber, RequestID, Busy, Passed,
	// Unseen. Text is the reply that the asker gets unless another instance has the request too. If it is empty, or the service is
	// Everywhere and the status in it is not 500, another instance may get the request.
	HandBackParcel
	// GoneParcel says that an asker of the service has left: Subscriber.
	GoneParcel
	// ShareParcel has the asker's node ask the other instances for what they can add to the answer of Instance: Text is
	// the request; Subscriber.
	ShareParcel
	// WillParcel has Text, a broadcast of Instance, said when Instance is lost. One with the same Key is replaced, by no
	// Text it is taken back, and without a Key all of them are.
	WillParcel
	// PresenceParcel has Text, which says who watches the service over connections to the node.
	PresenceParcel
)

// Parcel is a message from one node to another about one service.
type Parcel struct {
	Kind       ParcelKind
	Service    string
	Instance   string   // id
	Instances  []string // ids
	Subscriber string   // id
	Class      string
	KnownClass bool
	Open       bool // not filtered
	Busy       bool // the instance had no room
	Passed     bool // the instance has looked at the request, and does not have what it is about
	Unseen     bool // the instance was gone, or leaving, before the request came
	Part       PartKind
	Key        string // of a will
	User       User
	// Left is how much time there is for an answer.
	Left      time.Duration
	RequestID envelope.Raw
	// Text is an envelope as JSON.
	Text []byte
	// Lease is the share of a window that the parcel holds while it waits to be sent; nil: none. It is not sent.
	Lease *runtime.Lease
}

// User is what a service in the router learns of who asks, besides what is in the envelope.
type User struct {
	UUID, Name string
	Extensions []string
}
