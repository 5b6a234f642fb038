package runner

import (
	"sync"
	"time"
)

// quietFor is how long further errors of a topic are counted and not logged, so that whoever asks again
// and again for what fails does not fill the log.
const quietFor = time.Minute

// errorLog says which errors of handlers have a line in the log. Topics are those with a handler, so
// it does not grow.
type errorLog struct {
	mu     sync.Mutex // protects following
	topics map[string]*errorCount
}

type errorCount struct {
	logged  time.Time // when a line was written last
	omitted int       // errors since
}

// next counts an error of a topic. It returns whether the error has a line, and how many before it had none.
func (l *errorLog) next(topic string, now time.Time) (line bool, omitted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.topics[topic]
	if c == nil {
		if l.topics == nil {
			l.topics = make(map[string]*errorCount)
		}
		l.topics[topic] = &errorCount{logged: now}
		return true, 0
	}
	if now.Sub(c.logged) < quietFor {
		c.omitted++
		return false, 0
	}
	omitted = c.omitted
	c.logged, c.omitted = now, 0
	return true, omitted
}
