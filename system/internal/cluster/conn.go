// Package cluster keeps the links of this node to the others: who is there, what each offers and watches, and an
// ordered stream of parcels to each. It knows a bus only as Conn.
package cluster

// Conn is a bus: whatever takes messages to those who listen to a subject. A message arrives once or not at all. Those
// of one Conn arrive at another in the order in which they were published, whatever their subjects.
type Conn interface {
	// Publish sends data to all who listen to subject. It may block while the bus does not take more. It keeps nothing
	// of data. An error means that the message may be lost.
	Publish(subject string, data []byte) error
	// Listen has take called with each message to subject, by one goroutine for all subjects of the Conn. Take keeps
	// nothing of data.
	Listen(subject string, take func(data []byte)) error
	// MaxBytes is how long a message may be.
	MaxBytes() int
	// Close ends all. What was published before is sent first, if the bus takes it. A Publish that blocks returns. Take
	// is not called afterwards.
	Close()
}
