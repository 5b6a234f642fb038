package panel

import (
	"context"
	"strings"
	"time"

	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
)

// recordings knows which channels are recorded. Pages ask that of all their calls every two seconds.
type recordings struct {
	known   map[string]recording
	running bool
	waiting []recordingRequest
}

type recording struct {
	on bool
	at time.Time
}

type recordingRequest struct {
	uuids []eventsocket.UUID
	then  func(map[string]bool, error)
}

func (r *recordings) forget(uuid string) { delete(r.known, uuid) }

func (r *recordings) forgetAll() { clear(r.known) }

// recorded calls then with whether each of the channels is recorded. The switch is asked only for those that nobody
// has asked for lately.
func (l *life) recorded(uuids []eventsocket.UUID, then func(map[string]bool, error)) {
	l.recordings.waiting = append(l.recordings.waiting, recordingRequest{uuids, then})
	if !l.recordings.running {
		l.askRecordings()
	}
}

// askRecordings answers those who wait, after the switch was asked for all that they want to know.
func (l *life) askRecordings() {
	requests := l.recordings.waiting
	l.recordings.waiting = nil
	var missing []eventsocket.UUID
	wanted := map[string]bool{}
	for _, request := range requests {
		for _, uuid := range request.uuids {
			if id := uuid.String(); !wanted[id] && !l.recordings.fresh(id, l.ctx.Now()) {
				wanted[id] = true
				missing = append(missing, uuid)
			}
		}
	}
	if len(missing) == 0 {
		l.answerRecordings(requests, nil)
		return
	}
	l.recordings.running = true
	done := func(found map[string]bool, err error) {
		l.recordings.running = false
		for uuid, on := range found {
			l.recordings.known[uuid] = recording{on, l.ctx.Now()}
		}
		l.answerRecordings(requests, err)
		l.recordings.prune(l.ctx.Now())
		if len(l.recordings.waiting) > 0 && !l.recordings.running {
			l.askRecordings()
		}
	}
	if !l.ctx.Go(func(ctx context.Context) func() {
		found, err := l.buglists(ctx, missing)
		return func() { done(found, err) }
	}) {
		done(nil, channels.ErrTooBusy)
	}
}

func (l *life) answerRecordings(requests []recordingRequest, err error) {
	for _, request := range requests {
		if err != nil {
			request.then(nil, err)
			continue
		}
		states := make(map[string]bool, len(request.uuids))
		for _, uuid := range request.uuids {
			states[uuid.String()] = l.recordings.known[uuid.String()].on
		}
		request.then(states, nil)
	}
}

func (l *life) buglists(ctx context.Context, uuids []eventsocket.UUID) (map[string]bool, error) {
	found := make(map[string]bool, len(uuids))
	for _, uuid := range uuids {
		reply, err := l.do(ctx, eventsocket.API("uuid_buglist", uuid))
		if err != nil {
			return nil, err
		}
		found[uuid.String()] = !reply.Failed() && strings.Contains(strings.ToLower(reply.Body), "record")
	}
	return found, nil
}

func (r *recordings) fresh(uuid string, now time.Time) bool {
	known, ok := r.known[uuid]
	return ok && now.Sub(known.at) < pollAge
}

// prune drops the answers that are too old.
func (r *recordings) prune(now time.Time) {
	for uuid := range r.known {
		if !r.fresh(uuid, now) {
			delete(r.known, uuid)
		}
	}
}
