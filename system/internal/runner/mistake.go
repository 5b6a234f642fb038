package runner

import (
	"errors"
	"fmt"
	"sync"
)

// mistakes are the calls in one life that make no sense, such as Handle without a function. Those
// that Setup makes are the error of that start; later ones are logged and counted. None has an effect.
type mistakes struct {
	mu    sync.Mutex // Protects following.
	found []error
	setUp bool // Setup has returned
}

// close returns what Setup has done wrong, nil if nothing.
func (m *mistakes) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.setUp = true
	return errors.Join(m.found...)
}

// keep returns false if Setup has returned.
func (m *mistakes) keep(err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.setUp {
		return false
	}
	m.found = append(m.found, err)
	return true
}

// mistake notes a call that makes no sense.
func (c *Context) mistake(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	if c.life.mistakes.keep(err) {
		return
	}
	c.life.instance.counters.Mistakes.Add(1)
	c.life.instance.log.Error("call without effect", "err", err)
}

// usable returns false, after it has said so, if a method of a Setup cannot register anything.
func (s *Setup) usable(method string, missing bool) bool {
	switch {
	case s.sealed:
		s.mistake("%s: Setup has returned", method)
	case missing:
		s.mistake("%s: function is nil", method)
	default:
		return true
	}
	return false
}
