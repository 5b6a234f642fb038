package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// document is the JSON token file; Format says what each field means.
type document struct {
	Name        string           `json:"name"`
	Hash        string           `json:"hash"`
	IssuedAt    string           `json:"issued_at"`
	Limit       string           `json:"limit,omitempty"`
	Services    []string         `json:"services,omitempty"`
	Permissions []string         `json:"permissions,omitempty"`
	Domain      *documentDomain  `json:"domain,omitempty"`
	User        *documentUser    `json:"user,omitempty"`
	Service     *documentService `json:"service,omitempty"`
}

type documentDomain struct {
	Name string `json:"name,omitempty"`
	UUID string `json:"uuid,omitempty"`
}

type documentUser struct {
	UUID       string   `json:"uuid,omitempty"`
	Name       string   `json:"name,omitempty"`
	Extensions []string `json:"extensions,omitempty"`
}

type documentService struct {
	Name  string `json:"name"`
	Class string `json:"class,omitempty"`
}

// decodeJSON reads a JSON token file.
func decodeJSON(data []byte, lim limits) (*Token, error) {
	if int64(len(data)) > lim.bytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d allowed", ErrMalformed, len(data), lim.bytes)
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%w: not valid UTF-8", ErrMalformed)
	}
	if err := checkSyntax(data); err != nil {
		return nil, err
	}
	if err := checkKeys(data, lim.depth); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var doc *document
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, jsonReason(err))
	}
	if doc == nil {
		return nil, fmt.Errorf("%w: want an object, got null", ErrMalformed)
	}
	return doc.token(lim)
}

// token checks the document and makes a Token of it. What it reports never
// repeats a value: any of them may be the hash in the wrong place.
func (d *document) token(lim limits) (*Token, error) {
	if err := d.check(lim); err != nil {
		return nil, err
	}
	t := &Token{
		Kind:        User,
		Name:        d.Name,
		Hash:        d.Hash,
		Services:    distinct(d.Services),
		Permissions: sorted(d.Permissions),
	}
	var err error
	if t.IssuedAt, err = time.Parse(time.RFC3339, d.IssuedAt); err != nil {
		return nil, fmt.Errorf("%w: issued_at: want a time as in RFC 3339", ErrMalformed)
	}
	if seconds := t.IssuedAt.Unix(); seconds < 0 || seconds > maxUnix {
		return nil, fmt.Errorf("%w: issued_at: want a time from 1970 to 9999", ErrMalformed)
	}
	if t.Limit, err = parseLimit(d.Limit); err != nil {
		return nil, err
	}
	if d.Domain != nil {
		t.DomainName, t.DomainUUID = d.Domain.Name, d.Domain.UUID
	}
	if d.User != nil {
		t.UserUUID, t.UserName, t.Extensions = d.User.UUID, d.User.Name, distinct(d.User.Extensions)
	}
	if d.Service != nil {
		t.Kind, t.ServiceName, t.ServiceClass = Service, d.Service.Name, d.Service.Class
	}
	return t, nil
}

// check looks for what is missing, too much, or at odds.
func (d *document) check(lim limits) error {
	switch {
	case d.Name == "":
		return missing("name")
	case d.Hash == "":
		return missing("hash")
	case d.IssuedAt == "":
		return missing("issued_at")
	case d.User != nil && d.Service != nil:
		return fmt.Errorf("%w: user and service exclude each other", ErrMalformed)
	case d.Service != nil && d.Service.Name == "":
		return missing("service.name")
	}
	if err := checkCount("services", len(d.Services), lim.services); err != nil {
		return err
	}
	if d.User != nil {
		if err := checkCount("user.extensions", len(d.User.Extensions), lim.extensions); err != nil {
			return err
		}
	}
	return checkCount("permissions", len(d.Permissions), lim.permissions)
}

// parseLimit reads the limit; "" means none.
func parseLimit(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	limit, err := time.ParseDuration(text)
	if err != nil || limit < 0 {
		return 0, fmt.Errorf(`%w: limit: want a duration of 0 or more, such as "30m"`, ErrMalformed)
	}
	return limit, nil
}

// encodeJSON returns the JSON token file of a token.
func encodeJSON(t *Token) ([]byte, error) {
	doc := &document{
		Name:        t.Name,
		Hash:        t.Hash,
		IssuedAt:    t.IssuedAt.UTC().Format(time.RFC3339),
		Services:    t.Services,
		Permissions: t.Permissions,
	}
	if t.Limit > 0 {
		doc.Limit = t.Limit.String()
	}
	if t.DomainName+t.DomainUUID != "" {
		doc.Domain = &documentDomain{Name: t.DomainName, UUID: t.DomainUUID}
	}
	if t.Kind == Service {
		doc.Service = &documentService{Name: t.ServiceName, Class: t.ServiceClass}
	} else {
		doc.User = &documentUser{UUID: t.UserUUID, Name: t.UserName, Extensions: t.Extensions}
	}
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode token: %w", err)
	}
	return append(data, '\n'), nil
}
