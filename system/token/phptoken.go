package token

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"strowger/system/token/internal/php"
)

// maxMinutes is the longest limit that fits a time.Duration.
const maxMinutes = int64(math.MaxInt64 / time.Minute)

// maxUnix is the last second of the year 9999.
const maxUnix = 253402300799

// decodePHP reads a token file written by FusionPBX (protocol 4.5, 4.6).
func decodePHP(data []byte, lim limits) (*Token, error) {
	if int64(len(data)) > lim.bytes {
		return nil, lim.tooLarge(int64(len(data)))
	}
	value, err := php.Parse(data, lim.depth)
	if deep := (*php.DepthError)(nil); errors.As(err, &deep) {
		return nil, fmt.Errorf("%w: offset %d: tokens.max_depth allows %d levels: arrays nested too deep", ErrMalformed, deep.Offset, lim.depth)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	root, ok := value.(*php.Array)
	if !ok {
		return nil, wrongType("the file", "array", value)
	}
	t := &Token{Kind: User}
	if err := phpCredentials(root, t); err != nil {
		return nil, err
	}
	if err := phpService(root, t); err != nil {
		return nil, err
	}
	r := &phpOptional{token: t, limits: lim}
	if t.Kind == User && root.At("services") == nil {
		r.odd.unlike("services", "array", "nothing")
	}
	if err := r.services(root); err != nil {
		return nil, err
	}
	r.domain(root)
	if err := r.user(root); err != nil {
		return nil, err
	}
	t.Odd = r.odd.fields
	return t, nil
}

// phpCredentials reads token{name,hash,time,limit}. Each of them restricts the
// token, so a wrong type is an error.
func phpCredentials(root *php.Array, t *Token) error {
	credentials, err := arrayAt(root, "token", "token")
	if err != nil {
		return err
	}
	if credentials == nil {
		return missing("token")
	}
	if t.Name, err = requiredText(credentials, "token.name", "name"); err != nil {
		return err
	}
	if t.Hash, err = requiredText(credentials, "token.hash", "hash"); err != nil {
		return err
	}
	minutes, _, err := intAt(credentials, "token.limit", "limit", maxMinutes)
	if err != nil {
		return err
	}
	t.Limit = time.Duration(minutes) * time.Minute
	seconds, given, err := intAt(credentials, "token.time", "time", maxUnix)
	if err != nil {
		return err
	}
	if given {
		t.IssuedAt = time.Unix(seconds, 0)
	} else if t.Limit > 0 {
		return missing("token.time")
	}
	return nil
}

// phpService reads service, service_name and service_class. FusionPBX asks
// isset of service: false is a service too. A name or a class of the wrong type
// is an error, because the holder would get the rights of another service.
func phpService(root *php.Array, t *Token) error {
	if root.At("service") == nil {
		return nil
	}
	name, err := textAt(root, "service_name", "service_name")
	if err != nil || name == "" {
		return err
	}
	t.Kind, t.ServiceName = Service, name
	t.ServiceClass, err = textAt(root, "service_class", "service_class")
	return err
}

// arrayAt returns the array behind a key, or nil when it is absent or null.
func arrayAt(a *php.Array, path, name string) (*php.Array, error) {
	switch value := a.At(name).(type) {
	case nil:
		return nil, nil
	case *php.Array:
		return value, nil
	default:
		return nil, wrongType(path, "array", value)
	}
}

// textAt returns a copy of the string behind a key, or "" when it is absent or
// null. The copy lets go of the file's text, which holds much that nobody needs.
func textAt(a *php.Array, path, name string) (string, error) {
	switch value := a.At(name).(type) {
	case nil:
		return "", nil
	case string:
		return strings.Clone(value), nil
	default:
		return "", wrongType(path, "string", value)
	}
}

// requiredText returns a string that must be there and not be empty.
func requiredText(a *php.Array, path, name string) (string, error) {
	text, err := textAt(a, path, name)
	if err == nil && text == "" {
		return "", missing(path)
	}
	return text, err
}

// intAt returns an int from 0 to max, written as an int or as a decimal string,
// and whether it is there at all.
func intAt(a *php.Array, path, name string, max int64) (int64, bool, error) {
	value := a.At(name)
	number, ok := value.(int64)
	switch text := value.(type) {
	case nil:
		return 0, false, nil
	case string:
		var err error
		number, err = strconv.ParseInt(text, 10, 64)
		ok = err == nil && isDigit(text[0])
	}
	if !ok {
		return 0, false, wrongType(path, "int", value)
	}
	if number < 0 || number > max {
		return 0, false, fmt.Errorf("%w: %s: want 0 to %d", ErrMalformed, path, max)
	}
	return number, true, nil
}

func wrongType(path, want string, got any) error {
	return fmt.Errorf("%w: %s: want %s, got %s", ErrMalformed, path, want, php.TypeName(got))
}

func missing(path string) error {
	return fmt.Errorf("%w: %s: missing", ErrMalformed, path)
}
