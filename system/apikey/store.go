package apikey

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Error is why a key is refused. What wraps one says more.
type Error struct{ text, setting string }

// Error returns the reason, which is the same for every peer.
func (e *Error) Error() string { return e.text }

// Setting returns the settings that decide, or "".
func (e *Error) Setting() string { return e.setting }

// The reasons, to be told apart with errors.Is. A peer learns none of them.
var (
	ErrOff       = &Error{"an API key was presented, and none is accepted", "apikeys.file"}
	ErrMalformed = &Error{"malformed API key", ""}
	ErrUnknown   = &Error{"API key is not known", "apikeys.file"}
	ErrWrong     = &Error{"API key is wrong", "apikeys.file"}
	ErrExpired   = &Error{"API key has expired", "apikeys.file"}
	ErrService   = &Error{"API key is for other services", "apikeys.file"}
	ErrName      = &Error{"API key is for several services, and the peer says for none", ""}
	ErrBusy      = &Error{"as many API keys are being checked as may be at once", "apikeys.checks"}
)

// busyError says that a key may be checked soon.
type busyError struct{}

func (busyError) Error() string { return ErrBusy.text }
func (busyError) Unwrap() error { return ErrBusy }

// Temporary tells actors to have the peer come back later.
func (busyError) Temporary() bool { return true }

// Options bound a Store. Each field is the setting of that name in the section apikeys.
type Options struct {
	File     string // empty: no key is accepted
	MaxKeys  int
	Checks   int
	Verified int
	Counters *Counters        // nil: nobody counts
	Now      func() time.Time // nil: time.Now
}

// Counters count what happened since the start. They outlive a Store.
type Counters struct {
	Checks     atomic.Int64 // keys whose hash was computed
	Remembered atomic.Int64 // keys that were good before
	Busy       atomic.Int64 // keys that were turned away
}

// Store knows the keys of a file. Its methods may be called from any goroutine.
type Store struct {
	o       Options
	entries map[string]*Entry
	slots   chan struct{} // has room for those who may compute a hash

	mu    sync.Mutex // Protects following.
	good  map[[sha256.Size]byte]*Entry
	order [][sha256.Size]byte // of good, the oldest first
}

// Open reads the file.
func Open(o Options) (*Store, error) {
	s := &Store{o: o, slots: make(chan struct{}, o.Checks), good: make(map[[sha256.Size]byte]*Entry)}
	if s.o.Now == nil {
		s.o.Now = time.Now
	}
	if s.o.Counters == nil {
		s.o.Counters = new(Counters)
	}
	if o.File == "" {
		return s, nil
	}
	var err error
	if s.entries, err = read(o.File, o.MaxKeys); err != nil {
		return nil, fmt.Errorf("apikeys.file: %w", err)
	}
	return s, nil
}

// Keys returns how many keys there are.
func (s *Store) Keys() int { return len(s.entries) }

// Verify returns what is known of a key, and the name of the service that its holder becomes. Service is the name that the
// holder asks for; it may be empty if the key has one only.
func (s *Store) Verify(key, service string) (e *Entry, name string, err error) {
	if s.o.File == "" {
		return nil, "", ErrOff
	}
	id, secret, ok := split(key)
	if !ok {
		return nil, "", ErrMalformed
	}
	e = s.entries[id]
	switch {
	case e == nil:
		return nil, "", fmt.Errorf("%w: id %s", ErrUnknown, id)
	case !e.ExpiresAt.IsZero() && !s.o.Now().Before(e.ExpiresAt):
		return nil, "", fmt.Errorf("%w: id %s, at %s", ErrExpired, id, e.ExpiresAt.UTC().Format(time.RFC3339))
	}
	if err := s.verify(e, key, secret); err != nil {
		return nil, "", err
	}
	switch {
	case service == "" && len(e.Services) > 1:
		return nil, "", fmt.Errorf("%w: id %s", ErrName, id)
	case service == "":
		service = e.Services[0]
	case !slices.Contains(e.Services, service):
		return nil, "", fmt.Errorf("%w: id %s", ErrService, id)
	}
	return e, service, nil
}

// verify returns an error unless this is the secret of the entry.
func (s *Store) verify(e *Entry, key, secret string) error {
	sum := sha256.Sum256([]byte(key))
	s.mu.Lock()
	known := s.good[sum] == e
	s.mu.Unlock()
	if known {
		s.o.Counters.Remembered.Add(1)
		return nil
	}
	if check(secret) != e.Check {
		return fmt.Errorf("%w: id %s", ErrWrong, e.ID)
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		s.o.Counters.Busy.Add(1)
		return busyError{}
	}
	s.o.Counters.Checks.Add(1)
	if !e.hash.is(secret) {
		return fmt.Errorf("%w: id %s", ErrWrong, e.ID)
	}
	s.remember(sum, e)
	return nil
}

// remember has the next connection with the key take no time.
func (s *Store) remember(sum [sha256.Size]byte, e *Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Verified == 0 || s.good[sum] != nil {
		return
	}
	if len(s.order) >= s.o.Verified {
		delete(s.good, s.order[0])
		s.order = s.order[1:]
	}
	s.good[sum] = e
	s.order = append(s.order, sum)
}
