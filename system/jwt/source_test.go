package jwt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// issuer serves a JWK Set that a test changes.
type issuer struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	asked  atomic.Int64
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.asked.Add(1)
		(*i.answer.Load())(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) says(text string) {
	i.does(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
}

func (i *issuer) does(f http.HandlerFunc) { i.answer.Store(&f) }

// hand is a clock that a test moves.
type hand struct {
	mu sync.Mutex
	at time.Time
}

func (h *hand) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

// fetching returns options for a set, a clock, and the log.
func fetching(i *issuer) (Options, *hand, *safeBuffer) {
	h, log := &hand{at: moment0}, new(safeBuffer)
	o := options()
	o.Sets, o.Now, o.Retry, o.Counters = []string{i.URL}, h.now, 30*time.Second, new(Counters)
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	return o, h, log
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestSetIsFetchedWhenItIsNeeded(t *testing.T) {
	i := newIssuer(t)
	p := pairs()["RS256"]
	i.says(set(p.jwk("a"), pairs()["ES256"].jwk("b")))
	o, _, _ := fetching(i)
	v := verifier(t, o)
	if i.asked.Load() != 0 {
		t.Error("New has fetched")
	}
	for range 3 {
		if _, err := v.Verify(p.sign(t, claims(nil), map[string]any{"kid": "a"})); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.Verify(pairs()["ES256"].sign(t, claims(nil), map[string]any{"kid": "b"})); err != nil {
		t.Fatal(err)
	}
	if n := i.asked.Load(); n != 1 {
		t.Errorf("fetched %d times, want once", n)
	}
	if s := v.Sets(); len(s) != 1 || s[0].Keys != 2 {
		t.Errorf("%+v", s)
	}
}

// A key that comes is found at once, but junk names do not have the set fetched again and again.
func TestRotation(t *testing.T) {
	i := newIssuer(t)
	old, next := pairs()["RS256"], pairs()["ES256"]
	i.says(set(old.jwk("old")))
	o, clock, _ := fetching(i)
	v := verifier(t, o)
	with := func(p pair, kid string) error {
		_, err := v.Verify(p.sign(t, claims(nil), map[string]any{"kid": kid}))
		return err
	}
	if err := with(old, "old"); err != nil {
		t.Fatal(err)
	}
	i.says(set(old.jwk("old"), next.jwk("new")))
	if err := with(next, "new"); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("right after a fetch: %v", err)
	}
	clock.move(o.Retry)
	if err := with(next, "new"); err != nil {
		t.Errorf("a new key: %v", err)
	}
	for n := range 1000 {
		if err := with(next, fmt.Sprint("junk", n)); !errors.Is(err, ErrUnknownKey) {
			t.Fatal(err)
		}
	}
	if n := i.asked.Load(); n != 2 {
		t.Errorf("fetched %d times, want 2", n)
	}
	// A wrong signature under a known name has nothing fetched.
	clock.move(o.Retry)
	if err := with(pairs()["ES384"], "new"); !errors.Is(err, ErrAlgorithm) {
		t.Error(err)
	}
	if n := i.asked.Load(); n != 2 {
		t.Errorf("fetched %d times, want 2", n)
	}
	// A key that is gone counts no more once the set was fetched.
	i.says(set(next.jwk("new")))
	clock.move(o.Interval)
	v.Refresh()
	fetched(t, &o.Counters.Fetches, 3)
	if err := with(old, "old"); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("a key that was taken away: %v", err)
	}
}

// fetched waits until a counter has a value.
func fetched(t *testing.T, counter *atomic.Int64, want int64) {
	t.Helper()
	for by := time.Now().Add(10 * time.Second); counter.Load() < want; time.Sleep(time.Millisecond) {
		if time.Now().After(by) {
			t.Fatalf("%d, want %d", counter.Load(), want)
		}
	}
}

// Keys outlive failures of their URL, for as long as jwt.jwks_keep says.
func TestURLThatFails(t *testing.T) {
	i := newIssuer(t)
	p := pairs()["RS256"]
	i.says(set(p.jwk("a")))
	o, clock, log := fetching(i)
	v := verifier(t, o)
	token := func() string {
		return p.sign(t, map[string]any{"sub": "u", "exp": clock.now().Add(time.Minute).Unix()}, map[string]any{"kid": "a"})
	}
	if _, err := v.Verify(token()); err != nil {
		t.Fatal(err)
	}
	i.does(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	clock.move(o.Keep)
	v.Refresh()
	fetched(t, &o.Counters.FetchesFailed, 1)
	if _, err := v.Verify(token()); err != nil {
		t.Errorf("at jwt.jwks_keep: %v", err)
	}
	clock.move(time.Second)
	_, err := v.Verify(token())
	var away interface {
		error
		Temporary() bool
	}
	if !errors.Is(err, ErrKeysAway) || !errors.As(err, &away) || !away.Temporary() {
		t.Errorf("after jwt.jwks_keep: %v", err)
	}
	if !strings.Contains(log.String(), "status 500") || !strings.Contains(log.String(), "setting=jwt.jwks") {
		t.Errorf("log: %s", log)
	}
	i.says(set(p.jwk("a")))
	clock.move(o.Retry)
	if _, err := v.Verify(token()); err != nil {
		t.Errorf("after it answers again: %v", err)
	}
}

// None of these answers brings a key, holds anybody up or ends anything.
func TestHostileAnswers(t *testing.T) {
	p := pairs()["RS256"]
	elsewhere := newIssuer(t)
	elsewhere.says(set(p.jwk("a")))
	small := p.jwk("a")
	small["n"] = encode(bytes.Repeat([]byte{0xFF}, 128))
	huge := p.jwk("a")
	huge["n"] = encode(bytes.Repeat([]byte{0xFF}, 4096))
	with := func(change func(k map[string]any)) string {
		k := p.jwk("a")
		change(k)
		return set(k)
	}
	text := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	var many []map[string]any
	for n := range 17 {
		many = append(many, p.jwk(fmt.Sprint(n)))
	}
	for name, answer := range map[string]http.HandlerFunc{
		"redirect":          func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"404":               func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); fmt.Fprint(w, set(p.jwk("a"))) },
		"page":              text("<!doctype html><title>Login</title>"),
		"empty":             text(""),
		"null":              text("null"),
		"list":              text("[]"),
		"no keys":           text(`{"keys":[]}`),
		"keys is a text":    text(`{"keys":"a"}`),
		"keys of all types": text(`{"keys":[1,null,"a",[],{}]}`),
		"keys twice":        text(`{"keys":[],` + set(p.jwk("a"))[1:]),
		"too many keys":     text(set(many...)),
		"too deep":          text(strings.Repeat("[", 60_000)),
		"not UTF-8":         text("{\"keys\":[],\"a\":\"\xff\"}"),
		"a secret":          text(set(pairs()["HS256"].jwk("a"))),
		"small RSA":         text(set(small)),
		"huge RSA":          text(set(huge)),
		"RSA for HS256":     text(with(func(k map[string]any) { k["alg"] = "HS256" })),
		"RSA for none":      text(with(func(k map[string]any) { k["alg"] = "none" })),
		"for encryption":    text(with(func(k map[string]any) { k["use"] = "enc" })),
		"not for verifying": text(with(func(k map[string]any) { k["key_ops"] = []string{"encrypt"} })),
		"key_ops is a text": text(with(func(k map[string]any) { k["key_ops"] = "verify" })),
		"private":           text(with(func(k map[string]any) { k["d"] = "AQAB" })),
		"exponent 1":        text(with(func(k map[string]any) { k["e"] = encode([]byte{1}) })),
		"exponent 0":        text(with(func(k map[string]any) { k["e"] = encode([]byte{0}) })),
		"huge exponent":     text(with(func(k map[string]any) { k["e"] = encode(bytes.Repeat([]byte{0xFF}, 300)) })),
		"n is a number":     text(with(func(k map[string]any) { k["n"] = 1 })),
		"kid is a number":   text(with(func(k map[string]any) { k["kid"] = 1 })),
		"huge kid":          text(with(func(k map[string]any) { k["kid"] = strings.Repeat("x", 1000) })),
		"point off curve": text(func() string {
			k := pairs()["ES256"].jwk("a")
			k["x"] = k["y"]
			return set(k)
		}()),
		"point at infinity": text(set(map[string]any{"kid": "a", "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"})),
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				if _, err := w.Write(bytes.Repeat([]byte(" "), 64<<10)); err != nil {
					return
				}
			}
		},
		"huge head": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
			fmt.Fprint(w, set(p.jwk("a")))
		},
		"compressed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, "\x1f\x8b\x08\x00")
		},
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10000")
			fmt.Fprint(w, set(p.jwk("a")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.does(answer)
			o, _, log := fetching(i)
			v := verifier(t, o)
			if g, err := v.Verify(p.sign(t, claims(nil), map[string]any{"kid": "a"})); !errors.Is(err, ErrKeysAway) {
				t.Errorf("%v, %v", g, err)
			}
			if o.Counters.FetchesFailed.Load() != 1 || o.Counters.Fetches.Load() != 0 || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("log: %s", log)
			}
			if log := log.String(); len(log) > 3000 {
				t.Errorf("a line of %d bytes", len(log))
			}
		})
	}
	if n := elsewhere.asked.Load(); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
}

// A URL that never answers holds up a few JWTs for a bounded time, and no others. JWTs of keys that are there do not notice.
func TestURLThatHangs(t *testing.T) {
	i := newIssuer(t)
	p := pairs()["RS256"]
	i.says(set(p.jwk("a")))
	o, clock, _ := fetching(i)
	o.Wait = 200 * time.Millisecond
	v := verifier(t, o)
	good, junk := p.sign(t, claims(nil), map[string]any{"kid": "a"}), p.sign(t, claims(nil), map[string]any{"kid": "junk"})
	if _, err := v.Verify(good); err != nil {
		t.Fatal(err)
	}
	hung, free := make(chan struct{}), make(chan struct{})
	i.does(func(_ http.ResponseWriter, r *http.Request) {
		close(hung)
		select {
		case <-free:
		case <-r.Context().Done():
		}
	})
	defer close(free)
	clock.move(o.Retry)
	var wait sync.WaitGroup
	for range o.Waiting {
		wait.Go(func() {
			if _, err := v.Verify(junk); !errors.Is(err, ErrKeysAway) {
				t.Error(err)
			}
		})
	}
	<-hung
	fetched(t, &o.Counters.Waits, int64(1+o.Waiting))
	// Those that may wait do so; the others are turned away at once, and good ones are good.
	began := time.Now()
	for range 100 {
		if _, err := v.Verify(good); err != nil {
			t.Error(err)
		}
	}
	wait.Wait()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := i.asked.Load(); n != 2 {
		t.Errorf("fetched %d times, want 2", n)
	}
}

// More than jwt.jwks_waiting are turned away without waiting.
func TestWaitingIsBounded(t *testing.T) {
	i := newIssuer(t)
	free := make(chan struct{})
	p := pairs()["RS256"]
	i.does(func(w http.ResponseWriter, _ *http.Request) {
		<-free
		fmt.Fprint(w, set(p.jwk("a")))
	})
	o, _, _ := fetching(i)
	o.Waiting, o.Wait = 1, time.Minute
	v := verifier(t, o)
	token := p.sign(t, claims(nil), map[string]any{"kid": "a"})
	first := make(chan error, 1)
	go func() { _, err := v.Verify(token); first <- err }()
	fetched(t, &o.Counters.Waits, 1)
	if _, err := v.Verify(token); !errors.Is(err, ErrKeysAway) || !strings.Contains(err.Error(), "jwt.jwks_waiting") {
		t.Errorf("the second: %v", err)
	}
	close(free)
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
	if o.Counters.Away.Load() != 1 {
		t.Errorf("%d turned away, want 1", o.Counters.Away.Load())
	}
}

// The keys of one issuer do not sign for another.
func TestSetIsForItsIssuer(t *testing.T) {
	a, b := newIssuer(t), newIssuer(t)
	pa, pb := pairs()["RS256"], pairs()["ES256"]
	a.says(set(pa.jwk("a")))
	b.says(set(pb.jwk("b")))
	o, _, _ := fetching(a)
	o.Sets = []string{"https://a " + a.URL, "https://b " + b.URL}
	v := verifier(t, o)
	sign := func(p pair, kid, iss string) string {
		return p.sign(t, claims(map[string]any{"iss": iss}), map[string]any{"kid": kid})
	}
	for _, good := range []string{sign(pa, "a", "https://a"), sign(pb, "b", "https://b")} {
		if _, err := v.Verify(good); err != nil {
			t.Error(err)
		}
	}
	refused(t, v, sign(pa, "a", "https://b"), ErrIssuer)
	refused(t, v, sign(pb, "b", "https://a"), ErrIssuer)
	// A new Verifier has the keys, for the issuers that it has been told.
	o.Sets = []string{"https://c " + a.URL}
	after, err := New(o, v)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if _, err := after.Verify(sign(pa, "a", "https://c")); err != nil || a.asked.Load() != 1 {
		t.Errorf("%v, fetched %d times", err, a.asked.Load())
	}
	refused(t, after, sign(pa, "a", "https://a"), ErrIssuer)
}

// Two issuers may have one set, and the set of one cannot keep the JWTs of the other from being accepted.
func TestIssuersDoNotDisturbEachOther(t *testing.T) {
	a, b := newIssuer(t), newIssuer(t)
	p := pairs()["RS256"]
	a.says(set(p.jwk("k")))
	other := pairs()["ES256"]
	var crowd []map[string]any
	for range mostTries + 1 {
		crowd = append(crowd, other.jwk("k"))
	}
	b.says(set(crowd...))
	o, _, _ := fetching(a)
	o.Sets = []string{"https://a " + a.URL, "https://twin " + a.URL, "https://b " + b.URL}
	v := verifier(t, o)
	for _, iss := range []string{"https://a", "https://twin"} {
		if _, err := v.Verify(p.sign(t, claims(map[string]any{"iss": iss}), map[string]any{"kid": "k"})); err != nil {
			t.Errorf("%s: %v", iss, err)
		}
	}
	o.Sets = []string{"https://a " + a.URL, "https://b " + b.URL}
	a.says(set(other.jwk("k")))
	if _, err := verifier(t, o).Verify(other.sign(t, claims(map[string]any{"iss": "https://a"}), map[string]any{"kid": "k"})); err != nil {
		t.Errorf("beside many keys of another issuer: %v", err)
	}
}

// A JWT whose key has come does not wait for a URL that hangs.
func TestKeyThatHasComeIsEnough(t *testing.T) {
	i, hangs := newIssuer(t), newIssuer(t)
	p := pairs()["RS256"]
	i.says(set(p.jwk("a")))
	hangs.does(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	o, _, _ := fetching(i)
	o.Sets, o.Wait, o.FetchTimeout = []string{hangs.URL, i.URL}, time.Hour, time.Hour
	v, err := New(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	verified := make(chan error, 1)
	go func() {
		_, err := v.Verify(p.sign(t, claims(nil), map[string]any{"kid": "a"}))
		verified <- err
	}()
	select {
	case err = <-verified:
	case <-time.After(30 * time.Second):
		err = errors.New("it waits for the other set")
	}
	v.Close() // ends the fetch that hangs
	if err != nil {
		t.Fatal(err)
	}
}

// Keys come and go while many JWTs are checked: one whose key is in the set all the time is never refused.
func TestRotationUnderLoad(t *testing.T) {
	i := newIssuer(t)
	stays, goes := pairs()["RS256"], pairs()["ES256"]
	i.says(set(stays.jwk("stays")))
	o, clock, _ := fetching(i)
	o.Waiting, o.Wait, o.Retry = 100, time.Minute, time.Millisecond
	v := verifier(t, o)
	token := func(p pair, kid string) string {
		return p.sign(t, map[string]any{"sub": "u", "exp": moment0.Add(24 * time.Hour).Unix()}, map[string]any{"kid": kid})
	}
	good, other := token(stays, "stays"), token(goes, "goes")
	if _, err := v.Verify(good); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for ctx.Err() == nil {
				if _, err := v.Verify(good); err != nil {
					t.Error(err)
					return
				}
				_, _ = v.Verify(other)
			}
		})
	}
	for n := range 50 {
		if n%2 == 0 {
			i.says(set(goes.jwk("goes"), stays.jwk("stays")))
		} else {
			i.says(set(stays.jwk("stays")))
		}
		clock.move(o.Interval)
		before := o.Counters.Fetches.Load()
		v.Refresh()
		fetched(t, &o.Counters.Fetches, before+1)
	}
	stop()
	workers.Wait()
	// At rest each answer is that of the last set.
	clock.move(o.Interval)
	before := o.Counters.Fetches.Load()
	v.Refresh()
	fetched(t, &o.Counters.Fetches, before+1)
	refused(t, v, other, ErrUnknownKey)
}

// Whatever a set holds, it is read or refused.
func FuzzSet(f *testing.F) {
	f.Add([]byte(set(pairs()["RS256"].jwk("a"), pairs()["ES512"].jwk("b"), pairs()["EdDSA"].jwk("c"))))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, _, err := parseSet(data, 16)
		if (err == nil) != (len(keys) > 0) || len(keys) > 16 {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if symmetric(k.alg) || len(k.id) > mostID {
				t.Errorf("%+v", k)
			}
			if k.signed("text", []byte("signature")) {
				t.Error("signed nothing")
			}
		}
	})
}
