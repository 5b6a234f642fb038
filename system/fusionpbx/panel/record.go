package panel

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// record begins or ends the recording of a call.
func (l *life) record(r service.Request, in fields) {
	if in.text("uuid") == "" {
		refuse(r, "UUID required")
		return
	}
	domain := r.Subscriber().DomainName
	now := r.Now()
	l.channel(r, in, func(uuid eventsocket.UUID, _ []channels.Leg) {
		l.recordings.forget(uuid.String())
		// What the switch was asked before it has done this is old, whenever it answers.
		done := func() { l.recordings.forget(uuid.String()) }
		performThen(r, done, func(ctx context.Context) (verdict, error) {
			if in.yes("stop") {
				return l.try(ctx, eventsocket.API("uuid_record", uuid, eventsocket.Text("stop"), eventsocket.Text("all")), "Recording stopped")
			}
			file, err := l.recordingFile(ctx, domain, uuid, now)
			if err != nil {
				return verdict{}, err
			}
			return l.try(ctx, eventsocket.API("uuid_record", uuid, eventsocket.Text("start"), file), "Recording started")
		})
	})
}

// recordingFile returns where FusionPBX looks for recordings of the domain's calls.
func (l *life) recordingFile(ctx context.Context, domain string, uuid eventsocket.UUID, now time.Time) (eventsocket.Arg, error) {
	reply, err := l.do(ctx, eventsocket.API("global_getvar recordings_dir"))
	if err != nil {
		return eventsocket.Arg{}, err
	}
	dir := strings.TrimSpace(reply.Body)
	if dir == "" || reply.Failed() {
		dir = "/var/lib/freeswitch/recordings"
	}
	return eventsocket.NewPath(dir + "/" + domain + now.Format("/archive/2006/Jan/02/") + uuid.String() + ".wav")
}

// mostUUIDs is how many calls one request may ask for.
const mostUUIDs = 4096

// recordingState answers with which of the calls are recorded. The switch is asked for calls of the asker's domain
// only. What no event has told of, the switch's list may have, because events may be lost: a call that is not in it either
// is not recorded, whoever asks for it and however many are asked for.
func (l *life) recordingState(r service.Request, in fields) {
	var list []any
	if raw := in["uuids"]; len(raw) > 0 && json.Unmarshal(raw, &list) != nil {
		refuse(r, "uuids must be an array")
		return
	}
	if len(list) > mostUUIDs {
		refuse(r, "too many uuids")
		return
	}
	var asked []eventsocket.UUID
	for _, entry := range list {
		s, _ := entry.(string)
		if uuid, err := eventsocket.ParseUUID(strings.TrimSpace(s)); err == nil {
			asked = append(asked, uuid)
		}
	}
	l.inTurn(func() { l.statesOf(r, asked) })
}

// statesOf answers with which of the calls are recorded, as far as they are of the asker's domain.
func (l *life) statesOf(r service.Request, asked []eventsocket.UUID) {
	var uuids, unknown []eventsocket.UUID
	for i, legs := range l.calls.Known(asked) {
		switch {
		case len(legs) == 0:
			unknown = append(unknown, asked[i])
		case slices.ContainsFunc(legs, func(leg channels.Leg) bool { return leg.Of(r.Subscriber().DomainName) }):
			uuids = append(uuids, asked[i])
		}
	}
	if len(unknown) == 0 {
		l.answerStates(r, uuids, nil)
		return
	}
	l.recentList(func(now channels.List, err error) {
		switch {
		case err == nil:
			found, missing := ofDomain(now, unknown, r.Subscriber().DomainName)
			l.answerStates(r, append(uuids, found...), missing)
		case len(uuids) == 0:
			broken(r, err)
		default:
			l.answerStates(r, uuids, nil) // a page keeps what it shows of the others
		}
	})
}

// answerStates answers with which of the channels are recorded. Those that are missing are not, unless another node says
// so.
func (l *life) answerStates(r service.Request, uuids, missing []eventsocket.UUID) {
	l.recorded(uuids, func(states map[string]bool, err error) {
		if err != nil {
			broken(r, err)
			return
		}
		for _, uuid := range missing {
			states[uuid.String()] = false
		}
		answer := func(answers []service.Answer) {
			for _, a := range answers {
				for uuid, on := range partOf[partly[bool]](r, a).States {
					states[uuid] = states[uuid] || on
				}
			}
			v := success("Recording state updated")
			v.States = object(states)
			answerWith(r, v)
		}
		if len(missing) == 0 {
			answer(nil) // this switch has all of the calls
			return
		}
		r.Gather(answer)
	})
}

// ofDomain returns which of the channels are of the domain, and which are not in the list.
func ofDomain(now channels.List, uuids []eventsocket.UUID, domain string) (ours, missing []eventsocket.UUID) {
	rows := make(map[string]*channels.Row, len(now.Rows))
	for i := range now.Rows {
		rows[strings.ToLower(now.Rows[i].UUID)] = &now.Rows[i]
	}
	for _, uuid := range uuids {
		switch row := rows[strings.ToLower(uuid.String())]; {
		case row == nil:
			missing = append(missing, uuid)
		case row.Of(domain):
			ours = append(ours, uuid)
		}
	}
	return ours, missing
}

// registrationsState answers with the number of phones of each extension of the asker's domain.
func (l *life) registrationsState(r service.Request, in fields) {
	if in.text("domain_name") == "" {
		refuse(r, "domain_name required")
		return
	}
	l.registrationsOf(r.Subscriber().DomainName, func(phones map[string]int, err error) {
		if err != nil {
			broken(r, err)
			return
		}
		r.Gather(func(answers []service.Answer) {
			for _, a := range answers {
				phones = addPhones(phones, partOf[partly[int]](r, a).States)
			}
			v := success("Registrations state updated")
			v.States = object(phones)
			answerWith(r, v)
		})
	})
}

// object returns the map, or an empty list for an empty map, as PHP writes it.
func object[V any](m map[string]V) any {
	if len(m) == 0 {
		return []V{}
	}
	return m
}
