package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"strowger/actors/envelope"
)

// Options says how a client connects and how long it waits. The zero value
// serves; a zero field means the default named with it.
type Options struct {
	// Header is sent with the upgrade request. A "Host" entry replaces the
	// host of the URL.
	Header http.Header
	// TLS is used for wss URLs. Nil means the system's certificate
	// authorities; an empty ServerName means the host of the URL.
	TLS *tls.Config
	// Dial opens the TCP connection, without TLS. Nil means net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Logger gets the life cycle at Info and the router's faults at Warn,
	// never a token or a payload. Nil means no log.
	Logger *slog.Logger
	// OnState is told of each change of state, in order, with its cause: the
	// error for StateOffline and StateClosed, otherwise nil. It runs on the
	// goroutine that keeps the connection, so it must return soon and must not
	// call Close. Nil means nobody is told.
	OnState func(state State, cause error)
	// OnMessage is given each message from the router that answers no request of
	// this client, before those who Listen. It is for programs that read the
	// protocol themselves, as package remote does to serve a service. It runs on
	// the goroutine that reads, so it must return soon; it may keep the envelope
	// but must not change it. Nil means nobody is told.
	OnMessage func(e *envelope.Envelope)

	// OnGap is told when broadcasts of a service that is listened to may be lost: the
	// client came back and the router could not send what it missed, the history of the
	// service began anew, a node of a cluster that offers the service was lost or linked,
	// or the router dropped broadcasts because this client reads too slowly (slow in
	// docs/policies.md). It comes before the next message of the service, which has Gap.
	// It runs on the goroutine that reads, so it must return soon, and must not call Close
	// or wait for an answer. Nil means nobody is told.
	OnGap func(Gap)

	// ConnectTimeout is the most that one attempt may take, from dialling to
	// being authenticated, the TokenSource included. Zero means 10 s.
	ConnectTimeout time.Duration
	// RequestTimeout limits a Request whose context has no deadline. By default
	// the router does not answer a request for a service that nobody offers, so
	// without a limit such a request waits for ever. Zero means 30 s, negative
	// no limit.
	RequestTimeout time.Duration
	// WriteTimeout is the most that writing one frame may take; the
	// connection is lost after it. Zero means 10 s.
	WriteTimeout time.Duration
	// CloseTimeout is how long Close waits for the router to answer the close
	// frame. It then waits as long again for callbacks to return. Zero means 5 s.
	CloseTimeout time.Duration
	// PingInterval is the time between pings. The connection is lost when
	// nothing at all arrives between two of them; the time in which the process
	// did not run does not count. Zero means 25 s, which also
	// keeps a proxy from taking the connection for idle; negative means never.
	PingInterval time.Duration
	// RenewBefore is how long before its end a JWT is renewed: the client gets a
	// fresh token and presents it on the open connection, which then lasts as long
	// as that one. It is never more than half of the time that is left, and an
	// attempt that failed is repeated in the same way. If the router says that the
	// fresh JWT grants something else, the client connects anew with it. Zero means
	// 1 min, negative never.
	RenewBefore time.Duration
	// FailFast makes a request fail at once with ErrDisconnected while the
	// client is offline. Otherwise it waits until its context ends.
	FailFast bool
	// Resume asks the router for tickets (docs/protocol.md, section 16). With the latest
	// the client comes back after a lost connection as who it was, without a call of the
	// TokenSource. If the router refuses it or gives none, the TokenSource is called as
	// without Resume. Requests under way go on if the router has kept them, and fail with
	// ErrDisconnected as soon as it has said that it has not. It is for clients: services
	// get no tickets.
	Resume bool
	// Recover asks the router for the broadcasts that were missed while there was no
	// connection. It sends those of services whose policy has a history, in order and
	// before anything newer. Otherwise they are lost, and Message.Gap says so.
	Recover bool
	// Filters asks for less, by service: the router sends only broadcasts that pass. A
	// connection states them when it authenticates, so they cannot change. A filter that
	// the router does not use, because it is an older one or because limits.filter_values
	// is in the way, is applied by the client, and the log says so.
	Filters map[string]Filter

	Reconnect Reconnect
	Limits    Limits
}

// Reconnect says what happens after a connection is lost. The n-th attempt in a
// row waits a random time between zero and the lesser of Min times two to the
// power of n-1 and Max. A connection that lasted Max starts the row anew.
type Reconnect struct {
	// Disabled makes the client close instead.
	Disabled bool
	// Min is the upper bound of the first wait. Zero means 250 ms.
	Min time.Duration
	// Max bounds every wait. Zero means 30 s.
	Max time.Duration
	// Refusals is how many fresh tokens the router may refuse in a row, other
	// failures aside, before the client closes with ErrUnauthorized. Zero means
	// 5, negative no end.
	Refusals int
	// FromStart makes Dial go on trying as after a loss, until its context ends
	// or the router has refused too many tokens. Otherwise Dial tries once.
	FromStart bool

	// spread picks a wait from zero to below max; nil means at random.
	spread func(max time.Duration) time.Duration
}

// Limits bounds what the client holds in memory.
type Limits struct {
	// MessageBytes is the longest message that may be sent or received. A
	// longer request fails; a longer message from the router ends the
	// connection. The router has limits of its own. It writes all keys of an
	// envelope, so that a message may leave it longer than it came. Zero means
	// 16 MiB, the router's default limit for what a service sends, and the
	// bytes of an empty envelope.
	MessageBytes int
	// HeaderBytes is the longest answer to the upgrade request, interim
	// answers included. A longer one fails the attempt. Zero means 64 KiB.
	HeaderBytes int
	// QueueMessages is how many messages may wait for one listener or one
	// stream. Zero means 1024.
	QueueMessages int
	// QueueBytes is how many bytes of messages may wait for one listener or
	// one stream; a single longer message still fits into an empty queue. Zero
	// means 16 MiB.
	QueueBytes int
}

// WithDefaults returns o with its zero fields filled, as Dial does, or an error
// that names the field that makes no sense.
func (o Options) WithDefaults() (Options, error) {
	err := errors.Join(fill([]setting[time.Duration]{
		{name: "ConnectTimeout", field: &o.ConnectTimeout, zero: 10 * time.Second},
		{name: "RequestTimeout", field: &o.RequestTimeout, zero: 30 * time.Second, negative: true},
		{name: "WriteTimeout", field: &o.WriteTimeout, zero: 10 * time.Second},
		{name: "CloseTimeout", field: &o.CloseTimeout, zero: 5 * time.Second},
		{name: "PingInterval", field: &o.PingInterval, zero: 25 * time.Second, negative: true},
		{name: "RenewBefore", field: &o.RenewBefore, zero: time.Minute, negative: true},
		{name: "Reconnect.Min", field: &o.Reconnect.Min, zero: 250 * time.Millisecond},
		{name: "Reconnect.Max", field: &o.Reconnect.Max, zero: 30 * time.Second},
	}), fill([]setting[int]{
		{name: "Reconnect.Refusals", field: &o.Reconnect.Refusals, zero: 5, negative: true},
		{name: "Limits.MessageBytes", field: &o.Limits.MessageBytes, zero: 16<<20 + envelope.EnvelopeBytes},
		{name: "Limits.HeaderBytes", field: &o.Limits.HeaderBytes, zero: 64 << 10},
		{name: "Limits.QueueMessages", field: &o.Limits.QueueMessages, zero: 1024},
		{name: "Limits.QueueBytes", field: &o.Limits.QueueBytes, zero: 16 << 20},
	}))
	for service, f := range o.Filters {
		if wrong := f.check(); wrong != nil {
			err = errors.Join(err, fmt.Errorf("options: Filters of %q: %w", service, wrong))
		}
	}
	if err != nil {
		return o, err
	}
	if o.Reconnect.spread == nil {
		o.Reconnect.spread = rand.N[time.Duration]
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// setting is a field with its default and whether negative values mean something.
type setting[T int | time.Duration] struct {
	name     string
	field    *T
	zero     T
	negative bool
}

// fill gives each field that is zero its default and refuses the first that must not
// be negative but is.
func fill[T int | time.Duration](settings []setting[T]) error {
	for _, s := range settings {
		if *s.field == 0 {
			*s.field = s.zero
		}
		if *s.field < 0 && !s.negative {
			return fmt.Errorf("options: %s is %v, must not be negative", s.name, *s.field)
		}
	}
	return nil
}
