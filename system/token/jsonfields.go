package token

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jsonFields is the JSON token file as it is read. What restricts the token has
// one type; what grants something or describes the holder may be anything.
type jsonFields struct {
	Name        string           `json:"name"`
	Hash        string           `json:"hash"`
	IssuedAt    string           `json:"issued_at"`
	Limit       string           `json:"limit"`
	ClaimWithin string           `json:"claim_within"`
	Service     *documentService `json:"service"`

	Services    any `json:"services"`
	Permissions any `json:"permissions"`
	Domain      any `json:"domain"`
	User        any `json:"user"`
}

// token checks the document and makes a Token of it. What it reports never
// repeats a value: any of them may be the hash in the wrong place.
func (d *jsonFields) token(lim limits) (*Token, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	t := &Token{Kind: User, Name: d.Name, Hash: d.Hash}
	var err error
	if t.IssuedAt, err = time.Parse(time.RFC3339, d.IssuedAt); err != nil {
		return nil, fmt.Errorf("%w: issued_at: want a time as in RFC 3339", ErrMalformed)
	}
	if seconds := t.IssuedAt.Unix(); seconds < 0 || seconds > maxUnix {
		return nil, fmt.Errorf("%w: issued_at: want a time from 1970 to 9999", ErrMalformed)
	}
	if t.Limit, err = parseLimit("limit", d.Limit); err != nil {
		return nil, err
	}
	if t.ClaimWithin, err = parseLimit("claim_within", d.ClaimWithin); err != nil {
		return nil, err
	}
	if d.Service != nil {
		t.Kind, t.ServiceName, t.ServiceClass = Service, d.Service.Name, d.Service.Class
	}
	if err := d.optional(t, lim); err != nil {
		return nil, err
	}
	return t, nil
}

// check looks for what is missing or at odds.
func (d *jsonFields) check() error {
	switch {
	case d.Name == "":
		return missing("name")
	case d.Hash == "":
		return missing("hash")
	case d.IssuedAt == "":
		return missing("issued_at")
	case d.Service != nil && hasFields(d.User):
		return fmt.Errorf("%w: user and service exclude each other", ErrMalformed)
	case d.Service != nil && d.Service.Name == "":
		return missing("service.name")
	}
	return nil
}

// hasFields reports whether a value is an object with something in it. Anything else is no user.
func hasFields(value any) bool {
	object, ok := value.(map[string]any)
	return ok && len(object) > 0
}

// parseLimit reads a duration; "" means none.
func parseLimit(path, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	limit, err := time.ParseDuration(text)
	if err != nil || limit < 0 {
		return 0, fmt.Errorf(`%w: %s: want a duration of 0 or more, such as "30m"`, ErrMalformed, path)
	}
	return limit, nil
}

// optional reads the fields that grant something or describe the holder. One
// that is odd counts as empty, and an integer as its decimal text: the holder
// gets less, never more. A field that has no meaning is an error, since it may
// be a misspelled one.
func (d *jsonFields) optional(t *Token, lim limits) error {
	var odd oddities
	domain, err := jsonObject(&odd, d.Domain, "domain", "name", "uuid")
	if err != nil {
		return err
	}
	user, err := jsonObject(&odd, d.User, "user", "uuid", "name", "extensions")
	if err != nil {
		return err
	}
	t.DomainName = jsonText(&odd, domain["name"], "domain.name")
	t.DomainUUID = jsonText(&odd, domain["uuid"], "domain.uuid")
	t.UserName = jsonText(&odd, user["name"], "user.name")
	t.UserUUID = jsonText(&odd, user["uuid"], "user.uuid")
	if t.Services, err = jsonList(&odd, d.Services, "services", lim.services, servicesSetting); err != nil {
		return err
	}
	if t.Permissions, err = jsonList(&odd, d.Permissions, "permissions", lim.permissions, permissionsSetting); err != nil {
		return err
	}
	if t.Extensions, err = jsonList(&odd, user["extensions"], "user.extensions", lim.extensions, extensionsSetting); err != nil {
		return err
	}
	t.Services, t.Permissions, t.Extensions = distinct(t.Services), sorted(t.Permissions), distinct(t.Extensions)
	t.Odd = odd.fields
	return nil
}

// jsonObject returns the fields of an object, or nil when the value is absent,
// null or odd.
func jsonObject(odd *oddities, value any, path string, known ...string) (map[string]any, error) {
	if value == nil {
		return nil, nil
	}
	object, ok := value.(map[string]any)
	if !ok {
		odd.unlike(path, "an object", jsonTypeName(value))
		return nil, nil
	}
	for name := range object {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%w: unknown field %q", ErrMalformed, name)
		}
	}
	return object, nil
}

// jsonList returns the texts of an array, or nil when the value is absent, null
// or odd.
func jsonList(odd *oddities, value any, path string, most int, setting string) ([]string, error) {
	if value == nil {
		return nil, nil
	}
	array, ok := value.([]any)
	if !ok {
		odd.unlike(path, "an array", jsonTypeName(value))
		return nil, nil
	}
	if err := checkCount(path, len(array), most, setting); err != nil {
		return nil, err
	}
	var texts []string
	for i, element := range array {
		if text := jsonText(odd, element, path+"."+strconv.Itoa(i)); text != "" {
			texts = append(texts, text)
		}
	}
	return texts, nil
}

// jsonText returns a text, or "" when the value is absent, null or odd. An
// integer is written without a fraction and without an exponent.
func jsonText(odd *oddities, value any, path string) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case json.Number:
		if !strings.ContainsAny(value.String(), ".eE") {
			odd.number(path)
			return value.String()
		}
	}
	odd.unlike(path, "a string", jsonTypeName(value))
	return ""
}

// jsonTypeName returns the JSON word for what a value was read from.
func jsonTypeName(value any) string {
	switch value.(type) {
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}
