package ticket

import (
	"encoding/base64"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

const lifetime = time.Hour

// wall is a clock that tests move.
type wall struct {
	mu  sync.Mutex
	now time.Time
}

func (w *wall) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *wall) move(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWall() *wall { return &wall{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)} }

// stored is a store with a clock of its own.
type stored struct {
	*Store
	*wall
	o Options
}

func open(t testing.TB, change ...func(*Options, *Bounds)) *stored {
	t.Helper()
	dir := t.TempDir()
	w := newWall()
	o := Options{KeyFile: filepath.Join(dir, "key"), UsedFile: filepath.Join(dir, "key.used"), Log: slog.New(slog.DiscardHandler), Now: w.Now}
	b := Bounds{Lifetime: lifetime, MaxBytes: 6 << 10, Count: 100}
	for _, f := range change {
		f(&o, &b)
	}
	s, err := Open(o, b)
	if err != nil {
		t.Fatal(err)
	}
	return &stored{s, w, o}
}

// again opens the files of a store a second time.
func (s *stored) again(t testing.TB) *stored {
	t.Helper()
	next := open(t, func(o *Options, b *Bounds) { *o, *b = s.o, s.Bounds() })
	next.wall = s.wall
	return next
}

func (s *stored) seal(t testing.TB, session Session) string {
	t.Helper()
	text, _, err := s.Seal(Contents{Session: session})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func letIn() error { return nil }

func (s *stored) wants(t testing.TB, ticket string, want error) {
	t.Helper()
	if _, err := s.Redeem(ticket, letIn); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func session(n byte) Session { return Session{ID: [16]byte{n}} }

func TestWhatATicketHolds(t *testing.T) {
	s := open(t)
	c := Contents{
		Session: Session{[16]byte{1, 2, 3}, 7}, Services: []string{"a", "b"}, Permissions: []string{"read", "write"},
		DomainName: "one.example", DomainUUID: "u1", UserUUID: "u2", UserName: "ann", Extensions: []string{"100@one.example"},
		ExpiresAt: s.Now().Add(time.Hour + time.Nanosecond), Bearer: `jwt "i" "s"`, RenewBy: "jwt",
	}
	text, until, err := s.Seal(c)
	if err != nil || !until.Equal(s.Now().Add(lifetime)) {
		t.Fatalf("good until %v: %v", until, err)
	}
	got, err := s.Redeem(text, letIn)
	if err != nil {
		t.Fatal(err)
	}
	c.Issued, c.Until = s.Now(), until
	for _, at := range []*time.Time{&got.Issued, &got.Until, &got.ExpiresAt} {
		*at = at.UTC()
	}
	if !reflect.DeepEqual(got, &c) {
		t.Errorf("got  %+v\nwant %+v", got, &c)
	}
}

// No change of a ticket is taken, whatever is changed.
func TestForgedTickets(t *testing.T) {
	s, other := open(t), open(t)
	text := s.seal(t, session(1))
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(raw) {
		changed := append([]byte(nil), raw...)
		changed[bit/8] ^= 1 << (bit % 8)
		if _, err := s.Redeem(base64.RawURLEncoding.EncodeToString(changed), letIn); err == nil {
			t.Fatalf("a ticket with bit %d changed is taken", bit)
		}
	}
	for n := range raw {
		if _, err := s.Redeem(base64.RawURLEncoding.EncodeToString(raw[:n]), letIn); err == nil {
			t.Fatalf("the first %d bytes of a ticket are taken", n)
		}
	}
	for _, odd := range []string{"", "=", text + "=", text + "A", " " + text, text + "\n", text[:len(text)-1], strings.ToLower(text), strings.Repeat("A", 1<<20)} {
		if _, err := s.Redeem(odd, letIn); err == nil {
			t.Errorf("%.80q is taken", odd)
		}
	}
	s.wants(t, other.seal(t, session(1)), ErrKey)
	mixed, _ := base64.RawURLEncoding.DecodeString(other.seal(t, session(1)))
	copy(mixed[1:], raw[1:1+keyIDSize])
	s.wants(t, base64.RawURLEncoding.EncodeToString(mixed), ErrForged)
	s.wants(t, text, nil)
}

func FuzzOpen(f *testing.F) {
	s := open(f)
	k := *s.keys.Load()
	whole := s.seal(f, session(1))
	for _, seed := range []string{"", whole, whole[:len(whole)/2], "AQAAAA"} {
		f.Add(seed, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, text string, inside []byte) {
		if text != whole {
			if _, err := k.open(text); err == nil {
				t.Errorf("%q opens", text)
			}
		}
		// What only the owner of a key could make must not do harm either.
		head := append([]byte{format}, k[0].id[:]...)
		nonce := make([]byte, 24)
		packed, err := deflate(inside)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range [][]byte{inside, packed} {
			sealed := k[0].aead.Seal(append(append([]byte(nil), head...), nonce...), nonce, body, head)
			_, _ = s.Redeem(base64.RawURLEncoding.EncodeToString(sealed), letIn)
		}
	})
}

func TestTimesOfTickets(t *testing.T) {
	s := open(t)
	text := s.seal(t, session(1))
	late := s.seal(t, session(2))
	s.move(lifetime - time.Millisecond)
	s.wants(t, text, nil)
	s.move(time.Millisecond)
	s.wants(t, late, ErrExpired)

	ends := s.Now().Add(time.Minute)
	text, until, err := s.Seal(Contents{Session: session(3), ExpiresAt: ends})
	if err != nil || !until.Equal(ends) {
		t.Fatalf("good until %v, want %v: %v", until, ends, err)
	}
	s.move(time.Minute)
	s.wants(t, text, ErrExpired)
	if _, _, err := s.Seal(Contents{ExpiresAt: ends}); !errors.Is(err, ErrExpired) {
		t.Errorf("a ticket of an identity that has ended: %v", err)
	}
}

// Somebody moves the clock. No ticket is good twice, and one from the future is refused.
func TestClockMoves(t *testing.T) {
	s := open(t)
	used, unused := s.seal(t, session(1)), s.seal(t, session(2))
	s.wants(t, used, nil)
	s.move(2 * lifetime)
	s.wants(t, s.seal(t, session(3)), nil) // and forgets the first
	s.move(-2 * lifetime)
	s.wants(t, used, ErrBefore)
	s.wants(t, unused, ErrBefore)
	s.move(2 * skew)
	ahead := s.seal(t, session(4))
	s.move(-skew)
	s.wants(t, ahead, nil)
	s.move(skew + time.Second)
	ahead = s.seal(t, session(5))
	s.move(-skew - time.Second)
	s.wants(t, ahead, ErrFuture)
}

// One use more than can be remembered: the oldest is forgotten, and what was made before it is refused.
func TestForgottenUses(t *testing.T) {
	const limit = 3
	s := open(t, func(_ *Options, b *Bounds) { b.Count = limit })
	idle := s.seal(t, session(100))
	var all []string
	for n := range byte(limit) {
		all = append(all, s.seal(t, session(n)))
		s.move(time.Second)
		s.wants(t, all[n], nil)
	}
	s.move(skew)
	if s.Forgotten.Load() != 0 || s.Counters.Used.Load() != limit {
		t.Fatalf("%d forgotten, %d remembered", s.Forgotten.Load(), s.Counters.Used.Load())
	}
	fresh := s.seal(t, session(101))
	s.wants(t, s.seal(t, session(limit)), nil)
	if s.Forgotten.Load() != 1 || s.Counters.Used.Load() != limit {
		t.Errorf("%d forgotten, %d remembered", s.Forgotten.Load(), s.Counters.Used.Load())
	}
	s.wants(t, all[0], ErrBefore)
	s.wants(t, all[1], ErrUsed)
	s.wants(t, idle, ErrBefore)
	s.wants(t, fresh, nil)
}

// A use that is forgotten at its time costs no ticket that is good.
func TestForgettingInTimeCostsNothing(t *testing.T) {
	s := open(t)
	s.wants(t, s.seal(t, session(1)), nil)
	if write := s.End([16]byte{2}, s.Now().Add(time.Second)); write == nil {
		t.Fatal("nothing to write")
	}
	s.move(skew + time.Millisecond)
	text := s.seal(t, session(3))
	s.move(lifetime - time.Millisecond)
	s.wants(t, text, nil)
	if n := s.Counters.Used.Load(); n != 1 {
		t.Errorf("%d are remembered, want 1", n)
	}
}

func TestAUseEndsEarlierTickets(t *testing.T) {
	s := open(t)
	first, second := s.seal(t, session(1)), s.seal(t, session(1))
	s.wants(t, first, nil)
	s.wants(t, second, ErrUsed)
	next := Session{[16]byte{1}, 1}
	text := s.seal(t, next)
	if write := s.End(next.ID, s.Now()); write == nil {
		t.Fatal("nothing to write")
	}
	s.wants(t, text, ErrUsed)
	if write := s.End(next.ID, s.Now()); write != nil {
		t.Error("a session ends twice")
	}
}

// A ticket whose holder finds no place stays good, and so does one that nobody came in with.
func TestReturnedTickets(t *testing.T) {
	s := open(t)
	full := errors.New("no place")
	for generation := range uint32(2) {
		now := Session{[16]byte{1}, generation}
		text := s.seal(t, now)
		if _, err := s.Redeem(text, func() error { return full }); !errors.Is(err, full) {
			t.Fatalf("got %v", err)
		}
		s.wants(t, text, nil)
		s.Return(now)
		s.wants(t, text, nil)
		s.Return(Session{now.ID, generation + 1})
		s.wants(t, text, ErrUsed)
	}
}

func TestUsedOverARestart(t *testing.T) {
	s := open(t)
	used, ended, good := s.seal(t, session(1)), s.seal(t, session(2)), s.seal(t, session(3))
	s.wants(t, used, nil)
	s.End(session(2).ID, s.Now())()
	next := s.again(t)
	next.wants(t, used, ErrUsed)
	next.wants(t, ended, ErrUsed)
	next.wants(t, good, nil)
	s.ReadUsed() // as a process that takes over does
	s.wants(t, good, ErrUsed)
}

// What cannot be read of the used tickets must not make one good again.
func TestDamagedUsedFile(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"torn": func(path string) error {
			data, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, data[:len(data)-20], 0o600))
		},
		"open to others": func(path string) error { return os.Chmod(path, 0o644) },
		"nonsense":       func(path string) error { return os.WriteFile(path, []byte("nonsense\n"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			used := s.seal(t, session(1))
			s.wants(t, used, nil)
			if err := damage(s.o.UsedFile); err != nil {
				t.Fatal(err)
			}
			next := s.again(t)
			next.wants(t, used, ErrBefore)
			next.move(skew + time.Second)
			text := next.seal(t, session(2))
			next.wants(t, text, nil)
			if name == "torn" {
				last := next.again(t)
				last.wants(t, text, ErrUsed)
				last.wants(t, used, ErrBefore)
				last.wants(t, last.seal(t, session(3)), nil)
			}
		})
	}
}

func TestUsedFileStaysShort(t *testing.T) {
	s := open(t, func(_ *Options, b *Bounds) { b.Count = 10 })
	for n := range uint32(3 * spareLines) {
		s.wants(t, s.seal(t, Session{[16]byte{1}, n}), nil)
	}
	if s.file.lines > spareLines+2*10 {
		t.Errorf("the file has %d lines", s.file.lines)
	}
	last := Session{[16]byte{1}, 3*spareLines - 1}
	text := s.seal(t, last)
	s.again(t).wants(t, text, ErrUsed)
}

func TestKeyFile(t *testing.T) {
	one := strings.Repeat("A", 43) + "="
	two := "B" + one[1:]
	for text, want := range map[string]string{
		"":                         "has no key",
		"# nothing\n\n":            "has no key",
		"AAAA\n":                   "line 1 is no key",
		one + "\n" + one + "\n":    "line 2 has the same key",
		strings.Repeat("x", 5<<10): "larger than",
		one + "\n# old\n" + two:    "",
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(Options{KeyFile: path, Log: slog.New(slog.DiscardHandler)}, Bounds{Lifetime: lifetime})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %q", text, err, want)
		}
	}
}

func TestTicketIsAsLongAsItMayBe(t *testing.T) {
	s := open(t)
	c := Contents{Permissions: []string{"read"}}
	text, _, err := s.Seal(c)
	if err != nil {
		t.Fatal(err)
	}
	b := s.Bounds()
	for _, most := range []int{len(text), len(text) - 1} {
		b.MaxBytes = most
		if err := s.Use(b); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Seal(c); (err == nil) != (most == len(text)) {
			t.Errorf("%d bytes of %d: %v", len(text), most, err)
		}
	}
	if s.TooBig.Load() != 1 {
		t.Errorf("%d were too big, want 1", s.TooBig.Load())
	}
}

// Whatever happens in whatever order, at two routers that tell each other, no ticket is good twice.
func TestNoneIsGoodTwice(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		a := open(t, func(_ *Options, b *Bounds) { b.Count = 5 })
		b := open(t, func(o *Options, b *Bounds) {
			o.KeyFile, o.Now, b.Count = a.o.KeyFile, a.Now, 5
		})
		b.wall = a.wall
		a.Tell(func(u Use) { b.Learn(u) })
		b.Tell(func(u Use) { a.Learn(u) })
		generations := map[byte]uint32{}
		var tickets []string
		taken := map[string]bool{}
		for range 60 {
			s := []*stored{a, b}[random.IntN(2)]
			n := byte(random.IntN(8))
			switch random.IntN(6) {
			case 0, 1:
				if text, _, err := s.Seal(Contents{Session: Session{[16]byte{n}, generations[n]}}); err == nil {
					tickets = append(tickets, text)
				}
			case 2, 3:
				if len(tickets) == 0 {
					continue
				}
				text := tickets[random.IntN(len(tickets))]
				c, err := s.Redeem(text, letIn)
				if err != nil {
					continue
				}
				if taken[text] {
					t.Fatalf("seed %d: a ticket is good twice", seed)
				}
				taken[text] = true
				generations[c.Session.ID[0]] = max(generations[c.Session.ID[0]], c.Session.Generation+1)
			case 4:
				s.move(time.Duration(random.Int64N(int64(lifetime))) - lifetime/3)
			case 5:
				s.End([16]byte{n}, s.Now().Add(lifetime))
			}
		}
	}
}
