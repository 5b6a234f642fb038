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
	services := r.array(root.At("services"), "services")
	if services == nil {
		return nil
	}
	if err := checkCount("services", len(services.Entries), r.limits.services, servicesSetting); err != nil {
		return err
	}
	for i, entry := range services.Entries {
		path := "services." + strconv.Itoa(i)
		if entry.Value == nil {
			r.odd.unlike(path, "string", "null")
		}
		r.token.Services = append(r.token.Services, r.text(entry.Value, path))
	}
	r.token.Services = distinct(r.token.Services)
	return nil
}

// domain reads domain{name,uuid}: the domain chosen in the session, which a
// user may have switched away from the home domain (protocol 4.9).
func (r *phpOptional) domain(root *php.Array) {
	domain := r.array(root.At("domain"), "domain")
	r.token.DomainName = r.text(domain.At("name"), "domain.name")
	r.token.DomainUUID = r.text(domain.At("uuid"), "domain.uuid")
}

// user reads the copy of the session's user.
func (r *phpOptional) user(root *php.Array) error {
	user := r.array(root.At("user"), "user")
	r.token.UserUUID = r.text(user.At("user_uuid"), "user.user_uuid")
	r.token.UserName = r.text(user.At("username"), "user.username")
	if err := r.permissions(user); err != nil {
		return err
	}
	return r.extensions(user)
}

// permissions reads user.permissions. FusionPBX asks with isset: a permission
// is held when its key is there and not null, whatever the value.
func (r *phpOptional) permissions(user *php.Array) error {
	permissions := r.array(user.At("permissions"), "user.permissions")
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
		if name := r.text(entry.Key.String(), "user.permissions."+strconv.Itoa(i)); name != "" {
			held = append(held, name)
		}
	}
	r.token.Permissions = sorted(held)
	return nil
}

// extensions reads the rows of user.extension. A row that lacks either half
// names no extension and is passed over.
func (r *phpOptional) extensions(user *php.Array) error {
	rows := r.array(user.At("extension"), "user.extension")
	if rows == nil {
		return nil
	}
	if err := checkCount("user.extension", len(rows.Entries), r.limits.extensions, extensionsSetting); err != nil {
		return err
	}
	for i, entry := range rows.Entries {
		path := "user.extension." + strconv.Itoa(i)
		if entry.Value == nil {
			r.odd.unlike(path, "array", "null")
		}
		row := r.array(entry.Value, path)
		number := r.text(row.At("user"), path+".user")
		context := r.text(row.At("user_context"), path+".user_context")
		if number != "" && context != "" {
			r.token.Extensions = append(r.token.Extensions, number+"@"+context)
		}
	}
	r.token.Extensions = distinct(r.token.Extensions)
	return nil
}

// array returns an array, or nil when the value is absent, null or odd.
func (r *phpOptional) array(value any, path string) *php.Array {
	switch value := value.(type) {
	case nil:
	case *php.Array:
		return value
	default:
		r.odd.unlike(path, "array", php.TypeName(value))
	}
	return nil
}

// text returns a copy of a string, or "" when the value is absent, null or odd.
// The copy lets go of the file's text, which holds much that nobody needs.
func (r *phpOptional) text(value any, path string) string {
	switch value := value.(type) {
	case nil:
	case string:
		if utf8.ValidString(value) {
			return strings.Clone(value)
		}
		r.odd.unlike(path, "a text in UTF-8", "other bytes")
	case int64:
		r.odd.number(path)
		return strconv.FormatInt(value, 10)
	default:
		r.odd.unlike(path, "string", php.TypeName(value))
	}
	return ""
}
