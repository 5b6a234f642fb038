package apikey

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"strowger/system/internal/secretfile"
)

// mostFile bounds the file, in bytes.
const mostFile = 64 << 20

// mostNames bounds the names of one key.
const mostNames = 256

// Entry is what the file says of a key.
type Entry struct {
	ID        string    `json:"id"`
	Hash      string    `json:"hash"`
	Check     string    `json:"check"`
	Services  []string  `json:"services"` // names that the holder may have
	Class     string    `json:"class,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: never
	Comment   string    `json:"comment,omitempty"`

	hash hash
}

var (
	idForm    = regexp.MustCompile(`^[0-9a-f]{16}$`)
	checkForm = regexp.MustCompile(`^[0-9a-f]{4}$`)
)

// Spec says for what a key is made.
type Spec struct {
	Services []string
	Class    string
	Expires  time.Time // zero: never
	Comment  string
}

// Check reads a file with the eyes of the user uid and returns how many keys it has.
func Check(path string, most, uid int) (keys int, err error) {
	entries, err := readAs(path, most, uid)
	return len(entries), err
}

// read returns the keys of a file.
func read(path string, most int) (map[string]*Entry, error) { return readAs(path, most, os.Geteuid()) }

func readAs(path string, most, uid int) (map[string]*Entry, error) {
	data, err := secretfile.ReadAs(path, mostFile, secretfile.Secret, uid)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	entries, err := parse(data, most)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return entries, nil
}

// parse reads the lines of a file. Empty ones do not count.
func parse(data []byte, most int) (map[string]*Entry, error) {
	entries := make(map[string]*Entry)
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		e, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if entries[e.ID] != nil {
			return nil, fmt.Errorf("line %d: the id %s is there twice", number, e.ID)
		}
		if entries[e.ID] = e; len(entries) > most {
			return nil, fmt.Errorf("has more keys than %d, the bound of apikeys.max_keys", most)
		}
	}
	return entries, nil
}

func parseLine(line []byte) (*Entry, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	e := new(Entry)
	if err := d.Decode(e); err != nil {
		return nil, fmt.Errorf("is no API key: %w", err)
	}
	if d.More() {
		return nil, errors.New("has something after the object")
	}
	parts := hashForm.FindStringSubmatch(e.Hash)
	switch {
	case !idForm.MatchString(e.ID):
		return nil, errors.New("id is not 16 hex digits")
	case parts == nil:
		return nil, errors.New("hash is none that strowger token apikey makes")
	case !checkForm.MatchString(e.Check):
		return nil, errors.New("check is not 4 hex digits")
	}
	// The form has said that they are base64, but not that no bits are left over.
	var saltErr, keyErr error
	e.hash.salt, saltErr = base64.RawStdEncoding.DecodeString(parts[1])
	e.hash.key, keyErr = base64.RawStdEncoding.DecodeString(parts[2])
	if err := errors.Join(saltErr, keyErr); err != nil {
		return nil, fmt.Errorf("hash: %w", err)
	}
	return e, checkServices(e.Services)
}

func checkServices(names []string) error {
	switch {
	case len(names) == 0:
		return errors.New("services is empty: the key is for nobody")
	case len(names) > mostNames:
		return fmt.Errorf("services has %d names, the most is %d", len(names), mostNames)
	case slices.Contains(names, ""):
		return errors.New("services has an empty name")
	}
	return nil
}

// Add makes a key and appends it to a file, which it makes with mode 0600 if there is none. The key is returned this once.
// A router reads the file again when it is told to.
func Add(path string, s Spec, now time.Time, most int) (key string, e *Entry, err error) {
	if err := checkServices(s.Services); err != nil {
		return "", nil, err
	}
	// It is looked at again when the key is added, but a hash takes long.
	if _, err := read(path, most); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, err
	}
	id, secret := newKey()
	e = &Entry{ID: id, Check: check(secret), Services: s.Services, Class: s.Class, Comment: s.Comment, hash: newHash(secret),
		CreatedAt: now.UTC().Truncate(time.Second), ExpiresAt: s.Expires}
	e.Hash = e.hash.String()
	line, err := json.Marshal(e)
	if err != nil {
		return "", nil, err //nolint:wrapcheck // it cannot fail
	}
	if _, err := parseLine(line); err != nil {
		return "", nil, err
	}
	if err := appendLine(path, line, most); err != nil {
		return "", nil, err
	}
	return join(id, secret), e, nil
}

// appendLine adds a line to a file that is good, by way of another file, so that nobody reads half of it.
func appendLine(path string, line []byte, most int) error {
	unlock, err := lock(path)
	if err != nil {
		return err
	}
	defer unlock()
	before, err := secretfile.Read(path, mostFile, secretfile.Secret)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // it names the file
	}
	if len(before) > 0 && before[len(before)-1] != '\n' {
		before = append(before, '\n')
	}
	after := append(before, append(line, '\n')...)
	if _, err := parse(after, most); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// CreateTemp makes a file that only this user may read.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	_, err = f.Write(after)
	if err = errors.Join(err, f.Sync(), f.Close(), keepOwner(path, f.Name())); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// lock keeps others from adding a key at the same time. The file that it makes is removed by the function that it returns.
func lock(path string) (unlock func(), err error) {
	name := path + ".lock"
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there: another program adds a key, or was interrupted; remove it then", name)
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	_ = f.Close()
	return func() { _ = os.Remove(name) }, nil
}

// String writes the hash as the file has it.
func (h hash) String() string {
	encode := base64.RawStdEncoding.EncodeToString
	return strings.Join([]string{"", "argon2id", "v=" + strconv.Itoa(argon2.Version), fmt.Sprintf("m=%d,t=%d,p=%d", memory, passes, threads),
		encode(h.salt), encode(h.key)}, "$")
}
