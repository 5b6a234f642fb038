package runner

// hasRoom waits a little until the home has room for what the service is about to say. It returns false, and the message is
// counted and logged, if there is none.
func (i *Instance) hasRoom(kind, topic string) bool {
	if i.paced == nil || i.paced.Pace() {
		return true
	}
	i.counters.NoRoom.Add(1)
	if line, omitted := i.noRoom.next(kind, i.o.Clock.Now()); line {
		i.log.Warn("message dropped: too much of what the service has said is under way", "topic", topic,
			"setting", "limits.service_bytes", "omitted", omitted)
	}
	return false
}
