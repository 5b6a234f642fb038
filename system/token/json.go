package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// document is the JSON token file as it is written; Format says what each field means.
type document struct {
	Name        string           `json:"name"`
	Hash        string           `json:"hash"`
	IssuedAt    string           `json:"issued_at"`
	Limit       string           `json:"limit,omitempty"`
	ClaimWithin string           `json:"claim_within,omitempty"`
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
		return nil, lim.tooLarge(int64(len(data)))
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
	decoder.UseNumber()
	var doc *jsonFields
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, jsonReason(err))
	}
	if doc == nil {
		return nil, fmt.Errorf("%w: want an object, got null", ErrMalformed)
	}
	return doc.token(lim)
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
	if t.ClaimWithin > 0 {
		doc.ClaimWithin = t.ClaimWithin.String()
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
