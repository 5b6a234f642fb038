package apikey

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var moment0 = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// made is a file with one key for the services.
func made(t testing.TB, s Spec) (path, key string, e *Entry) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys")
	key, e, err := Add(path, s, moment0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return path, key, e
}

func open(t testing.TB, path string, change ...func(*Options)) *Store {
	t.Helper()
	o := Options{File: path, MaxKeys: 100, Checks: 1, Verified: 10, Counters: new(Counters), Now: func() time.Time { return moment0 }}
	for _, f := range change {
		f(&o)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKey(t *testing.T) {
	path, key, made := made(t, Spec{Services: []string{"weather", "news"}, Class: "weather_service"})
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), key[len(key)-64:]) {
		t.Errorf("the file has the secret: %s, %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%v, %v", info, err)
	}
	s := open(t, path)
	for _, name := range []string{"weather", "news"} {
		e, got, err := s.Verify(key, name)
		if err != nil || got != name || e.ID != made.ID || e.Class != "weather_service" {
			t.Errorf("%+v, %q, %v", e, got, err)
		}
	}
	if n := s.o.Counters.Checks.Load(); n != 1 || s.o.Counters.Remembered.Load() != 1 {
		t.Errorf("%d hashes were computed, want 1", n)
	}
}

func TestRefusals(t *testing.T) {
	path, key, _ := made(t, Spec{Services: []string{"weather", "news"}})
	_, one, _ := made(t, Spec{Services: []string{"weather"}})
	s := open(t, path)
	swap := func(from, to string) string { return strings.Replace(key, from, to, 1) }
	last := key[len(key)-1:]
	other := "0"
	if last == "0" {
		other = "1"
	}
	for name, test := range map[string]struct {
		key, service string
		why          *Error
	}{
		"nothing":                 {"", "weather", ErrMalformed},
		"no prefix":               {key[4:], "weather", ErrMalformed},
		"upper case":              {strings.ToUpper(key), "weather", ErrMalformed},
		"a line end":              {key + "\n", "weather", ErrMalformed},
		"huge":                    {strings.Repeat("x", 1<<20), "weather", ErrMalformed},
		"another prefix":          {swap("swk_", "swx_"), "weather", ErrMalformed},
		"the key of another file": {one, "weather", ErrUnknown},
		"a wrong secret":          {key[:len(key)-1] + other, "weather", ErrWrong},
		"no name":                 {key, "", ErrName},
		"another name":            {key, "panel", ErrService},
		"a name in another case":  {key, "Weather", ErrService},
	} {
		t.Run(name, func(t *testing.T) {
			if e, name, err := s.Verify(test.key, test.service); e != nil || name != "" || !errors.Is(err, test.why) {
				t.Errorf("%v, %q, %v; want %v", e, name, err, test.why)
			}
			if _, _, err := s.Verify(test.key, test.service); err != nil && len(test.key) > 70 && strings.Contains(err.Error(), test.key[30:]) {
				t.Errorf("shows the key: %v", err)
			}
		})
	}
	if _, _, err := open(t, "").Verify(key, "weather"); !errors.Is(err, ErrOff) {
		t.Errorf("without a file: %v", err)
	}
}

func TestExpiry(t *testing.T) {
	path, key, e := made(t, Spec{Services: []string{"weather"}, Expires: moment0.Add(time.Minute)})
	now := moment0
	s := open(t, path, func(o *Options) { o.Now = func() time.Time { return now } })
	if got, name, err := s.Verify(key, ""); err != nil || name != "weather" || !got.ExpiresAt.Equal(e.ExpiresAt) {
		t.Errorf("%v, %q, %v", got, name, err)
	}
	now = now.Add(time.Minute)
	if _, _, err := s.Verify(key, ""); !errors.Is(err, ErrExpired) {
		t.Errorf("%v: a key that was remembered must not outlive its end", err)
	}
}

// Guesses cost no hash, and wrong keys are not remembered.
func TestGuessesAreCheap(t *testing.T) {
	path, key, _ := made(t, Spec{Services: []string{"weather"}})
	s := open(t, path)
	for range 1000 {
		_, secret := newKey()
		guess := key[:len(key)-64] + secret
		if _, _, err := s.Verify(guess, ""); !errors.Is(err, ErrWrong) {
			t.Fatal(err)
		}
	}
	if n := s.o.Counters.Checks.Load(); n > 5 {
		t.Errorf("%d hashes for 1000 guesses", n)
	}
}

// A secret that only looks right is wrong.
func TestCheckIsNoProof(t *testing.T) {
	path, key, e := made(t, Spec{Services: []string{"weather"}})
	s := open(t, path)
	for {
		_, secret := newKey()
		if check(secret) != e.Check {
			continue
		}
		if _, _, err := s.Verify(key[:len(key)-64]+secret, ""); !errors.Is(err, ErrWrong) || s.o.Counters.Checks.Load() != 1 {
			t.Errorf("%v", err)
		}
		return
	}
}

func TestChecksAreBounded(t *testing.T) {
	path, key, _ := made(t, Spec{Services: []string{"weather"}})
	s := open(t, path)
	s.slots <- struct{}{} // somebody computes
	_, _, err := s.Verify(key, "")
	var away interface {
		error
		Temporary() bool
	}
	var setting interface {
		error
		Setting() string
	}
	if !errors.Is(err, ErrBusy) || !errors.As(err, &away) || !away.Temporary() || !errors.As(err, &setting) || setting.Setting() != "apikeys.checks" {
		t.Errorf("%v", err)
	}
	if s.o.Counters.Busy.Load() != 1 {
		t.Error("not counted")
	}
	<-s.slots
	if _, _, err := s.Verify(key, ""); err != nil {
		t.Error(err)
	}
	s.slots <- struct{}{}
	if _, _, err := s.Verify(key, ""); err != nil {
		t.Errorf("a key that was good needs no hash: %v", err)
	}
}

func TestRememberedKeysAreBounded(t *testing.T) {
	path, first, _ := made(t, Spec{Services: []string{"a"}})
	second, _, err := Add(path, Spec{Services: []string{"b"}}, moment0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for verified, want := range map[int]int64{0: 4, 1: 4, 2: 2} {
		s := open(t, path, func(o *Options) { o.Verified = verified })
		for _, key := range []string{first, second, first, second} {
			if _, _, err := s.Verify(key, ""); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.o.Counters.Checks.Load(); n != want || len(s.good) != verified || len(s.order) != verified {
			t.Errorf("%d remembered: %d hashes, want %d", verified, n, want)
		}
	}
}

// Two programs that add keys at once lose none of them: the second is told.
func TestAddAtOnce(t *testing.T) {
	path, _, _ := made(t, Spec{Services: []string{"a"}})
	var mu sync.Mutex
	added := 1
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 3 {
				_, _, err := Add(path, Spec{Services: []string{"a"}}, moment0, 100)
				mu.Lock()
				if err == nil {
					added++
				} else if !strings.Contains(err.Error(), ".lock") {
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if n, err := Check(path, 100, os.Geteuid()); err != nil || n != added || added < 2 {
		t.Errorf("%d keys, %v; %d were added", n, err, added)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 1 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestFileThatCannotBeUsed(t *testing.T) {
	path, _, e := made(t, Spec{Services: []string{"a"}})
	good, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	with := func(old, new string) string { return strings.Replace(string(good), old, new, 1) }
	for name, test := range map[string]struct{ text, problem string }{
		"no JSON":           {"x", "line 1"},
		"twice":             {string(good) + "\n" + string(good), "line 2: the id"},
		"unknown field":     {with(`"id"`, `"admin":true,"id"`), "admin"},
		"no services":       {with(`["a"]`, `[]`), "for nobody"},
		"an empty service":  {with(`["a"]`, `[""]`), "empty name"},
		"too many services": {with(`["a"]`, `["a"`+strings.Repeat(`,"a"`, mostNames)+`]`), "256"},
		"another id":        {with(e.ID, "../../etc"), "id is not"},
		"a cheap hash":      {with("m=19456", "m=8"), "hash is none"},
		"a dear hash":       {with("m=19456", "m=99999999"), "hash is none"},
		"another hash":      {with("argon2id", "argon2i"), "hash is none"},
		"no check":          {with(`"check":"`+e.Check+`"`, `"check":""`), "check is not"},
		"something behind":  {string(good) + " {}", "after the object"},
		"not UTF-8":         {with(`"a"`, "\"\xff\""), "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Check(path, 100, os.Geteuid()); err == nil || !strings.Contains(err.Error(), test.problem) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v, want %q", err, test.problem)
			}
			if _, _, err := Add(path, Spec{Services: []string{"b"}}, moment0, 100); err == nil {
				t.Error("a key was added to it")
			}
		})
	}
	if err := os.WriteFile(path, append(good, "\n\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := Check(path, 1, os.Geteuid()); n != 1 || err != nil {
		t.Errorf("empty lines: %d, %v", n, err)
	}
	if _, err := Check(path, 0, os.Geteuid()); err == nil || !strings.Contains(err.Error(), "apikeys.max_keys") {
		t.Errorf("too many keys: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(path, 10, os.Geteuid()); err == nil || !strings.Contains(err.Error(), "want 0600") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	_, _, e := made(f, Spec{Services: []string{"a"}, Class: "b", Comment: "c"})
	good, err := json.Marshal(e)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("{}\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parse(data, 10)
		if err != nil && entries != nil || len(entries) > 10 {
			t.Fatalf("%v, %v", entries, err)
		}
		for id, e := range entries {
			if !idForm.MatchString(id) || len(e.Services) == 0 || len(e.hash.key) != hashBytes || len(e.hash.salt) != saltBytes {
				t.Errorf("%+v", e)
			}
		}
	})
}
