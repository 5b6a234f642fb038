package replay

import (
	"slices"
	"strings"
	"testing"
)

// Compare returns all differences between what the service did and what the original did: pushes in order, the replies
// to each request, the commands that reached the switch, and what each client receives of all that.
func (r *Result) Compare(t testing.TB) []Difference {
	t.Helper()
	var found []Difference
	add := func(d Difference) {
		d.Scenario = r.Scenario.Name
		found = append(found, d)
	}
	pushes := align(r.originalPushes(), r.pushes())
	comparePairs(pushes, Difference{Kind: Push}, add)
	receivers := r.receivers(t)
	receivers.compare(pushes, nil, add)
	for _, l := range r.Scenario.Lines {
		if l.Service != r.Service.Name || l.Client == "" {
			continue
		}
		asker := r.Scenario.Clients[l.Client]
		pairs := align(r.originalReplies(l), r.replies(l))
		comparePairs(pairs, Difference{Kind: Reply, Client: l.Client, Topic: l.Message.Topic}, add)
		receivers.compare(pairs, &asker, add)
	}
	r.compareCommands(add)
	return found
}

// comparePairs adds the differences of all pairs; in has what they have in common.
func comparePairs(pairs []pair, in Difference, add func(Difference)) {
	for _, p := range pairs {
		d := in
		d.Message = p.got
		switch {
		case p.got == nil:
			d.Want = p.want.value()
		case p.want == nil:
			d.Got = p.got.value()
		}
		if d.Topic == "" && p.want != nil {
			d.Topic = p.want.Topic
		}
		if d.Topic == "" {
			d.Topic = p.got.Topic
		}
		if p.want == nil || p.got == nil {
			add(d)
			continue
		}
		for _, difference := range differences(p.want, p.got) {
			difference.Kind, difference.Client, difference.Topic, difference.Message = d.Kind, d.Client, d.Topic, p.got
			add(difference)
		}
	}
}

func (r *Result) pushes() []Message {
	return slices.DeleteFunc(slices.Clone(r.Said), func(m Message) bool { return !m.IsPush() })
}

func (r *Result) replies(to Line) []Message {
	return slices.DeleteFunc(slices.Clone(r.Said), func(m Message) bool {
		return m.RequestID != to.Message.RequestID || m.IsPush()
	})
}

// original returns the messages of the original service that the function picks.
func (r *Result) original(pick func(m *Message) bool) []Message {
	var found []Message
	for _, l := range r.Scenario.Lines {
		if l.Service == r.Service.Name && l.Client == "" && pick(&l.Message) {
			m := l.Message
			m.line = l.Number
			found = append(found, m)
		}
	}
	return found
}

func (r *Result) originalPushes() []Message { return r.original((*Message).IsPush) }

func (r *Result) originalReplies(to Line) []Message {
	return r.original(func(m *Message) bool { return !m.IsPush() && m.RequestID == to.Message.RequestID })
}

// compareCommands compares the commands without their order: the original runs one at a time.
func (r *Result) compareCommands(add func(Difference)) {
	got := slices.Clone(r.Commands)
	for _, asked := range r.Scenario.Recording.Asked {
		name, _, _ := strings.Cut(asked.Conn, "#")
		verb, _, _ := strings.Cut(asked.Text, " ")
		if name != r.Service.Name || verb != "api" && verb != "bgapi" {
			continue
		}
		if i := slices.Index(got, asked.Text); i >= 0 {
			got = slices.Delete(got, i, i+1)
			continue
		}
		add(Difference{Kind: Command, Want: asked.Text})
	}
	for _, text := range got {
		add(Difference{Kind: Command, Got: text})
	}
}
