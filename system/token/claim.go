package token

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

// Claim returns the token of that name and takes it away from everyone else:
// it succeeds only for the one caller who deleted the file it read, out of any
// number of goroutines, stores and processes. The name and the hash must each
// be 16 to 128 of the characters A-Z a-z 0-9 _ -.
//
// A good or expired file is deleted. A file that does not match, is not a
// token or cannot be trusted is left alone, and so is the right of its holder
// to use it. If the file may not be deleted the claim fails, since the token
// could be used again. The errors are those listed with ErrNotFound.
//
// One gap is left outside of Windows, because POSIX cannot delete a file by its identity: when one
// claimant has looked at the file and is about to delete it, another deletes it,
// and in those microseconds somebody puts a new file under the same random name,
// then the first deletes the new file, and both have the token.
func (s *Store) Claim(name, hash string) (*Token, error) {
	return s.ClaimIf(name, hash, func(*Token) error { return nil })
}

// ClaimIf is Claim with a last question: it calls may with a token that is good, before it deletes the file.
// If may returns an error, the token stays good and ClaimIf returns an error that wraps it. May must not
// change the token, and may be called although the claim fails after it.
func (s *Store) ClaimIf(name, hash string, may func(*Token) error) (*Token, error) {
	if !wellFormed(name) {
		return nil, fmt.Errorf("%w: name", ErrMalformedName)
	}
	if !wellFormed(hash) {
		return nil, fmt.Errorf("%w: hash", ErrMalformedName)
	}
	token, err := s.claim(name, hash, may)
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", shortName(name), err)
	}
	return token, nil
}

// claim tries the file of each format. Anyone may put an untrusted NAME.php
// beside a good NAME.json, so one that cannot be trusted does not hide the other.
func (s *Store) claim(name, hash string, may func(*Token) error) (*Token, error) {
	dir, err := s.directory()
	if err != nil {
		return nil, err
	}
	// It must stay open until the last use of its descriptor.
	defer runtime.KeepAlive(dir)
	outcome := ErrNotFound
	for _, format := range []Format{PHP, JSON} {
		token, err := s.claimFile(dir, name, hash, format, may)
		switch {
		case errors.Is(err, ErrNotFound):
		case errors.Is(err, ErrUntrusted):
			outcome = err
		default:
			return token, err
		}
	}
	return nil, outcome
}

// directory returns the token directory, which is kept open. Each call looks up its path and compares what is
// there with what is open. It opens the directory anew if it was replaced, or if anyone may now delete
// its files. It does not check again whether the router may read it.
func (s *Store) directory() (*directory, error) {
	if kept := s.kept.Load(); kept != nil && kept.current() {
		return kept, nil
	}
	dir, err := s.patient.openDirectory(s.dir)
	if err != nil {
		return nil, err
	}
	dir.closeUnused()
	s.kept.Store(dir)
	return dir, nil
}

// claimFile claims the token of one format.
func (s *Store) claimFile(dir *directory, name, hash string, format Format, may func(*Token) error) (*Token, error) {
	f, err := dir.open(name + format.extension())
	if err != nil {
		return nil, s.explain(err)
	}
	defer f.close()
	if err := f.trusted(s.owners); err != nil {
		return nil, err
	}
	data, err := f.read(s.limits)
	if err != nil {
		return nil, err
	}
	token, err := format.decode(data, s.limits)
	if err != nil {
		return nil, err
	}
	if !same(token.Name, name) || !same(token.Hash, hash) {
		return nil, ErrMismatch
	}
	expired := token.Expired(s.now())
	if !expired {
		if err := may(token); err != nil {
			return nil, err
		}
	}
	err = s.explain(f.remove())
	if expired {
		return nil, fmt.Errorf("%w at %s", ErrExpired, token.ClaimBy().UTC().Format(time.RFC3339))
	}
	if err != nil {
		return nil, err
	}
	s.warnOdd(token)
	return token, nil
}

// explain tells the operator once when it is for him to act, and the caller
// what happened.
func (s *Store) explain(err error) error {
	denied, ok := errors.AsType[*deniedError](err)
	if !ok {
		return err
	}
	if !slices.Contains(s.owners, denied.owner) {
		return fmt.Errorf("%w: owner %d may not issue tokens", ErrUntrusted, denied.owner)
	}
	first := s.report(refusal{owner: denied.owner, action: denied.action})
	switch {
	case first && denied.owner == noOwner:
		s.log.Error("token refused: the daemon's user must be able to read and delete the files of the directory",
			"action", denied.action, "dir", s.dir, "err", denied.err)
	case first:
		s.log.Error("token refused: run the daemon as the user that writes the tokens, or give it CAP_FOWNER and CAP_DAC_READ_SEARCH",
			"action", denied.action, "dir", s.dir, "owner", denied.owner, "user", os.Geteuid(), "err", denied.err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// report notes a cause; it returns true the first time.
func (s *Store) report(cause refusal) bool {
	s.reportedMu.Lock()
	defer s.reportedMu.Unlock()
	_, again := s.reported[cause]
	s.reported[cause] = struct{}{}
	return !again
}

// refusal is a cause that is logged once.
type refusal struct {
	owner  int
	action string
}

// wellFormed reports whether text can be a token name or hash. Nothing that
// passes can be a path, or end the name of a file early.
func wellFormed(text string) bool {
	if len(text) < 16 || len(text) > 128 {
		return false
	}
	for i := range len(text) {
		if c := text[i]; !alphanumeric(c) && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// same compares in a time that tells nothing but the lengths.
func same(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

func alphanumeric(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
