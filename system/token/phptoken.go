package token

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxMinutes is the longest limit that fits a time.Duration.
const maxMinutes = int64(math.MaxInt64 / time.Minute)

// maxUnix is the last second of the year 9999.
const maxUnix = 253402300799

// decodePHP reads a token file written by FusionPBX (protocol 4.5, 4.6).
func decodePHP(data []byte, lim limits) (*Token, error) {
	value, err := parsePHP(data, lim)
	if err != nil {
		return nil, err
	}
	root, ok := value.(*array)
	if !ok {
		return nil, wrongType("the file", "array", value)
	}
	t := &Token{Kind: User}
	for _, read := range []func(*array, *Token, limits) error{
		phpCredentials, phpServices, phpDomain, phpUser, phpService,
	} {
		if err := read(root, t, lim); err != nil {
			return nil, err
		}
	}
	if t.Kind == User && root.at("services") == nil {
		return nil, missing("services")
	}
	return t, nil
}

// phpCredentials reads token{name,hash,time,limit}.
func phpCredentials(root *array, t *Token, _ limits) error {
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

// phpServices reads the list of subscriptions.
func phpServices(root *array, t *Token, lim limits) error {
	services, err := arrayAt(root, "services", "services")
	if err != nil || services == nil {
		return err
	}
	if err := checkCount("services", len(services.entries), lim.services); err != nil {
		return err
	}
	for _, entry := range services.entries {
		name, ok := entry.value.(string)
		if !ok {
			return wrongType("services."+entry.key.String(), "string", entry.value)
		}
		t.Services = append(t.Services, strings.Clone(name))
	}
	t.Services = distinct(t.Services)
	return nil
}

// phpDomain reads domain{name,uuid}: the domain chosen in the session, which a
// user may have switched away from the home domain (protocol 4.9).
func phpDomain(root *array, t *Token, _ limits) error {
	domain, err := arrayAt(root, "domain", "domain")
	if err != nil {
		return err
	}
	if t.DomainName, err = textAt(domain, "domain.name", "name"); err != nil {
		return err
	}
	t.DomainUUID, err = textAt(domain, "domain.uuid", "uuid")
	return err
}

// phpUser reads the copy of the session's user.
func phpUser(root *array, t *Token, lim limits) error {
	user, err := arrayAt(root, "user", "user")
	if err != nil {
		return err
	}
	if t.UserUUID, err = textAt(user, "user.user_uuid", "user_uuid"); err != nil {
		return err
	}
	if t.UserName, err = textAt(user, "user.username", "username"); err != nil {
		return err
	}
	if err := phpPermissions(user, t, lim); err != nil {
		return err
	}
	return phpExtensions(user, t, lim)
}

// phpPermissions reads user.permissions. FusionPBX asks with isset: a
// permission is held when its key is there and not null, whatever the value.
func phpPermissions(user *array, t *Token, lim limits) error {
	permissions, err := arrayAt(user, "user.permissions", "permissions")
	if err != nil || permissions == nil {
		return err
	}
	if err := checkCount("user.permissions", len(permissions.entries), lim.permissions); err != nil {
		return err
	}
	t.Permissions = slices.Grow(t.Permissions, len(permissions.entries))
	for _, entry := range permissions.entries {
		if entry.value != nil {
			t.Permissions = append(t.Permissions, strings.Clone(entry.key.String()))
		}
	}
	t.Permissions = sorted(t.Permissions)
	return nil
}

// phpExtensions reads the rows of user.extension. A row that lacks either half
// names no extension and is passed over.
func phpExtensions(user *array, t *Token, lim limits) error {
	rows, err := arrayAt(user, "user.extension", "extension")
	if err != nil || rows == nil {
		return err
	}
	if err := checkCount("user.extension", len(rows.entries), lim.extensions); err != nil {
		return err
	}
	for _, entry := range rows.entries {
		path := "user.extension." + entry.key.String()
		row, ok := entry.value.(*array)
		if !ok {
			return wrongType(path, "array", entry.value)
		}
		number, err := textAt(row, path+".user", "user")
		if err != nil {
			return err
		}
		context, err := textAt(row, path+".user_context", "user_context")
		if err != nil {
			return err
		}
		if number != "" && context != "" {
			t.Extensions = append(t.Extensions, number+"@"+context)
		}
	}
	t.Extensions = distinct(t.Extensions)
	return nil
}

// phpService reads service, service_name and service_class. FusionPBX asks
// isset of service: false is a service too.
func phpService(root *array, t *Token, _ limits) error {
	if root.at("service") == nil {
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
func arrayAt(a *array, path, name string) (*array, error) {
	switch value := a.at(name).(type) {
	case nil:
		return nil, nil
	case *array:
		return value, nil
	default:
		return nil, wrongType(path, "array", value)
	}
}

// textAt returns a copy of the string behind a key, or "" when it is absent or
// null. The copy lets go of the file's text, which holds much that nobody needs.
func textAt(a *array, path, name string) (string, error) {
	switch value := a.at(name).(type) {
	case nil:
		return "", nil
	case string:
		return strings.Clone(value), nil
	default:
		return "", wrongType(path, "string", value)
	}
}

// requiredText returns a string that must be there and not be empty.
func requiredText(a *array, path, name string) (string, error) {
	text, err := textAt(a, path, name)
	if err == nil && text == "" {
		return "", missing(path)
	}
	return text, err
}

// intAt returns an int from 0 to max, written as an int or as a decimal string,
// and whether it is there at all.
func intAt(a *array, path, name string, max int64) (int64, bool, error) {
	value := a.at(name)
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

// distinct returns a list without empty and repeated names, in the first order.
func distinct(names []string) []string {
	seen := make(map[string]struct{}, len(names))
	var kept []string
	for _, name := range names {
		if _, again := seen[name]; again || name == "" {
			continue
		}
		seen[name] = struct{}{}
		kept = append(kept, name)
	}
	return kept
}

// sorted sorts names in place and returns them without repeated ones.
func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

func wrongType(path, want string, got any) error {
	return fmt.Errorf("%w: %s: want %s, got %s", ErrMalformed, path, want, typeName(got))
}

func missing(path string) error {
	return fmt.Errorf("%w: %s: missing", ErrMalformed, path)
}
