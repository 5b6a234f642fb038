package transport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/filter"
	"strowger/actors/runtime"
	"strowger/config/policy"
)

// BenchmarkFilteredFanOut is one broadcast to 10,000 members, from the bytes of the service to a
// write for each member, which goes to a file that swallows it: what a socket would cost on top is
// the same for all. Only those that run in a process of their own can be compared: who comes first
// has the best memory. Each class lacks other permissions and so gets another payload; with as many
// classes as members every member is filtered for itself.
func BenchmarkFilteredFanOut(b *testing.B) {
	const members = 10_000
	open, shut := filter.Pass(), guarded(b)
	for _, bench := range []struct {
		name    string
		filter  *filter.Filter
		classes int
	}{
		{"unfiltered", open, 1}, {"1class", shut, 1}, {"10classes", shut, 10}, {"100classes", shut, 100}, {"eachmember", shut, members},
	} {
		b.Run(bench.name, func(b *testing.B) { benchmarkFanOut(b, bench.filter, members, bench.classes) })
	}
}

// rights is enough permissions for more classes than there are members.
const rights = 14

// guarded returns a filter with a key for each right.
func guarded(b *testing.B) *filter.Filter {
	p := policy.Policy{KeyPermissions: map[string][]string{}}
	for i := range rights {
		p.KeyPermissions[fmt.Sprint("key", i)] = []string{right(i)}
	}
	f, err := filter.Compile(p)
	if err != nil {
		b.Fatal(err)
	}
	return f
}

func right(i int) string { return fmt.Sprintf("right%02d", i) }

// classTokens grants the tokens that are called service and by the number of a class. All lack the
// first right, so that nobody gets the payload whole.
type classTokens struct{}

func (classTokens) Claim(name, _ string, _ func(actors.Role) error) (*actors.Credentials, error) {
	if name == "service" {
		return &actors.Credentials{Role: actors.Service, Service: "s"}, nil
	}
	var class int
	if _, err := fmt.Sscan(name, &class); err != nil {
		return nil, errors.New("unknown token")
	}
	c := &actors.Credentials{Role: actors.Client, Services: []string{"s"}}
	for i := range rights {
		if class&(1<<i) != 0 {
			c.Permissions = append(c.Permissions, right(i))
		}
	}
	return c, nil
}

func benchmarkFanOut(b *testing.B, f *filter.Filter, members, classes int) {
	r := newRig(b, nil)
	r.deps.Tokens = classTokens{}
	settings := *r.deps.Settings.Load()
	settings.Policies = actors.NewPolicies(nil, nil, f)
	r.deps.Settings.Store(&settings)
	router := actors.SpawnRouter(r.deps)
	writes := new(writes)
	writes.on.Store(true)
	for _, sh := range r.shards {
		sh.writer.call = writes.write
	}
	var senders []func(data []byte, l *runtime.Lease)
	for range members + 1 {
		connection := actors.SpawnConnection(r.deps, router, r.swallower(b), &net.TCPAddr{})
		b.Cleanup(func() { r.deps.System.Root.Stop(connection.PID()) })
		senders = append(senders, func(data []byte, l *runtime.Lease) {
			m := &actors.Received{Data: data}
			m.Held = runtime.Hold(l)
			connection.Send(m)
		})
	}
	// In any order, as people come, or memory would be read in the order in which it was given out.
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(senders), func(i, j int) { senders[i], senders[j] = senders[j], senders[i] })
	authenticate := func(i int, name string) {
		senders[i](fmt.Appendf(nil, `{"service":"authentication","token":{"name":%q,"hash":"h"}}`, name), nil)
	}
	for i := range members {
		authenticate(i, fmt.Sprint(i%classes))
	}
	authenticate(members, "service")
	say := senders[members]
	message := event()
	broadcast := func() {
		// The lease comes back when every shard has written.
		var w runtime.Window
		w.SetBudget(1)
		w.Acquire(1)
		say(message, runtime.NewLease(&w, 1))
		w.Acquire(1)
	}
	eventually(b, "a broadcast reaches all", func() bool {
		if int(r.deps.Counters.Authentic.Load()) <= members {
			return false
		}
		writes.n.Store(0)
		broadcast()
		return int(writes.n.Load()) == members
	})
	writes.on.Store(false)
	b.ReportAllocs()
	cpu := processorTime(b)
	for b.Loop() {
		broadcast()
	}
	b.StopTimer()
	deliveries := float64(b.N) * float64(members)
	b.ReportMetric(float64((processorTime(b)-cpu).Nanoseconds())/deliveries, "cpu-ns/delivery")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/deliveries, "ns/delivery")
	_ = r.deps.System.Root.PoisonFuture(router.PID()).Wait()
}

// event is a broadcast of some 600 bytes with all the guarded keys.
func event() []byte {
	var b strings.Builder
	b.WriteString(`{"service_name":"s","topic":"CHANNEL_CALLSTATE","payload":{"event_name":"CHANNEL_CALLSTATE","unique_id":"0a1b2c3d-0000-4000-8000-000000000001"`)
	for i := range rights {
		fmt.Fprintf(&b, `,"key%d":"a value of some length"`, i)
	}
	b.WriteString(`}}`)
	return []byte(b.String())
}

// swallower returns an attached socket whose writes go to the null device.
func (r *rig) swallower(b *testing.B) *socket {
	file, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = file.Close() })
	r.live.Add(1)
	s := r.newSocket(silentConn{}, r.limits.Load())
	s.fd = int(file.Fd())
	r.attach(s)
	return s
}

// writes counts what is written, until the measuring begins.
type writes struct {
	on atomic.Bool
	n  atomic.Int64
}

func (w *writes) write(fd int, p []byte) (int, error) {
	if w.on.Load() {
		w.n.Add(1)
	}
	return writeNow(fd, p)
}

// silentConn is a connection with nobody at the far end.
type silentConn struct{ net.Conn }

func (silentConn) Close() error                     { return nil }
func (silentConn) SetDeadline(time.Time) error      { return nil }
func (silentConn) SetReadDeadline(time.Time) error  { return nil }
func (silentConn) SetWriteDeadline(time.Time) error { return nil }
func (silentConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (silentConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (silentConn) Read([]byte) (int, error)         { return 0, errors.New("nobody is there") }
func (silentConn) Write(p []byte) (int, error)      { return len(p), nil }
