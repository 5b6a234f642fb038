package dialect

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Tokens writes token files as FusionPBX writes them, or as strowger's own users do.
type Tokens struct {
	// Dir is the directory that the server reads.
	Dir string
	// JSON writes strowger's format in place of PHP's.
	JSON bool

	mu      sync.Mutex // protects written
	written []string
}

// Classes is how many permission classes there are.
const Classes = 10

// GuardedKey is the key of an event's data that permission number i guards; subscribers of class i
// lack just this one permission.
func GuardedKey(i int) string { return "guarded_" + strconv.Itoa(i) }

// Permission is the name of permission number i.
func Permission(i int) string { return "bench_" + strconv.Itoa(i) }

// Asking is the permission that everybody has, to ask the service inside strowger for the load.
const Asking = "system_view_cpu"

// Create writes a token file for the role; it is whole when Create returns.
func (t *Tokens) Create(role Role) (Ticket, error) {
	secret := make([]byte, 64)
	if _, err := rand.Read(secret); err != nil {
		return Ticket{}, err
	}
	ticket := Ticket{Name: hex.EncodeToString(secret[:32]), Hash: hex.EncodeToString(secret[32:])}
	content, suffix := phpToken(role, ticket), ".php"
	if t.JSON {
		content, suffix = jsonToken(role, ticket), ".json"
	}
	path := filepath.Join(t.Dir, ticket.Name+suffix)
	t.mu.Lock()
	t.written = append(t.written, path)
	t.mu.Unlock()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return Ticket{}, fmt.Errorf("write token: %w", err)
	}
	return ticket, nil
}

// Close removes the files of tokens that nobody used.
func (t *Tokens) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, path := range t.written {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove token: %w", err)
		}
	}
	return nil
}

// topics are what the role subscribes to.
func topics(role Role) []string {
	if role.Person != nil {
		return slices.Clone(role.Person.Services)
	}
	list := make([]string, 0, role.Spare+1)
	if role.Kind != Service {
		// The original cuts a caller off who is not subscribed to whom he asks.
		list = append(list, role.Topic)
	}
	for i := range role.Spare {
		list = append(list, role.spareName(i))
	}
	return list
}

func permissions(role Role) []string {
	if role.Person != nil {
		return slices.Clone(role.Person.Permissions)
	}
	var list []string
	for i := range Classes {
		if i != role.Class {
			list = append(list, Permission(i))
		}
	}
	return append(list, Asking)
}

func jsonToken(role Role, ticket Ticket) string {
	head := fmt.Sprintf(`{"name":%q,"hash":%q,"issued_at":%q,"claim_within":"1h",`, ticket.Name, ticket.Hash, time.Now().UTC().Format(time.RFC3339))
	if role.Kind == Service {
		return head + fmt.Sprintf(`"service":{"name":%q,"class":%q}}`, role.Topic, ServiceClass)
	}
	return head + fmt.Sprintf(`"services":[%s],"permissions":[%s],"domain":{"name":"a.example.com","uuid":"11111111-1111-4111-8111-111111111111"},`+
		`"user":{"uuid":"22222222-2222-4222-8222-222222222222","name":"bench"}}`, quoted(topics(role)), quoted(permissions(role)))
}

func quoted(list []string) string {
	for i := range list {
		list[i] = strconv.Quote(list[i])
	}
	return strings.Join(list, ",")
}

// phpToken is what PHP's var_export prints. Its limit would end the connection too, so there is none: Close
// removes the files that nobody has used.
func phpToken(role Role, ticket Ticket) string {
	token := fmt.Sprintf("  'token' => \n  array (\n    'name' => '%s',\n    'hash' => '%s',\n    'time' => '%d',\n    'limit' => 0,\n  ),\n",
		ticket.Name, ticket.Hash, time.Now().Unix())
	var b strings.Builder
	b.WriteString("<?php\nreturn array (\n")
	if role.Kind == Service {
		b.WriteString(token)
		fmt.Fprintf(&b, "  'service' => true,\n  'service_name' => '%s',\n  'service_class' => '%s',\n);\n", role.Topic, ServiceClass)
		return b.String()
	}
	b.WriteString("  'user' => \n  array (\n    'domain_uuid' => '11111111-1111-4111-8111-111111111111',\n    'domain_name' => '" + domain(role) + "',\n" +
		"    'user_uuid' => '22222222-2222-4222-8222-222222222222',\n    'username' => 'bench',\n    'contact_uuid' => NULL,\n")
	b.WriteString("    'permissions' => \n    array (\n")
	for _, name := range permissions(role) {
		fmt.Fprintf(&b, "      '%s' => true,\n", name)
	}
	b.WriteString("    ),\n    'user_context' => '" + domain(role) + "',\n  ),\n  'options' => \n  array (\n  ),\n  'services' => \n  array (\n")
	for i, topic := range topics(role) {
		fmt.Fprintf(&b, "    %d => '%s',\n", i, topic)
	}
	b.WriteString("  ),\n" + token)
	b.WriteString("  'domain' => \n  array (\n    'name' => '" + domain(role) + "',\n    'uuid' => '11111111-1111-4111-8111-111111111111',\n  ),\n);\n")
	return b.String()
}

// domain is the name of the domain that the role is of.
func domain(role Role) string {
	if role.Person != nil {
		return role.Person.Domain
	}
	return "a.example.com"
}
