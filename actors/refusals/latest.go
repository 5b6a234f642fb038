package refusals

import "time"

// Latest is the last event of a cause that has a line in the log.
type Latest struct {
	Cause      string
	Count      int64 // of all events of this cause, with a line or without
	Message    string
	At         time.Time // when the event came; zero if log.level leaves lines of this cause out
	Attributes []any     // names and values of the line in turn, without the cause
}

// Latest returns the last event of each cause that has had any.
func (l *Log) Latest() []Latest {
	var all []Latest
	for c := range causes {
		count := l.counts[c].Load()
		if count == 0 {
			continue
		}
		var one Latest
		if line := l.latest[c].Load(); line != nil {
			one = *line
		}
		t := c.text()
		one.Cause, one.Count, one.Message = t.label, count, t.message
		all = append(all, one)
	}
	return all
}

// note keeps the line unless a later event has one.
func (l *Log) note(c Cause, line *Latest) {
	for {
		before := l.latest[c].Load()
		if before != nil && before.At.After(line.At) || l.latest[c].CompareAndSwap(before, line) {
			return
		}
	}
}
