package process

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Options says how a service runs in a process. The zero value serves; a zero field means the default named with it.
type Options struct {
	// Memory is how many bytes the child may need. Its runtime (GOMEMLIMIT) collects garbage more and more often when three
	// quarters of it are in use. On Linux the kernel refuses what goes beyond Memory: private, writable memory that the child
	// has mapped since its start (RLIMIT_DATA). On Windows it refuses memory that makes the whole process larger than
	// Memory (a job object). The child then ends with "out of memory", and the service has failed. On other systems nothing is
	// refused. Zero means no limit of its own; the least is 16 MiB.
	Memory int64
	// Env has the environment variables that the child gets besides those that programs need to find their way, such as
	// PATH, HOME, TZ and the locale, and those of Go's runtime. "NAME" is passed on if it is set, "NAME=value" is set. The
	// arguments of this program are the child's too.
	Env []string
	// StartTimeout is how long it may take from the start of the child until the service's Setup has returned. After that the
	// child is killed, and its start has failed. Zero means 10 s.
	StartTimeout time.Duration
	// MessageBytes is how long one request, answer or broadcast may be. A longer request is answered with 500, as is one whose
	// answer is longer, and a longer broadcast is dropped; each is logged. A child that sends a longer one all the same is
	// killed. Zero means 32 MiB.
	MessageBytes int
	// QueueBytes is how much may wait on the way to the child and, until the service looks at it, in the child. A request that
	// finds no room is answered with 503. As much may wait on the way from the child: a broadcast then waits for a
	// second at most and is dropped after that, a streamed request gets 503, and sources wait. One message always fits. Zero
	// means 16 MiB.
	QueueBytes int
	// LogLines is how many lines of the child's log and output are logged in a second. Those beyond it are counted. Zero
	// means 100.
	LogLines int
}

// leastMemory is what a Go program with a few actors needs.
const leastMemory = 16 << 20

func (o Options) withDefaults() (Options, error) {
	o.StartTimeout = cmp.Or(o.StartTimeout, 10*time.Second)
	o.MessageBytes = cmp.Or(o.MessageBytes, 32<<20)
	o.QueueBytes = cmp.Or(o.QueueBytes, 16<<20)
	o.LogLines = cmp.Or(o.LogLines, 100)
	var problems []error
	if o.Memory != 0 && o.Memory < leastMemory {
		problems = append(problems, fmt.Errorf("options: Memory is %d, must be 0 or at least %d", o.Memory, leastMemory))
	}
	if o.StartTimeout < 0 {
		problems = append(problems, fmt.Errorf("options: StartTimeout is %s, must not be negative", o.StartTimeout))
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"MessageBytes", o.MessageBytes}, {"QueueBytes", o.QueueBytes}, {"LogLines", o.LogLines}} {
		if n.value < 0 {
			problems = append(problems, fmt.Errorf("options: %s is %d, must not be negative", n.name, n.value))
		}
	}
	return o, errors.Join(problems...)
}
