package eventsocket

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"strowger/actors/clock"
)

// Options says where the switch is and what the client bears. Zero means the default of a field.
type Options struct {
	// Address is the host and port of the event socket. The default is 127.0.0.1:8021.
	Address string
	// Password is sent as it is. It must not be empty or contain control characters.
	Password string
	// Jobs makes the client listen for the results of background commands; Background needs it.
	Jobs bool

	// MaxLine is the longest header line outside an event, in bytes. Longer ones are skipped.
	// The default is 16 KiB and the maximum 64 KiB.
	MaxLine int
	// MaxHeaders is how many header lines an event or the head of a message may have. The default is 4096.
	MaxHeaders int
	// MaxEvent is the size of the largest event, in bytes. A larger one is skipped and every
	// subscription gets a Gap. The default is 1 MiB.
	MaxEvent int
	// MaxBody is the size of the largest reply, in bytes. A larger one is skipped and its command
	// fails with ErrTooLarge. The default is 16 MiB.
	MaxBody int
	// MaxSkip is how many bytes of one message are skipped before the client gives the connection up.
	// The default is 64 MiB.
	MaxSkip int
	// MaxPending is how many commands may wait for their replies. Further ones fail with ErrBusy.
	// The default is 1024.
	MaxPending int

	// DialTimeout bounds connecting, LoginTimeout the login after it. The defaults are 5 s and 10 s.
	DialTimeout  time.Duration
	LoginTimeout time.Duration
	// CommandTimeout is how long Do waits if its context has no deadline. The default is 10 s.
	CommandTimeout time.Duration
	// ReplyLimit ends a connection on which a command has been without reply for that long, whether
	// somebody still waits for it or not. The default is 2 minutes.
	ReplyLimit time.Duration
	// StallTimeout is how long one message may take from its first byte to its last, and one write.
	// The default is 30 s.
	StallTimeout time.Duration
	// ProbeAfter is how long the switch may be silent before the client sends "api uptime" to see
	// whether it is there, and how long the answer may take. The default is 60 s.
	ProbeAfter time.Duration

	// MinBackoff and MaxBackoff bound the pause before another attempt to connect. It doubles with each
	// failure and a random part of up to a half is taken off. The defaults are 200 ms and 3 s.
	MinBackoff time.Duration
	MaxBackoff time.Duration

	// QueueEvents and QueueBytes bound what waits in one subscription: so many events and so many
	// bytes of them. The defaults are 4096 and 32 MiB.
	QueueEvents int
	QueueBytes  int

	// Dial makes the connection. The default is TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Clock times the pauses between attempts. The default is the machine's clock.
	Clock clock.Clock
	// Random returns a number in [0,1). The default is math/rand's.
	Random func() float64
	// Changed is called on Run's goroutine after the connection was set up (err is nil) and after it
	// ended or could not be made (err says why). It must not block.
	Changed func(connected bool, err error)
	// Log gets the life cycle and what the switch did wrong, never a password or the text of a
	// command. The default discards.
	Log *slog.Logger
}

// maxLine is the size of the read buffer: no longer line can be kept.
const maxLine = 64 << 10

func (o *Options) configureDefaults() error {
	if o.Password == "" || hasControl(o.Password) {
		return errors.New("eventsocket: the password is empty or has control characters")
	}
	setDefault(&o.Address, "127.0.0.1:8021")
	setDefault(&o.MaxLine, 16<<10)
	setDefault(&o.MaxHeaders, 4096)
	setDefault(&o.MaxEvent, 1<<20)
	setDefault(&o.MaxBody, 16<<20)
	setDefault(&o.MaxSkip, 64<<20)
	setDefault(&o.MaxPending, 1024)
	setDefault(&o.DialTimeout, 5*time.Second)
	setDefault(&o.LoginTimeout, 10*time.Second)
	setDefault(&o.CommandTimeout, 10*time.Second)
	setDefault(&o.ReplyLimit, 2*time.Minute)
	setDefault(&o.StallTimeout, 30*time.Second)
	setDefault(&o.ProbeAfter, time.Minute)
	setDefault(&o.MinBackoff, 200*time.Millisecond)
	setDefault(&o.MaxBackoff, 3*time.Second)
	setDefault(&o.QueueEvents, 4096)
	setDefault(&o.QueueBytes, 32<<20)
	o.MaxLine = min(o.MaxLine, maxLine)
	if o.Dial == nil {
		o.Dial = dialTCP
	}
	if o.Clock == nil {
		o.Clock = clock.Wall{}
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Changed == nil {
		o.Changed = func(bool, error) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", address)
}
