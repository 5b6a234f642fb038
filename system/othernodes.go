package system

import (
	"strconv"
	"time"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/system/internal/runner"
	"strowger/system/service"
)

// otherNodes is the way of one request to the instances of its service on other nodes. It implements runner.Elsewhere.
type otherNodes struct{ *actors.Request }

// partOf returns what the actors call a part in the words of the runner.
func partOf(p actors.PartKind) runner.Part {
	switch p {
	case actors.SharedPart:
		return runner.Shared
	case actors.GatheredPart:
		return runner.Gathered
	}
	return runner.Whole
}

// Gather implements runner.Elsewhere.
func (e otherNodes) Gather(within time.Duration, take func([]service.Answer)) {
	e.Request.Gather(within, func(answers []actors.Answer) {
		read := make([]service.Answer, 0, len(answers))
		for _, a := range answers {
			topic, _ := envelope.Text(a.Envelope.Topic)
			status, _ := strconv.Atoi(string(a.Envelope.StatusCode)) // 0: there is none
			read = append(read, service.Answer{Node: a.Node, Topic: topic, Status: status, Payload: []byte(a.Envelope.Payload)})
		}
		take(read)
	})
}

// SayHere implements runner.Clustered.
func (h *home) SayHere(e *envelope.Envelope) {
	h.hold(cost(e), func() { h.system.deps.SpeakHere(h.peer.Load(), e, &h.window, cost(e)) })
}

// Will implements runner.Clustered.
func (h *home) Will(key string, e *envelope.Envelope) {
	h.hold(0, func() { h.system.deps.Will(h.peer.Load(), key, e) })
}

// hold calls speak, or keeps it until unmute.
func (h *home) hold(cost int64, speak func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.muted {
		h.kept.Add(cost)
		h.unsaid = append(h.unsaid, speak)
		return
	}
	speak()
}

// Joined implements actors.Joiner.
func (h *home) Joined() { h.instance.Joined() }
