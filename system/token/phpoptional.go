package token

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"strowger/system/token/internal/php"
)

// phpOptional reads the fields of a PHP token that grant something or describe
// the holder. One that is odd counts as empty, and an integer as its decimal
// text: the holder gets less, never more, and odd says which field it was.
type phpOptional struct {
	token  *Token
	limits limits
	odd    oddities
}

// services reads the list of subscriptions.
func (r *phpOptional) services(root *php.Array) error {
	services := r.array(root.At("services"), place{list: "services", index: -1})
	if services == nil {
		return nil
	}
	if err := checkCount("services", len(services.Entries), r.limits.services, servicesSetting); err != nil {
		return err
	}
	for i, entry := range services.Entries {
		path := place{list: "services", index: i}
		if entry.Value == nil {
			r.odd.unlike(path.String(), "string", "null")
		}
		r.token.Services = append(r.token.Services, r.text(entry.Value, path))
	}
	r.token.Services = distinct(r.token.Services)
	return nil
}

// domain reads domain{name,uuid}: the domain chosen in the session, which a
// user may have switched away from the home domain (protocol 4.9).
func (r *phpOptional) domain(root *php.Array) {
	domain := r.array(root.At("domain"), place{list: "domain", index: -1})
	r.token.DomainName = r.text(domain.At("name"), place{list: "domain.name", index: -1})
	r.token.DomainUUID = r.text(domain.At("uuid"), place{list: "domain.uuid", index: -1})
}

// user reads the copy of the session's user.
func (r *phpOptional) user(root *php.Array) error {
	user := r.array(root.At("user"), place{list: "user", index: -1})
	r.token.UserUUID = r.text(user.At("user_uuid"), place{list: "user.user_uuid", index: -1})
	r.token.UserName = r.text(user.At("username"), place{list: "user.username", index: -1})
	if err := r.permissions(user); err != nil {
		return err
	}
	return r.extensions(user)
}

// permissions reads user.permissions. FusionPBX asks with isset: a permission
// is held when its key is there and not null, whatever the value.
func (r *phpOptional) permissions(user *php.Array) error {
	permissions := r.array(user.At("permissions"), place{list: "user.permissions", index: -1})
	if permissions == nil {
		return nil
	}
	if err := checkCount("user.permissions", len(permissions.Entries), r.limits.permissions, permissionsSetting); err != nil {
		return err
	}
	held := slices.Grow(r.token.Permissions, len(permissions.Entries))
	for i, entry := range permissions.Entries {
		if entry.Value == nil {
			continue
		}
		if name := r.shared(entry.Key.String(), place{list: "user.permissions", index: i}); name != "" {
			held = append(held, name)
		}
	}
	ownText(held)
	r.token.Permissions = sorted(held)
	return nil
}

// extensions reads the rows of user.extension. A row that lacks either half
// names no extension and is passed over.
func (r *phpOptional) extensions(user *php.Array) error {
	rows := r.array(user.At("extension"), place{list: "user.extension", index: -1})
	if rows == nil {
		return nil
	}
	if err := checkCount("user.extension", len(rows.Entries), r.limits.extensions, extensionsSetting); err != nil {
		return err
	}
	for i, entry := range rows.Entries {
		path := place{list: "user.extension", index: i}
		if entry.Value == nil {
			r.odd.unlike(path.String(), "array", "null")
		}
		row := r.array(entry.Value, path)
		number := r.shared(row.At("user"), place{"user.extension", i, ".user"})
		context := r.shared(row.At("user_context"), place{"user.extension", i, ".user_context"})
		if number != "" && context != "" {
			r.token.Extensions = append(r.token.Extensions, number+"@"+context)
		}
	}
	r.token.Extensions = distinct(r.token.Extensions)
	return nil
}

// array returns an array, or nil when the value is absent, null or odd.
func (r *phpOptional) array(value any, path place) *php.Array {
	switch value := value.(type) {
	case nil:
	case *php.Array:
		return value
	default:
		r.odd.unlike(path.String(), "array", php.TypeName(value))
	}
	return nil
}

// text returns a copy of a string, or "" when the value is absent, null or odd.
// The copy lets go of the file's text, which holds much that nobody needs.
func (r *phpOptional) text(value any, path place) string { return strings.Clone(r.shared(value, path)) }

// shared is text without a copy.
func (r *phpOptional) shared(value any, path place) string {
	switch value := value.(type) {
	case nil:
	case string:
		if utf8.ValidString(value) {
			return value
		}
		r.odd.unlike(path.String(), "a text in UTF-8", "other bytes")
	case int64:
		r.odd.number(path.String())
		return strconv.FormatInt(value, 10)
	default:
		r.odd.unlike(path.String(), "string", php.TypeName(value))
	}
	return ""
}

// ownText gives the names memory of their own, all of them one piece.
func ownText(names []string) {
	var all strings.Builder
	size := 0
	for _, name := range names {
		size += len(name)
	}
	all.Grow(size)
	for i, name := range names {
		begin := all.Len()
		all.WriteString(name)
		names[i] = all.String()[begin:]
	}
}

// place is where in a token file a value stands. It is spelled out only for a value that is odd.
type place struct {
	list  string
	index int    // in the list; -1: the value is the list itself
	field string // of the row, with a dot
}

// String returns the path as warnings and errors show it.
func (p place) String() string {
	if p.index < 0 {
		return p.list
	}
	return p.list + "." + strconv.Itoa(p.index) + p.field
}
