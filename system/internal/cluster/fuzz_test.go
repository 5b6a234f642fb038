package cluster

import (
	"fmt"
	"testing"

	"strowger/actors"
	"strowger/actors/clock/clocktest"
)

// nowhere is a bus that takes everything and delivers nothing.
type nowhere struct{}

func (nowhere) Publish(string, []byte) error      { return nil }
func (nowhere) Listen(string, func([]byte)) error { return nil }
func (nowhere) MaxBytes() int                     { return 1000 }
func (nowhere) Close()                            {}

// indifferent are actors that take everything.
type indifferent struct{}

func (indifferent) Offered(actors.Offered) error { return nil }
func (indifferent) Withdrawn(string, string)     {}
func (indifferent) Watched(string)               {}
func (indifferent) Unwatched(string)             {}
func (indifferent) Receive(*actors.Parcel) error { return nil }
func (indifferent) Known()                       {}
func (indifferent) Gone()                        {}

// FuzzTake lets another node say anything, in one message after the other: data is the length of a message in one byte,
// the message without its version and sender, and so on. Afterwards the link begins anew as after any loss.
func FuzzTake(f *testing.F) {
	add := func(leads bool, all ...header) {
		var data []byte
		for _, h := range all {
			whole := h.append(nil)
			message := append([]byte{whole[1]}, whole[2+len(nodeID{}):]...)
			if h.kind == kindItems {
				for range h.count {
					message = append(message, 0, 0, 0, 4, byte(itemWatched), 0, 1, 'a')
				}
			}
			if h.kind == kindFragment {
				message = append(message, byte(itemWatched), 0, 1, 'a')
			}
			data = append(append(data, byte(len(message))), message...)
		}
		f.Add(leads, data)
	}
	for _, leads := range []bool{false, true} {
		add(leads)
		few := headers()
		few[2].count = 2
		add(leads, few...)
		add(leads, header{kind: kindBegin, session: 1}, header{kind: kindItems, session: 1, first: 1, count: 2},
			header{kind: kindFragment, session: 1, first: 3, count: 0, more: true}, header{kind: kindFragment, session: 1, first: 3, count: 1},
			header{kind: kindMark, session: 1, first: 4, count: 1, more: true}, header{kind: kindMark, session: 1, first: 9})
		add(leads, header{kind: kindBegin, session: 1}, header{kind: kindReset, session: 1}, header{kind: kindBegin, session: 2})
		add(leads, header{kind: kindItems, session: 3, first: 1, count: 1}, header{kind: kindReset}, header{kind: kindBegin, session: 1 << 63})
	}
	f.Fuzz(func(t *testing.T, leads bool, data []byte) {
		clock := clocktest.New()
		l, err := New(Options{Conn: nowhere{}, Clock: clock, Cluster: "c", Name: "n", QueueBytes: func() int64 { return 500 }})
		if err != nil {
			t.Fatal(err)
		}
		l.id, l.newRemote = nodeID{2}, func(actors.Node) remote { return indifferent{} }
		if err := l.Start(actors.RouterRef{}); err != nil {
			t.Fatal(err)
		}
		other := nodeID{1}
		if leads {
			other = nodeID{3}
		}
		l.hear(fmt.Appendf(nil, `{"id":%q,"name":"o","protocol":1}`, other.String()))
		for range 50 {
			if len(data) < 2 {
				break
			}
			n := min(int(data[0]), len(data)-1)
			message := data[1 : 1+n]
			data = data[1+n:]
			whole := []byte{protocolVersion}
			if n > 0 {
				whole = append(append(append(whole, message[0]), other[:]...), message[1:]...)
			}
			l.take(whole)
			clock.Advance(tickEvery)
		}
		_ = l.Nodes()
		l.Stop(t.Context())
		if c := l.Counts(); c.Panics > 0 || c.QueueBytes != 0 {
			t.Errorf("%+v", c)
		}
	})
}
