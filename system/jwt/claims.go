package jwt

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Claims names the claim for each thing that a JWT can say. "" means that no claim says it. A dot leads into an object, unless
// the JWT has a claim of the whole name.
type Claims struct {
	UserUUID, UserName          string
	Permissions, Services       string
	DomainName, DomainUUID      string
	Extensions                  string
	ServiceName, ServiceClass   string
	AllPermissions, AllServices []string // granted to every client, whatever its JWT says
}

// Grant is what a JWT says about its holder.
type Grant struct {
	Issuer, Subject string
	ExpiresAt       time.Time // the leeway included

	Permissions []string // sorted, each once
	Services    []string // subscriptions, each once
	Extensions  []string // each once

	UserUUID, UserName     string
	DomainName, DomainUUID string

	ServiceName, ServiceClass string // of a service; ServiceName is empty for a client
}

// grant looks at the claims of a JWT that a key has signed.
func (v *Verifier) grant(k *key, claims object) (*Grant, error) {
	expires, err := v.inTime(claims)
	if err != nil {
		return nil, err
	}
	g := &Grant{ExpiresAt: expires}
	if g.Issuer, err = v.issuer(k, claims); err != nil {
		return nil, err
	}
	if err := v.audience(claims); err != nil {
		return nil, err
	}
	if g.Subject, err = claims.text("sub"); err != nil || g.Subject == "" {
		return nil, badClaim("", "sub", "is missing or no text")
	}
	r := &reader{claims: claims}
	c := &v.o.Claims
	g.UserUUID = r.text("jwt.user_uuid_claim", c.UserUUID)
	g.UserName = r.text("jwt.user_name_claim", c.UserName)
	g.DomainName = r.text("jwt.domain_name_claim", c.DomainName)
	g.DomainUUID = r.text("jwt.domain_uuid_claim", c.DomainUUID)
	g.ServiceName = r.text("jwt.service_name_claim", c.ServiceName)
	if g.ServiceName != "" {
		g.ServiceClass = r.text("jwt.service_class_claim", c.ServiceClass)
	}
	g.Permissions = r.list("jwt.permissions_claim", c.Permissions, "tokens.max_permissions", v.o.Bounds.Permissions)
	g.Services = r.list("jwt.services_claim", c.Services, "tokens.max_services", v.o.Bounds.Services)
	g.Extensions = r.list("jwt.extensions_claim", c.Extensions, "tokens.max_extensions", v.o.Bounds.Extensions)
	if r.err != nil {
		return nil, r.err
	}
	if g.ServiceName == "" {
		g.Permissions = append(g.Permissions, c.AllPermissions...)
		g.Services = once(append(g.Services, c.AllServices...))
	}
	slices.Sort(g.Permissions)
	g.Permissions = slices.Compact(g.Permissions)
	return g, nil
}

// inTime returns when a JWT expires, or an error if it is not good now.
func (v *Verifier) inTime(claims object) (time.Time, error) {
	now, leeway := v.o.Now(), v.o.Leeway
	expires, there, err := moment(claims, "exp")
	if err != nil {
		return time.Time{}, err
	}
	if !there {
		return time.Time{}, badClaim("", "exp", "is missing: a JWT must say when it expires")
	}
	for _, name := range []string{"nbf", "iat"} {
		begins, there, err := moment(claims, name)
		if err != nil {
			return time.Time{}, err
		}
		if there && now.Add(leeway).Before(begins) {
			return time.Time{}, fmt.Errorf("%w: %s is %s", ErrNotYet, name, begins.UTC().Format(time.RFC3339))
		}
	}
	if expires = expires.Add(leeway); !now.Before(expires) {
		return time.Time{}, fmt.Errorf("%w at %s", ErrExpired, expires.Add(-leeway).UTC().Format(time.RFC3339))
	}
	return expires, nil
}

// lastMoment is the end of the year 9999, the last one that can be written as RFC 3339 has it.
const lastMoment = 253402300799

// moment returns the time in a claim, which is in seconds since 1970.
func moment(claims object, name string) (at time.Time, there bool, err error) {
	value, there := claims[name]
	if !there {
		return time.Time{}, false, nil
	}
	number, ok := value.(json.Number)
	if !ok {
		return time.Time{}, false, badClaim("", name, "is no number of seconds since 1970")
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > lastMoment {
		return time.Time{}, false, badClaim("", name, "is no number of seconds since 1970 up to the year 9999")
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)), true, nil
}

// issuer returns who has made a JWT, or an error if it must not be the one.
func (v *Verifier) issuer(k *key, claims object) (string, error) {
	issuer, err := claims.text("iss")
	if err != nil {
		return "", badClaim("", "iss", "is no text")
	}
	accepted := v.o.Issuers
	if k.issuer != "" {
		accepted = []string{k.issuer}
	}
	if len(accepted) > 0 && !slices.Contains(accepted, issuer) {
		return "", fmt.Errorf("%w: %s", ErrIssuer, shown(issuer))
	}
	return issuer, nil
}

// audience returns an error if a JWT is not for this router. One with an audience is for nobody else (RFC 7519, 4.1.3).
func (v *Verifier) audience(claims object) error {
	value, there := claims["aud"]
	if !there && len(v.o.Audiences) == 0 {
		return nil
	}
	var list []any
	switch value := value.(type) {
	case string:
		list = []any{value}
	case []any:
		list = value
	}
	for _, one := range list {
		if text, ok := one.(string); ok && slices.Contains(v.o.Audiences, text) {
			return nil
		}
	}
	if len(list) == 0 {
		return fmt.Errorf("%w: it has none", ErrAudience)
	}
	return fmt.Errorf("%w: %s", ErrAudience, shown(fmt.Sprint(list[0])))
}

// reader reads claims by the names that the settings have for them, and keeps the first error.
type reader struct {
	claims object
	err    error
}

// find returns the value of a claim, nil if there is none.
func (r *reader) find(name string) any {
	if name == "" {
		return nil
	}
	if value, there := r.claims[name]; there {
		return value
	}
	o := r.claims
	for {
		first, rest, more := strings.Cut(name, ".")
		if !more {
			return o[first]
		}
		inner, ok := o[first].(object)
		if !ok {
			return nil
		}
		o, name = inner, rest
	}
}

func (r *reader) bad(setting, name, what string) {
	if r.err == nil {
		r.err = badClaim(setting, name, what)
	}
}

// text returns a claim that is a text.
func (r *reader) text(setting, name string) string {
	switch value := r.find(name).(type) {
	case nil:
	case string:
		return value
	default:
		r.bad(setting, name, "is no text")
	}
	return ""
}

// list returns a claim that is a list of texts, or one text with spaces between its words, as OAuth's scope has them.
func (r *reader) list(setting, name, bound string, most int) []string {
	var list []string
	switch value := r.find(name).(type) {
	case nil:
	case string:
		list = strings.Fields(value)
	case []any:
		for _, item := range value {
			text, ok := item.(string)
			if !ok || text == "" {
				r.bad(setting, name, "holds something else than texts")
				return nil
			}
			list = append(list, text)
		}
	default:
		r.bad(setting, name, "is neither a list of texts nor a text")
	}
	if len(list) > most {
		r.bad(bound, name, fmt.Sprintf("has more than %d entries, the bound of %s", most, bound))
		return nil
	}
	return once(list)
}

// once returns a list without what it has a second time.
func once(list []string) []string {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(list, func(text string) bool {
		again := seen[text]
		seen[text] = true
		return again
	})
}
