package jwt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// source is a JWK Set at a URL. It is fetched by a goroutine of its own, one at a time.
type source struct {
	url, issuer string
	o           *Options
	client      *http.Client

	mu       sync.Mutex // Protects following.
	keys     []*key
	fetched  time.Time     // when keys were; zero: never
	tried    time.Time     // when the last fetch began; zero: never
	fetching chan struct{} // closed when the fetch under way has ended; nil: there is none
	failing  bool          // the last fetch has failed
}

// newSource returns the source of an entry of jwt.jwks: a URL, or the issuer that it is for and a URL.
func newSource(entry string, o *Options) *source {
	s := &source{url: entry, o: o}
	if issuer, url, ok := strings.Cut(entry, " "); ok {
		s.issuer, s.url = issuer, strings.TrimSpace(url)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if o.Transport != nil {
		transport = o.Transport.Clone()
	}
	transport.DisableKeepAlives = true // a set is fetched every few minutes
	transport.DisableCompression = true
	transport.MaxResponseHeaderBytes = 64 << 10
	s.client = &http.Client{Transport: transport, Timeout: o.FetchTimeout,
		// Whoever is led elsewhere believes the keys of somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return s
}

// inherit takes the keys over that the source of before has fetched.
func (s *source) inherit(before *source) {
	before.mu.Lock()
	defer before.mu.Unlock()
	s.keys, s.fetched, s.failing = nil, before.fetched, before.failing
	for _, k := range before.keys {
		mine := *k
		mine.issuer = s.issuer
		s.keys = append(s.keys, &mine)
	}
}

// current returns the keys, and whether there are any that are not too old.
func (s *source) current(now time.Time) (keys []*key, there bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetched.IsZero() || now.Sub(s.fetched) > s.o.Keep {
		return nil, false
	}
	return s.keys, true
}

// fetchIfDue begins a fetch if the last good one is long ago.
func (s *source) fetchIfDue(ctx context.Context, now time.Time) {
	s.mu.Lock()
	due := now.Sub(s.fetched) >= s.o.Interval
	s.mu.Unlock()
	if due {
		s.begin(ctx, now)
	}
}

// begin begins a fetch unless the last one began a short while ago. It returns what is closed when the fetch under way has
// ended, nil if there is none.
func (s *source) begin(ctx context.Context, now time.Time) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching != nil {
		return s.fetching
	}
	if !s.tried.IsZero() && now.Sub(s.tried) < s.o.Retry || ctx.Err() != nil {
		return nil
	}
	s.tried = now
	done := make(chan struct{})
	s.fetching = done
	s.o.Go(func() {
		keys, err := s.fetch(ctx)
		s.ended(keys, err, ctx.Err() != nil)
		close(done)
	})
	return done
}

// ended notes what a fetch has brought.
func (s *source) ended(keys []*key, err error, stopping bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetching = nil
	if stopping {
		return
	}
	if err != nil {
		s.failing = true
		s.o.Counters.FetchesFailed.Add(1)
		s.o.Log.Warn("keys for JWTs could not be fetched", "url", s.url, "err", err, "setting", "jwt.jwks")
		return
	}
	s.o.Counters.Fetches.Add(1)
	if s.failing || s.fetched.IsZero() {
		s.o.Log.Info("keys for JWTs fetched", "url", s.url, "keys", len(keys))
	}
	s.failing = false
	s.keys, s.fetched = keys, s.o.Now()
}

// fetch asks the URL. A panic is an error, so that a set which nobody has thought of does not end the process.
func (s *source) fetch(ctx context.Context) (keys []*key, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v: %s", reason, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, s.o.FetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the URL
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	request.Header.Set("User-Agent", "strowger")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the URL
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has status %d, want 200; redirects are not followed", response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, s.o.SetBytes+1))
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	if int64(len(data)) > s.o.SetBytes {
		return nil, fmt.Errorf("the answer has more than %d bytes, the bound of jwt.jwks_bytes", s.o.SetBytes)
	}
	keys, skipped, err := parseSet(data, s.o.SetKeys)
	if err != nil {
		return nil, fmt.Errorf("the answer %w", err)
	}
	if len(skipped) > 0 {
		s.o.Log.Debug("keys for JWTs left out", "url", s.url, "err", errors.Join(skipped...))
	}
	for _, k := range keys {
		k.issuer = s.issuer
	}
	return keys, nil
}

// age returns how old the keys are, and whether there are any.
func (s *source) age(now time.Time) (age time.Duration, keys int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetched.IsZero() {
		return 0, 0
	}
	return now.Sub(s.fetched), len(s.keys)
}

// discard is the log of who gives none.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
