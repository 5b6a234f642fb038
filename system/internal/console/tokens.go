package console

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"strowger/actors"
	"strowger/actors/clock"
)

// The permissions of the console's service. No token of the router has a say here.
const (
	mayLook = "strowger_console_look"
	mayAct  = "strowger_console_act"
)

// Name is the name of the console's service.
const Name = "strowger.console"

const (
	tokenLife  = 30 * time.Second // from its making to its use
	mostTokens = 256
	mostLogins = 256
)

// visitor is somebody who may use the console.
type visitor struct {
	name  string // how he is known: loopback, password, or certificate and its subject
	from  string // his address
	until time.Time
	// session is that of his browser; empty: he has none.
	session string
}

// tokens are what visitors connect with, each good for one connection. It implements actors.Tokens.
type tokens struct {
	clock  clock.Clock
	logins *logins

	mu   sync.Mutex // Protects following.
	open map[string]*issued
}

type issued struct {
	hash    [sha256.Size]byte
	visitor visitor
	until   time.Time
}

func newTokens(c clock.Clock, l *logins) *tokens {
	return &tokens{clock: c, logins: l, open: make(map[string]*issued)}
}

// secret returns so many random bytes in hexadecimal digits.
func secret(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// issue returns a new token for a visitor. The oldest one gives way if there are too many.
func (t *tokens) issue(v visitor) (name, hash string) {
	name, hash = secret(16), secret(32)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	oldest := ""
	for n, i := range t.open {
		if !now.Before(i.until) {
			delete(t.open, n)
			continue
		}
		if o := t.open[oldest]; o == nil || i.until.Before(o.until) {
			oldest = n
		}
	}
	if len(t.open) >= mostTokens {
		delete(t.open, oldest)
	}
	t.open[name] = &issued{hash: sha256.Sum256([]byte(hash)), visitor: v, until: now.Add(tokenLife)}
	return name, hash
}

var errToken = errors.New("the token is unknown, was used, is too old, or its session has ended")

// Claim implements actors.Tokens.
func (t *tokens) Claim(name, hash string, admit func(actors.Role) error) (*actors.Credentials, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.open[name]
	sum := sha256.Sum256([]byte(hash))
	if i == nil || subtle.ConstantTimeCompare(sum[:], i.hash[:]) != 1 || !t.clock.Now().Before(i.until) {
		return nil, errToken
	}
	if s := i.visitor.session; s != "" && !t.logins.has(s) {
		return nil, errToken
	}
	if err := admit(actors.Client); err != nil {
		return nil, err
	}
	delete(t.open, name)
	return &actors.Credentials{Role: actors.Client, Services: []string{Name}, Permissions: []string{mayAct, mayLook},
		UserUUID: i.visitor.session, UserName: i.visitor.name, DomainName: i.visitor.from, ExpiresAt: i.visitor.until}, nil
}

// logins are the sessions of browsers that know the password. A session has a name, which others may know, and a secret,
// which is in the browser's cookie.
type logins struct {
	clock clock.Clock
	life  time.Duration

	mu   sync.Mutex           // Protects following.
	open map[string]time.Time // by name
}

func newLogins(life time.Duration, c clock.Clock) *logins {
	return &logins{clock: c, life: life, open: make(map[string]time.Time)}
}

// nameOf returns the name of the session with a secret.
func nameOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// begin returns the secret of a new session. The one that ends first gives way if there are too many.
func (l *logins) begin() string {
	s := secret(32)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	first := ""
	for name, until := range l.open {
		if !now.Before(until) {
			delete(l.open, name)
			continue
		}
		if o, ok := l.open[first]; !ok || until.Before(o) {
			first = name
		}
	}
	if len(l.open) >= mostLogins {
		delete(l.open, first)
	}
	l.open[nameOf(s)] = now.Add(l.life)
	return s
}

// find returns the name of the session with a secret and when it ends, and whether there is one.
func (l *logins) find(secret string) (name string, until time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name = nameOf(secret)
	until, ok = l.open[name]
	return name, until, ok && l.clock.Now().Before(until)
}

// has reports whether there is a session of a name.
func (l *logins) has(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	until, ok := l.open[name]
	return ok && l.clock.Now().Before(until)
}

// end ends the session with a secret, and reports whether there was one.
func (l *logins) end(secret string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := nameOf(secret)
	_, ok := l.open[name]
	delete(l.open, name)
	return ok
}
