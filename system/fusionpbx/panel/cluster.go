package panel

import (
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/conference"
)

// will has other nodes take a call from their pages when they lose this one.
func (l *life) will(uuid string, ch *channels.Channel) {
	if ch == nil {
		l.ctx.Will(uuid, topicDestroy, nil)
		return
	}
	l.ctx.Will(uuid, topicDestroy, ch.End("CHANNEL_DESTROY"))
}

// bequeathRoom has other nodes take a conference from their pages when they lose this one. It is called before pages are
// told of the conference.
func (l *life) bequeathRoom(e *memberEvent) {
	full := e.name.String()
	if l.Node == "" || e.name.Domain == "" || e.topic != conference.Create && e.topic != conference.Add || l.rooms.willed[full] {
		return
	}
	l.rooms.willed[full] = true
	end := &memberEvent{p: conference.End(full), topic: conference.Destroy, name: e.name, display: e.display}
	end.complete()
	l.ctx.Will(full, conference.Destroy, end.p.JSON())
}

// releaseRoom is called after pages were told of an event of a conference.
func (l *life) releaseRoom(e *memberEvent) {
	if full := e.name.String(); l.rooms.willed[full] && !l.rooms.known.HasRoom(e.name) {
		delete(l.rooms.willed, full)
		l.ctx.Will(full, conference.Destroy, nil)
	}
}

// tellAll tells pages of all calls, conferences and phones, because those of another node may know anything.
func (l *life) tellAll() {
	l.calls.TellAll()
	clear(l.rooms.willed)
	l.rooms.refused()
	l.told.phones.hideAll()
	l.compareRegistrations()
}
