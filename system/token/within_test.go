package token

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLimitLastsWhatItSays makes tokens late in a second.
func TestLimitLastsWhatItSays(t *testing.T) {
	begin := issued.Add(900 * time.Millisecond)
	for _, format := range []Format{PHP, JSON} {
		spec := Spec{IssuedAt: begin, Limit: time.Minute}
		if format == JSON {
			spec.Limit = 2 * time.Second
		}
		made, _, err := Create(t.TempDir(), spec, format)
		if err != nil {
			t.Fatal(err)
		}
		if lasts := made.ExpiresAt().Sub(begin); lasts < spec.Limit || lasts >= spec.Limit+time.Second {
			t.Errorf("%s: a limit of %v lasts %v", format, spec.Limit, lasts)
		}
	}
}

func TestClaimWithin(t *testing.T) {
	for name, test := range map[string]struct {
		limit, within time.Duration
		good, late    time.Duration // after issue; late 0: never
		expires       time.Duration // of the connection; 0: never
	}{
		"alone":              {0, time.Minute, 59 * time.Second, time.Minute, 0},
		"shorter than limit": {time.Hour, time.Minute, 59 * time.Second, time.Minute, time.Hour},
		"longer than limit":  {time.Minute, time.Hour, 59 * time.Second, time.Minute, time.Minute},
		"neither":            {0, 0, 1000 * time.Hour, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir, now := t.TempDir(), issued
			s := openStore(t, Options{Dir: dir, Now: func() time.Time { return now }})
			spec := Spec{IssuedAt: issued, Limit: test.limit, ClaimWithin: test.within}
			claim := func(after time.Duration) (*Token, error) {
				made, _, err := Create(dir, spec, JSON)
				if err != nil {
					t.Fatal(err)
				}
				now = issued.Add(after)
				return s.Claim(made.Name, made.Hash)
			}
			got, err := claim(test.good)
			if err != nil {
				t.Fatal(err)
			}
			var want time.Time
			if test.expires > 0 {
				want = issued.Add(test.expires)
			}
			if !got.ExpiresAt().Equal(want) {
				t.Errorf("the connection is good until %v, want %v", got.ExpiresAt(), want)
			}
			if test.late == 0 {
				return
			}
			if _, err := claim(test.late); !errors.Is(err, ErrExpired) {
				t.Errorf("too late: got %v, want ErrExpired", err)
			}
		})
	}
}

func TestSweepDeletesWhatNobodyClaimedInTime(t *testing.T) {
	dir, now := t.TempDir(), issued
	s := openStore(t, Options{Dir: dir, Now: func() time.Time { return now }})
	_, path, err := Create(dir, Spec{IssuedAt: issued, ClaimWithin: time.Minute}, JSON)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		left  bool
	}{{time.Hour, true}, {time.Hour + time.Minute, false}} {
		now = issued.Add(step.after)
		if _, err := s.Sweep(t.Context(), SweepOptions{}); err != nil {
			t.Fatal(err)
		}
		if exists(t, path) != step.left {
			t.Errorf("after %v: the file is there: %v", step.after, !step.left)
		}
	}
}

// TestNullLimit: a limit that is null, absent or 0 is no limit, as for the PHP router, which asks whether
// the limit is greater than 0 (protocol 4.7).
func TestNullLimit(t *testing.T) {
	for name, file := range map[string]string{
		"php null":    fmt.Sprintf("<?php\nreturn array('token' => array('name' => '%s', 'hash' => '%s', 'time' => '1769850000', 'limit' => NULL), 'services' => array());\n", testName, testHash),
		"php 0":       fmt.Sprintf("<?php\nreturn array('token' => array('name' => '%s', 'hash' => '%s', 'time' => '1769850000', 'limit' => 0), 'services' => array());\n", testName, testHash),
		"php absent":  fmt.Sprintf("<?php\nreturn array('token' => array('name' => '%s', 'hash' => '%s'), 'services' => array());\n", testName, testHash),
		"json null":   fmt.Sprintf(`{"name":%q,"hash":%q,"issued_at":"2026-01-31T09:00:00Z","limit":null,"claim_within":null}`, testName, testHash),
		"json 0":      fmt.Sprintf(`{"name":%q,"hash":%q,"issued_at":"2026-01-31T09:00:00Z","limit":"0s"}`, testName, testHash),
		"json absent": fmt.Sprintf(`{"name":%q,"hash":%q,"issued_at":"2026-01-31T09:00:00Z"}`, testName, testHash),
	} {
		t.Run(name, func(t *testing.T) {
			format, _, _ := strings.Cut(name, " ")
			dir := t.TempDir()
			putFile(t, dir, testName+"."+format, []byte(file))
			late := func() time.Time { return issued.AddDate(10, 0, 0) }
			token, err := openStore(t, Options{Dir: dir, Now: late}).Claim(testName, testHash)
			if err != nil {
				t.Fatal(err)
			}
			if !token.ExpiresAt().IsZero() || len(token.Odd) > 0 {
				t.Errorf("expires %v, odd %q; want never and nothing", token.ExpiresAt(), token.Odd)
			}
		})
	}
}
