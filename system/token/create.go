package token

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Spec says what a new token grants. The fields mean what those of Token do.
type Spec struct {
	Kind Kind // 0 means Service when ServiceName is set, else User.

	IssuedAt time.Time     // Zero means now. Rounded up to a whole second, so that Limit is never cut short.
	Limit    time.Duration // 0 means for ever; whole minutes in the PHP format.

	// ClaimWithin is how long after IssuedAt the token can be claimed; 0 means as long as Limit says.
	// The PHP format cannot say it.
	ClaimWithin time.Duration

	Services    []string
	Permissions []string

	DomainName string
	DomainUUID string

	UserUUID   string
	UserName   string
	Extensions []string // "user@context"

	ServiceName  string
	ServiceClass string

	Mode fs.FileMode // Permission bits of the file; 0 means 0600.
}

// Create writes a token file with a random name and hash into dir and returns
// the token with the path of its file. The file appears whole or not at all,
// and belongs to the user of this process. An empty dir means what it means in
// Options. Whoever claims the token must be able to delete the file: in
// /dev/shm that is the same user or root.
func Create(dir string, spec Spec, format Format) (*Token, string, error) {
	if format != PHP && format != JSON {
		return nil, "", fmt.Errorf("create token: unknown format %s", format)
	}
	if dir == "" {
		dir = defaultDir()
		makeDefaultDir(dir)
	}
	t, err := spec.token(format)
	if err != nil {
		return nil, "", fmt.Errorf("create token: %w", err)
	}
	data, err := format.encode(t)
	if err != nil {
		return nil, "", fmt.Errorf("create token: %w", err)
	}
	path := filepath.Join(dir, t.Name+format.extension())
	if err := writeWhole(path, data, spec.mode()); err != nil {
		return nil, "", fmt.Errorf("create token: %w", err)
	}
	return t, path, nil
}

// mode returns the permission bits of the file.
func (s *Spec) mode() fs.FileMode {
	if s.Mode == 0 {
		return 0o600
	}
	return s.Mode.Perm()
}

// token checks the spec and gives it a name, a hash and a time.
func (s *Spec) token(format Format) (*Token, error) {
	if err := s.check(format); err != nil {
		return nil, err
	}
	t := &Token{
		Kind:         s.kind(),
		Name:         randomHex(),
		Hash:         randomHex(),
		IssuedAt:     s.IssuedAt,
		Limit:        s.Limit,
		ClaimWithin:  s.ClaimWithin,
		Services:     distinct(s.Services),
		Permissions:  sorted(slices.Clone(s.Permissions)),
		DomainName:   s.DomainName,
		DomainUUID:   s.DomainUUID,
		UserUUID:     s.UserUUID,
		UserName:     s.UserName,
		Extensions:   distinct(s.Extensions),
		ServiceName:  s.ServiceName,
		ServiceClass: s.ServiceClass,
	}
	if t.IssuedAt.IsZero() {
		t.IssuedAt = time.Now()
	}
	t.IssuedAt = wholeSecond(t.IssuedAt)
	if seconds := t.IssuedAt.Unix(); seconds < 0 || seconds > maxUnix {
		return nil, errors.New("issued at: want a time from 1970 to 9999")
	}
	return t, nil
}

// wholeSecond returns t, or the next whole second when t has a fraction.
func wholeSecond(t time.Time) time.Time {
	if t.Nanosecond() > 0 {
		return time.Unix(t.Unix()+1, 0)
	}
	return time.Unix(t.Unix(), 0)
}

// kind returns the kind the spec means.
func (s *Spec) kind() Kind {
	if s.Kind == 0 && s.ServiceName != "" {
		return Service
	}
	if s.Kind == 0 {
		return User
	}
	return s.Kind
}

// check refuses what no file could say.
func (s *Spec) check(format Format) error {
	isService := s.kind() == Service
	switch {
	case s.kind() != User && !isService:
		return fmt.Errorf("unknown kind %s", s.Kind)
	case isService && s.ServiceName == "":
		return errors.New("a service token wants a service name")
	case !isService && s.ServiceName+s.ServiceClass != "":
		return errors.New("a user token has no service name or class")
	case isService && (s.UserUUID+s.UserName != "" || len(s.Extensions) > 0):
		return errors.New("a service token has no user or extensions")
	case s.Limit < 0:
		return errors.New("limit is negative")
	case s.ClaimWithin < 0:
		return errors.New("claim within is negative")
	case format == PHP && s.ClaimWithin > 0:
		return errors.New("claim within: the PHP format cannot say it")
	case format == PHP && s.Limit%time.Minute != 0:
		return errors.New("limit is not in whole minutes, as the PHP format wants it")
	case s.mode()&0o022 != 0 || s.mode()&0o400 == 0:
		return fmt.Errorf("mode %04o: want one the owner can read and nobody else can write", s.mode())
	}
	return s.checkTexts()
}

// checkTexts refuses what does not survive the way through a file.
func (s *Spec) checkTexts() error {
	for _, extension := range s.Extensions {
		number, context, found := strings.Cut(extension, "@")
		if !found || number == "" || context == "" {
			return fmt.Errorf("extension %q: want user@context", extension)
		}
	}
	texts := []string{s.DomainName, s.DomainUUID, s.UserUUID, s.UserName, s.ServiceName, s.ServiceClass}
	for _, list := range [][]string{texts, s.Services, s.Permissions, s.Extensions} {
		for _, text := range list {
			if !utf8.ValidString(text) {
				return fmt.Errorf("%q: not valid UTF-8", text)
			}
		}
	}
	return nil
}

// randomHex returns 256 random bits as 64 lower-case hex characters.
func randomHex() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // Never fails: the program ends when it cannot.
	return hex.EncodeToString(bits[:])
}

// unfinished is how the name of a file begins that is not whole yet.
const unfinished = ".strowger-token-"

// writeWhole writes a file under a name nobody looks for and moves it in place.
// Tokens do not outlive the machine's start, so nothing is synced to disk.
func writeWhole(path string, data []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), unfinished+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
