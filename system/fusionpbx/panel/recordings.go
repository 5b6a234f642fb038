package panel

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
)

// recordings knows which channels are recorded. Pages ask that of all their calls every two seconds. It belongs to the
// service's goroutine.
type recordings struct {
	known   map[string]recording
	running bool
	changed map[string]bool // what has been forgotten since the switch was asked
	all     bool            // everything has
	waiting []recordingRequest
	warned  time.Time // when the log last said that calls were not asked for
}

type recording struct {
	on bool
	at time.Time
}

type recordingRequest struct {
	uuids []eventsocket.UUID
	then  func(map[string]bool, error)
}

// memoryAge is how old the answer for a call may be that the switch could not be asked for again.
const memoryAge = time.Minute

// forget drops what is known of a channel, also what the switch is just being asked for.
func (r *recordings) forget(uuid string) {
	delete(r.known, uuid)
	if r.running {
		r.changed[uuid] = true
	}
}

// forgetAll is forget for all channels.
func (r *recordings) forgetAll() {
	clear(r.known)
	r.all = r.running
}

// recorded calls then with whether each of the channels is recorded. The switch is asked only for those that nobody
// has asked for lately. A channel is left out if the switch was not asked for it, because there are too many.
func (l *life) recorded(uuids []eventsocket.UUID, then func(map[string]bool, error)) {
	l.recordings.waiting = append(l.recordings.waiting, recordingRequest{uuids, then})
	if !l.recordings.running {
		l.askRecordings()
	}
}

// askRecordings answers those who wait, after the switch was asked for what they want to know.
func (l *life) askRecordings() {
	r := &l.recordings
	requests := r.waiting
	r.waiting = nil
	missing := r.missing(requests, l.ctx.Now())
	if len(missing) == 0 {
		l.answerRecordings(requests, nil, nil)
		return
	}
	unasked := max(0, len(missing)-l.RecordingQuestions)
	missing = missing[:len(missing)-unasked]
	r.running, r.all, r.changed = true, false, map[string]bool{}
	done := func(found map[string]bool, err error) {
		r.running = false
		now := l.ctx.Now()
		for uuid, on := range found {
			if !r.all && !r.changed[uuid] {
				r.known[uuid] = recording{on, now}
			}
		}
		if errors.Is(err, context.DeadlineExceeded) && len(found) > 0 {
			unasked, err = unasked+len(missing)-len(found), nil
		}
		l.unasked(unasked)
		l.answerRecordings(requests, found, err)
		r.prune(now)
		if len(r.waiting) > 0 && !r.running {
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

// missing returns the channels that the switch has to be asked for, those first that it was asked for longest ago.
func (r *recordings) missing(requests []recordingRequest, now time.Time) []eventsocket.UUID {
	var missing []eventsocket.UUID
	wanted := map[string]bool{}
	for _, request := range requests {
		for _, uuid := range request.uuids {
			if id := uuid.String(); !wanted[id] && !r.fresh(id, now) {
				wanted[id] = true
				missing = append(missing, uuid)
			}
		}
	}
	slices.SortStableFunc(missing, func(a, b eventsocket.UUID) int {
		return r.known[a.String()].at.Compare(r.known[b.String()].at)
	})
	return missing
}

// unasked notes that there were more calls than the switch could be asked for.
func (l *life) unasked(calls int) {
	if calls == 0 {
		return
	}
	l.Counts.unasked.Add(int64(calls))
	if now := l.ctx.Now(); now.Sub(l.recordings.warned) >= time.Minute {
		l.recordings.warned = now
		l.ctx.Log().Warn("not all calls were asked for their recording", "count", calls, "limit", l.RecordingQuestions,
			"setting", "panel.recording_questions, switch.command_timeout")
	}
}

// answerRecordings answers with what the switch has said now or lately. With an error it answers only those who need
// nothing else.
func (l *life) answerRecordings(requests []recordingRequest, found map[string]bool, err error) {
	now := l.ctx.Now()
	for _, request := range requests {
		states := make(map[string]bool, len(request.uuids))
		failed := false
		for _, uuid := range request.uuids {
			id := uuid.String()
			on, answered := found[id]
			known, remembered := l.recordings.known[id]
			switch {
			case answered:
				states[id] = on
			case remembered && (err == nil || now.Sub(known.at) < pollAge):
				states[id] = known.on
			default:
				failed = err != nil
			}
		}
		if failed {
			request.then(nil, err)
			continue
		}
		request.then(states, nil)
	}
}

// buglists asks for one channel after the other. All of them together may take Timeout. With an error it returns what it
// has found until then.
func (l *life) buglists(ctx context.Context, uuids []eventsocket.UUID) (map[string]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	found := make(map[string]bool, len(uuids))
	for _, uuid := range uuids {
		reply, err := l.do(ctx, eventsocket.API("uuid_buglist", uuid))
		if err != nil {
			return found, err
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
	for uuid, known := range r.known {
		if now.Sub(known.at) >= memoryAge {
			delete(r.known, uuid)
		}
	}
}
