package demo

import (
	"fmt"
	"strconv"
	"time"
)

// The two tenants of the switch.
const (
	tenantA = "a.example.com"
	tenantB = "b.example.com"
)

// person is somebody who calls or is called.
type person struct{ name, number string }

func tenants() []*tenant {
	return []*tenant{
		{domain: tenantA, people: staff("Carol Diaz", "Alice Moreau", "Adam Okafor", "Mei Tanaka", "Jonas Lind", "Priya Nair")},
		{domain: tenantB, people: staff("Bob Keller", "Sofia Rossi", "Tomas Novak", "Lea Dubois", "Omar Haddad")},
	}
}

func staff(names ...string) []person {
	people := make([]person, len(names))
	for i, name := range names {
		people[i] = person{name, strconv.Itoa(1001 + i)}
	}
	return people
}

// outside are people who belong to no tenant. Their numbers are kept free for fiction.
var outside = [...]person{
	{"Harbour Clinic", "+12025550107"}, {"N. Whitfield", "+12025550123"}, {"Blue Line Cargo", "+12025550144"},
	{"City Library", "+12025550161"}, {"R. Castellano", "+12025550178"}, {"Northwind Travel", "+12025550186"},
	{"Dr. Petrov", "+12025550192"}, {"Unknown", "anonymous"},
}

var codecs = [...]struct{ name, rate string }{{"PCMU", "8000"}, {"PCMA", "8000"}, {"G722", "16000"}, {"opus", "48000"}}

// dial begins a call of somebody of the tenant with a colleague or with somebody outside. The
// caller holds the lock.
func (x *exchange) dial(t *tenant, now time.Time) *call {
	who := 0 // answers the phone for everybody
	if x.random() < 0.7 {
		who = x.below(len(t.people))
	}
	own := t.people[who]
	c := &call{
		missed:  x.random() < 0.2,
		next:    now.Add(x.between(shortestRing, longestRing)),
		willRun: x.between(shortestTalk, longestTalk),
	}
	ch := &c.channel
	ch.UniqueID, ch.Created = x.uuid(), strconv.FormatInt(now.UnixMicro(), 10)
	ch.CallerContext, ch.ChannelPresenceID = t.domain, own.number+"@"+t.domain
	from, to := own, pick(x, outside[:])
	ch.Direction, ch.Name = "outbound", fmt.Sprintf("sofia/internal/%s@%s", own.number, t.domain)
	switch way := x.random(); {
	case way < 0.5:
		from, to = to, own
		ch.Direction, ch.Name = "inbound", "sofia/external/"+from.number
	case way < 0.7:
		to = t.people[(who+1+x.below(len(t.people)-1))%len(t.people)]
		ch.Direction = "local"
	}
	ch.CallerIDName, ch.CallerIDNumber, ch.DestinationNumber = from.name, from.number, to.number
	codec := pick(x, codecs[:])
	ch.ReadCodecName, ch.ReadCodecRate = codec.name, codec.rate
	ch.WriteCodecName, ch.WriteCodecRate = codec.name, codec.rate
	if x.random() < 0.6 {
		ch.Secure = "srtp"
	}
	ch.Application, ch.ApplicationData = "bridge", fmt.Sprintf("user/%s@%s", to.number, t.domain)
	if c.missed {
		ch.Application, ch.ApplicationData = "voicemail", fmt.Sprintf("default %s %s", t.domain, to.number)
	}
	x.calls = append(x.calls, c)
	return c
}

// pick returns one of a list that is not empty.
func pick[T any](x *exchange, list []T) T { return list[x.below(len(list))] }

// below returns a number from 0 to n-1.
func (x *exchange) below(n int) int { return int(x.random() * float64(n)) }

// uuid returns a random UUID, which like all here is as random as the exchange's source.
func (x *exchange) uuid() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(x.random() * 256)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
