package jwt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"sync/atomic"
	"time"
)

// Options says which JWTs are accepted and what their claims mean. Each field is the setting of that name in the section jwt.
type Options struct {
	Keys      []string // algorithm, a space and the path of a file
	Sets      []string // jwt.jwks: URL, or the issuer that it is for, a space and the URL
	Issuers   []string // empty: any, where no set names one
	Audiences []string // empty: a JWT must have none
	Leeway    time.Duration
	MaxBytes  int
	Claims    Claims
	Bounds    Bounds

	Interval     time.Duration // between two fetches of a set
	FetchTimeout time.Duration
	Retry        time.Duration // the least between the beginnings of two fetches
	Keep         time.Duration // how long keys count when their URL does not answer
	Wait         time.Duration // the most that a JWT waits for a fetch
	Waiting      int           // how many may wait at once
	SetBytes     int64
	SetKeys      int

	Counters *Counters        // nil: nobody counts
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: no log
	Go       func(f func())   // runs f on another goroutine; nil: as go does
	// Transport is cloned and fetches the sets; nil means http.DefaultTransport.
	Transport *http.Transport
}

// Bounds are the most that one JWT may grant.
type Bounds struct{ Permissions, Services, Extensions int }

// Counters count what happened since the start. They outlive a Verifier.
type Counters struct {
	Fetches, FetchesFailed atomic.Int64 // of sets
	Waits, Away            atomic.Int64 // JWTs that waited for a fetch, and those whose keys were not there
}

// Verifier checks JWTs. Its methods may be called from any goroutine.
type Verifier struct {
	o       Options
	files   []*key
	sources []*source
	waiting chan struct{} // has room for those who may wait
	ctx     context.Context
	cancel  context.CancelFunc
}

// New returns a Verifier, with keys of the files. It fetches nothing before Refresh. Before, unless nil, is a Verifier whose
// fetched keys it takes over. It is not an error if there are neither files nor sets; every JWT is then refused.
func New(o Options, before *Verifier) (*Verifier, error) {
	v := &Verifier{o: o, waiting: make(chan struct{}, o.Waiting)}
	v.o.complete()
	var problems []error
	for _, entry := range o.Keys {
		k, err := readKeyFile(entry)
		if err != nil {
			problems = append(problems, fmt.Errorf("jwt.keys: %w", err))
			continue
		}
		v.files = append(v.files, k)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	for _, entry := range o.Sets {
		s := newSource(entry, &v.o)
		if before != nil {
			for _, old := range before.sources {
				if old.url == s.url {
					s.inherit(old)
				}
			}
		}
		v.sources = append(v.sources, s)
	}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	return v, nil
}

func (o *Options) complete() {
	if o.Counters == nil {
		o.Counters = new(Counters)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = discard()
	}
	if o.Go == nil {
		o.Go = func(f func()) { go f() }
	}
}

// Refresh begins to fetch the sets that are due, and returns at once.
func (v *Verifier) Refresh() {
	for _, s := range v.sources {
		s.fetchIfDue(v.ctx, v.o.Now())
	}
}

// Close ends fetches under way and has no others begin. JWTs are checked as before with the keys that are there.
func (v *Verifier) Close() { v.cancel() }

// Off reports whether there is nothing to check a JWT with.
func (v *Verifier) Off() bool { return len(v.files) == 0 && len(v.sources) == 0 }

// Sets describes the sets, for an operator.
func (v *Verifier) Sets() []Set {
	now := v.o.Now()
	list := make([]Set, 0, len(v.sources))
	for _, s := range v.sources {
		age, keys := s.age(now)
		list = append(list, Set{URL: s.url, Keys: keys, Age: age})
	}
	return list
}

// Set is a JWK Set that is fetched. Without keys it has not been fetched yet.
type Set struct {
	URL  string
	Keys int
	Age  time.Duration
}

// keys returns all keys that count now, and whether every set is there.
func (v *Verifier) keys() (keys []*key, all bool) {
	keys, all = v.files, true
	now := v.o.Now()
	for _, s := range v.sources {
		more, there := s.current(now)
		all = all && there
		keys = append(keys[:len(keys):len(keys)], more...)
	}
	return keys, all
}

// await waits for the sets that may be fetched again now. It returns when found does, which it calls each time that one was
// fetched, or when all were. The error says that it has not waited, or not for all.
func (v *Verifier) await(found func() bool) error {
	var cases []reflect.SelectCase
	for _, s := range v.sources {
		if end := s.begin(v.ctx, v.o.Now()); end != nil {
			cases = append(cases, received(end))
		}
	}
	if len(cases) == 0 {
		return nil
	}
	select {
	case v.waiting <- struct{}{}:
		defer func() { <-v.waiting }()
	default:
		return &awayError{"they are being fetched, and jwt.jwks_waiting others wait for them"}
	}
	v.o.Counters.Waits.Add(1)
	ctx, cancel := context.WithTimeout(context.Background(), v.o.Wait)
	defer cancel()
	cases = append(cases, received(ctx.Done()))
	for len(cases) > 1 {
		at, _, _ := reflect.Select(cases)
		if at == len(cases)-1 {
			return &awayError{"they were not fetched within jwt.jwks_wait"}
		}
		if found() {
			return nil
		}
		cases = slices.Delete(cases, at, at+1)
	}
	return nil
}

func received(c <-chan struct{}) reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)}
}
