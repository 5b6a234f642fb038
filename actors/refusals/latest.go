package refusals

import "time"

// Latest is the last line about a cause.
type Latest struct {
	Cause      string
	Count      int64 // of all events of this cause, with a line or without
	At         time.Time
	Message    string
	Attributes []any // names and values in turn, without the cause
}

// Latest returns the last line about each cause that has had one. A cause whose lines log.level leaves out has none.
func (l *Log) Latest() []Latest {
	var all []Latest
	for c := range causes {
		if line := l.latest[c].Load(); line != nil {
			one := *line
			one.Count = l.counts[c].Load()
			all = append(all, one)
		}
	}
	return all
}
