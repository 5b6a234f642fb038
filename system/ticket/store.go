package ticket

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what a Store needs. Fields are needed unless their comment says otherwise.
type Options struct {
	KeyFile  string // empty: a key that ends with the process
	UsedFile string // keeps what is used up; empty: it is forgotten with the process
	Log      *slog.Logger
	Now      func() time.Time // nil: time.Now
}

// Bounds are what a reload may change.
type Bounds struct {
	Lifetime time.Duration // of a ticket; 0: none is made, and none is good
	MaxBytes int           // of the text of a ticket
	Count    int           // uses that are remembered
}

// Counters count what became of tickets since the start.
type Counters struct {
	Issued    atomic.Int64
	TooBig    atomic.Int64 // that were not made
	Accepted  atomic.Int64
	Refused   atomic.Int64
	Forgotten atomic.Int64 // uses that were forgotten early, because there were too many
	Used      atomic.Int64 // uses that are remembered now
}

// Store makes tickets and knows which are used up. Its methods may be called from any goroutine.
type Store struct {
	Counters
	options Options
	keys    atomic.Pointer[keys]
	bounds  atomic.Pointer[Bounds]

	mu   sync.Mutex // Protects used.
	used used

	file usedFile
	told atomic.Pointer[func(Use)]
}

// Error says why a ticket is not good, and which setting decides.
type Error struct {
	reason  string
	setting string
	err     error
}

// Error returns the reason.
func (e *Error) Error() string { return "ticket: " + e.reason }

// Unwrap returns the cause, nil if there is none.
func (e *Error) Unwrap() error { return e.err }

// Setting returns the name of the setting that decides; empty if there is none.
func (e *Error) Setting() string { return e.setting }

// The names of the settings.
const (
	lifetimeSetting = "tokens.tickets"
	keySetting      = "tokens.ticket_key_file"
	countSetting    = "tokens.ticket_count"
	bytesSetting    = "tokens.ticket_bytes"
)

// Why a ticket is not good.
var (
	ErrOff     = &Error{reason: "tickets are off", setting: lifetimeSetting}
	ErrForm    = &Error{reason: "it is no ticket of this version"}
	ErrKey     = &Error{reason: "no key of this router has sealed it", setting: keySetting}
	ErrForged  = &Error{reason: "it is not what a router has sealed"}
	ErrInside  = &Error{reason: "what it holds makes no sense"}
	ErrUsed    = &Error{reason: "it is used up, or its session has ended"}
	ErrExpired = &Error{reason: "its time is over", setting: lifetimeSetting}
	ErrFuture  = &Error{reason: "it was made in the future: the clock has moved, or those of two nodes differ"}
	ErrBefore  = &Error{reason: "it was made before the last use that was forgotten", setting: countSetting}
	ErrTooBig  = &Error{reason: "what the identity may takes more room than a ticket has", setting: bytesSetting}
)

// skew is by how much the clock of another node may be ahead.
const skew = time.Minute

// Open returns a Store. It makes the key file if there is none.
func Open(o Options, b Bounds) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{options: o, used: newUsed()}
	s.bounds.Store(&b)
	if err := s.ReadKeys(); err != nil {
		return nil, err
	}
	s.file = usedFile{path: o.UsedFile, log: o.Log}
	s.ReadUsed()
	return s, nil
}

// ReadKeys reads the key file again. On error the keys stay what they were. Without a file there is nothing to read.
func (s *Store) ReadKeys() error {
	if s.keys.Load() != nil && s.options.KeyFile == "" {
		return nil
	}
	if s.Bounds().Lifetime <= 0 {
		return nil // a router that makes none writes no file
	}
	k, err := loadKeys(s.options.KeyFile)
	if err != nil {
		return &Error{reason: err.Error(), setting: keySetting, err: err}
	}
	s.keys.Store(&k)
	return nil
}

// Bounds returns the bounds.
func (s *Store) Bounds() Bounds { return *s.bounds.Load() }

// Use changes the bounds. It reads the key file, if tickets are on. An error leaves everything as it was.
func (s *Store) Use(b Bounds) error {
	before := s.bounds.Swap(&b)
	if err := s.ReadKeys(); err != nil {
		s.bounds.Store(before)
		return err
	}
	return nil
}

// Tell has f called with each use that is noted here and not by Learn. Nil: nobody is told.
func (s *Store) Tell(f func(Use)) {
	if f == nil {
		s.told.Store(nil)
		return
	}
	s.told.Store(&f)
}

// Seal returns a ticket of an identity, and when it ends: after its lifetime, or with the identity. Issued and Until are
// set here. The error is an *Error.
func (s *Store) Seal(c Contents) (string, time.Time, error) {
	b := s.Bounds()
	k := s.keys.Load()
	if b.Lifetime <= 0 || k == nil {
		return "", time.Time{}, ErrOff
	}
	c.Issued = s.options.Now()
	c.Until = c.Issued.Add(b.Lifetime)
	if !c.ExpiresAt.IsZero() && c.ExpiresAt.Before(c.Until) {
		c.Until = c.ExpiresAt
	}
	if !c.Issued.Before(c.Until) {
		return "", time.Time{}, ErrExpired
	}
	text, err := k.seal(&c)
	if err != nil || len(text) > b.MaxBytes {
		s.TooBig.Add(1)
		return "", time.Time{}, ErrTooBig
	}
	s.Issued.Add(1)
	return text, c.Until, nil
}

// Redeem returns what a ticket holds and uses it up. Before that it calls admit; if that returns an error, the ticket stays
// good, and Redeem returns the error. Another error is an *Error. Redeem writes to a file.
func (s *Store) Redeem(text string, admit func() error) (*Contents, error) {
	c, err := s.look(text)
	if err == nil {
		err = s.redeem(c, admit)
	}
	if err != nil {
		s.Refused.Add(1)
		return nil, err
	}
	s.Accepted.Add(1)
	return c, nil
}

// look checks a ticket, but for its use.
func (s *Store) look(text string) (*Contents, error) {
	k := s.keys.Load()
	if s.Bounds().Lifetime <= 0 || k == nil {
		return nil, ErrOff
	}
	c, err := k.open(text)
	if err != nil {
		return nil, err
	}
	now := s.options.Now()
	switch {
	case !now.Before(c.Until), !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt):
		return nil, ErrExpired
	case c.Issued.After(now.Add(skew)):
		return nil, ErrFuture
	case c.Session.Generation == Over:
		return nil, ErrInside
	}
	return c, nil
}

func (s *Store) redeem(c *Contents, admit func() error) error {
	now := s.options.Now()
	use := s.spanned(Use{Session: c.Session, At: now, Until: c.Until})
	s.mu.Lock()
	s.used.prune(now)
	before, known := s.used.get(c.Session.ID)
	switch {
	case known && before.Session.Generation >= c.Session.Generation:
		s.mu.Unlock()
		return ErrUsed
	case !c.Issued.After(s.used.before):
		s.mu.Unlock()
		return ErrBefore
	}
	s.put(use)
	s.mu.Unlock()
	if err := admit(); err != nil {
		s.mu.Lock()
		s.used.restore(use, before, known)
		s.count()
		s.mu.Unlock()
		return err
	}
	s.file.add(use, s.snapshot)
	s.tell(use)
	return nil
}

// spanned has a use last until all tickets have ended that were made before it, also those of a clock that is ahead.
func (s *Store) spanned(u Use) Use {
	u.At = u.At.Add(skew)
	if end := u.At.Add(s.Bounds().Lifetime); end.After(u.Until) {
		u.Until = end
	}
	return u
}

// put notes a use. The caller holds mu.
func (s *Store) put(u Use) bool {
	forced := s.used.forced
	changed := s.used.put(u, s.Bounds().Count)
	s.Forgotten.Add(s.used.forced - forced)
	s.count()
	return changed
}

func (s *Store) count() { s.Counters.Used.Store(int64(s.used.order.Len())) }

func (s *Store) tell(u Use) {
	if f := s.told.Load(); f != nil {
		(*f)(u)
	}
}

// End has no ticket of a session be good any more. Until is when the last one ends. The function that it returns writes
// that to a file; nil if there is nothing to write.
func (s *Store) End(id [16]byte, until time.Time) (write func()) {
	use := s.spanned(Use{Session: Session{id, Over}, At: s.options.Now(), Until: until})
	if !s.note(use) {
		return nil
	}
	s.tell(use)
	return func() { s.file.add(use, s.snapshot) }
}

// Learn notes a use of which another router tells. It writes nothing to a file. It returns whether it was new.
func (s *Store) Learn(u Use) bool {
	now := s.options.Now()
	if most := now.Add(longestLifetime); u.Until.After(most) {
		u.Until = most
	}
	u.At = now
	return s.note(s.spanned(u))
}

// longestLifetime bounds what another router says of the end of a ticket.
const longestLifetime = 24 * time.Hour

func (s *Store) note(u Use) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used.prune(s.options.Now())
	return s.put(u)
}

// snapshot returns all uses that count now, the oldest first, and before when all tickets are refused.
func (s *Store) snapshot() ([]Use, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used.prune(s.options.Now())
	s.count()
	all := make([]Use, 0, s.used.order.Len())
	for e := s.used.order.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(Use))
	}
	return all, s.used.before
}

// Uses returns all uses that count now, the oldest first.
func (s *Store) Uses() []Use {
	all, _ := s.snapshot()
	return all
}

// Return undoes Redeem, for a ticket that nobody came in with. It is only for this process: others go on to refuse it.
func (s *Store) Return(session Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, known := s.used.get(session.ID); known && now.Session == session {
		before := now
		before.Session.Generation--
		s.used.restore(now, before, session.Generation > 0)
		s.count()
	}
}

// ReadUsed adds what the file has. If it cannot be read, no ticket from before is good. A router that takes over from
// another one calls it once more.
func (s *Store) ReadUsed() {
	uses, before, whole := s.file.read()
	for _, u := range uses {
		s.note(u)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used.refuseBefore(before)
	if !whole {
		s.used.refuseBefore(s.options.Now().Add(skew))
	}
}
