package actors

import (
	"time"

	"strowger/actors/envelope"
	"strowger/actors/filter"
)

// view is a topic's members as one filter sees them: those it gives the same are one audience, and
// what it gives nothing in no case are in none. A topic has one view for each filter its service
// speaks through, nearly always one.
type view struct {
	service   string
	filter    *filter.Filter
	speakers  int // instances that speak through it
	audiences map[filter.Class]*audience
	filtered  envelope.Envelope // what one audience gets, while it is encoded
	looked    time.Time         // when it was last asked why a broadcast reached nobody
	words     filter.Words      // that narrowed members go by
	passed    []*narrowed       // that get the message that is being cast
}

// audience is the members of one class.
type audience struct {
	alike
	narrowed map[string]*narrowed // those who asked for less, by what they asked for; nil: nobody
}

// alike is members of an audience that get the same messages.
type alike struct {
	plain    crowd
	recorded crowd // those who asked for positions
}

// narrowed is the members of an audience that asked for the same, and not for all that the policy gives them.
type narrowed struct {
	alike
	by *filter.Narrowing
}

// crowd is the members of an audience that get the same form of a message.
type crowd struct {
	group Group // nil: there has been none
	size  int
}

func (l *alike) crowd(p *Peer) *crowd {
	if p.recorded() {
		return &l.recorded
	}
	return &l.plain
}

func (l *alike) size() int { return l.plain.size + l.recorded.size }

// among returns the members of the audience that get what p gets. It makes them an audience of their own if need be.
func (v *view) among(a *audience, p *Peer) *alike {
	by := p.narrowing(v.service)
	if by == nil {
		return &a.alike
	}
	n := a.narrowed[by.Text]
	if n == nil {
		n = &narrowed{by: by}
		if a.narrowed == nil {
			a.narrowed = make(map[string]*narrowed)
		}
		a.narrowed[by.Text] = n
		v.words.Want(by)
	}
	return &n.alike
}

// passing returns the narrowed members that get a message of the topic. Payload is what their class gets.
func (v *view) passing(a *audience, topic string, payload []byte, c *Counters) []*narrowed {
	if len(a.narrowed) == 0 {
		return nil
	}
	v.passed = v.passed[:0]
	v.words.Read(payload)
	for _, n := range a.narrowed {
		if v.words.Pass(n.by, topic) {
			v.passed = append(v.passed, n)
		} else {
			c.Narrowed.Add(int64(n.size()))
		}
	}
	return v.passed
}

// add makes a peer part of the audience of its class. A peer is added once.
func (v *view) add(p *Peer, d *Deps) {
	class := v.filter.Class(p.subject())
	if class == (filter.Class{}) {
		return
	}
	a := v.audiences[class]
	if a == nil {
		a = new(audience)
		v.audiences[class] = a
	}
	c := v.among(a, p).crowd(p)
	if c.group == nil {
		c.group = d.Egress.NewGroup()
	}
	if err := c.group.Add(p.Outlet); err != nil {
		d.Log.Error("member gets no broadcasts", "subscriber", p.ID, "err", err)
	}
	c.size++
}

// remove undoes add. A peer never changes, so it still has the class that it was added to.
func (v *view) remove(p *Peer) {
	class := v.filter.Class(p.subject())
	a := v.audiences[class]
	if a == nil {
		return
	}
	members := v.among(a, p)
	c := members.crowd(p)
	c.group.Remove(p.Outlet)
	c.size--
	if by := p.narrowing(v.service); by != nil && members.size() == 0 {
		delete(a.narrowed, by.Text)
		v.words.Unwant(by)
	}
	if a.size() == 0 && len(a.narrowed) == 0 {
		delete(v.audiences, class)
	}
}

// cast sends what a speaker said to every audience, filtered and encoded once for each, and once more for those who
// asked for positions; nobody gets what its class does not see. Recorded is the whole message with its position, nil
// if it has none. Droppable is not nil if it may be dropped for slow readers. It reports whether some audience got it.
// Scratch is written over and returned, grown if need be.
func (v *view) cast(egress Egress, m *broadcast, recorded *Message, droppable *Recorded, scratch []byte, counters *Counters) (grown []byte, reached bool) {
	topic, _ := envelope.View(m.envelope.Topic)
	var whole Message // what those get who see everything
	glimpse := v.filter.Glimpse(m.envelope.Payload)
	for class, audience := range v.audiences {
		if glimpse.Foreign(class) {
			continue
		}
		out, verdict := v.filter.Apply(class, topic, m.envelope.Payload, scratch)
		if verdict == filter.Drop {
			continue
		}
		reached = true
		cut := len(out) < len(m.envelope.Payload)
		if cut {
			scratch = out
		}
		passed := v.passing(audience, topic, out, counters)
		plain, marked := audience.wants(passed)
		if marked && recorded != nil {
			audience.send(m, v.recorded(egress, m, recorded, out, cut), passed, (*alike).marks)
		}
		if !plain && (!marked || recorded != nil) {
			continue
		}
		message := whole
		switch {
		case cut:
			message = v.encode(egress, m.envelope, out, nil)
		case whole.Form == nil:
			whole = egress.Encode(m.envelope, nil)
			message = whole
		}
		message.Recorded = droppable
		audience.send(m, message, passed, (*alike).plains)
		if recorded == nil {
			audience.send(m, message, passed, (*alike).marks)
		}
	}
	return scratch, reached
}

// plains and marks return those that get a message without its position and with it.
func (l *alike) plains() *crowd { return &l.plain }
func (l *alike) marks() *crowd  { return &l.recorded }

// wants reports whether somebody gets a message, of those who did not ask for positions and of those who did. Passed are the
// narrowed members that it passes.
func (a *audience) wants(passed []*narrowed) (plain, marked bool) {
	plain, marked = a.plain.size > 0, a.recorded.size > 0
	for _, n := range passed {
		plain, marked = plain || n.plain.size > 0, marked || n.recorded.size > 0
	}
	return plain, marked
}

// send sends one form of a message to all that get it.
func (a *audience) send(m *broadcast, message Message, passed []*narrowed, form func(*alike) *crowd) {
	form(&a.alike).send(m, message)
	for _, n := range passed {
		form(&n.alike).send(m, message)
	}
}

// recorded returns the form of a message for those who asked for positions.
func (v *view) recorded(egress Egress, m *broadcast, whole *Message, out []byte, cut bool) Message {
	if !cut {
		return *whole
	}
	message := v.encode(egress, m.envelope, out, whole.Recorded.Position.keys())
	message.Recorded = whole.Recorded
	return message
}

func (c *crowd) send(m *broadcast, message Message) {
	if c.size > 0 {
		message.Lease = m.Lease()
		c.group.Send(message, m.from.Outlet)
	}
}

// lacking returns the rule that keeps a broadcast from an audience because a key is absent, empty if there is none. It
// looks once a second at most.
func (v *view) lacking(topic string, payload []byte, now time.Time) (rule string) {
	if now.Sub(v.looked) < time.Second {
		return ""
	}
	v.looked = now
	for class := range v.audiences {
		if rule = v.filter.Lacking(class, topic, payload); rule != "" {
			return rule
		}
	}
	return ""
}

// encode returns the envelope with another payload, which is copied. The envelope that Encode gets would be
// allocated for each audience if it did not belong to the view.
func (v *view) encode(egress Egress, e *envelope.Envelope, payload []byte, more envelope.Raw) Message {
	v.filtered = *e
	v.filtered.Payload = payload
	m := egress.Encode(&v.filtered, more)
	v.filtered = envelope.Envelope{}
	return m
}
