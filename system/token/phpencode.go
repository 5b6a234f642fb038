package token

import (
	"strconv"
	"strings"
	"time"
)

// encodePHP returns the token file FusionPBX would have written (protocol 4.5
// and 4.6).
func encodePHP(t *Token) []byte {
	if t.Kind == Service {
		return printPHP(phpServiceFile(t))
	}
	return printPHP(phpUserFile(t))
}

// phpUserFile lays out a user token.
func phpUserFile(t *Token) *array {
	user := &array{}
	user.set("domain_uuid", t.DomainUUID)
	user.set("domain_name", t.DomainName)
	user.set("user_uuid", t.UserUUID)
	user.set("username", t.UserName)
	user.set("permissions", phpPermissionMap(t))
	if len(t.Extensions) > 0 {
		user.set("extension", phpExtensionRows(t))
	}
	domain := &array{}
	domain.set("name", t.DomainName)
	domain.set("uuid", t.DomainUUID)

	root := &array{}
	root.set("user", user)
	root.set("options", &array{})
	root.set("services", phpList(t.Services))
	root.set("token", phpCredentialMap(t))
	root.set("domain", domain)
	return root
}

// phpServiceFile lays out a service token. What FusionPBX's own service tokens
// do not have is left out when empty.
func phpServiceFile(t *Token) *array {
	root := &array{}
	if len(t.Permissions) > 0 {
		user := &array{}
		user.set("permissions", phpPermissionMap(t))
		root.set("user", user)
	}
	if len(t.Services) > 0 {
		root.set("services", phpList(t.Services))
	}
	root.set("token", phpCredentialMap(t))
	if t.DomainName+t.DomainUUID != "" {
		domain := &array{}
		domain.set("name", t.DomainName)
		domain.set("uuid", t.DomainUUID)
		root.set("domain", domain)
	}
	root.set("service", true)
	root.set("service_name", t.ServiceName)
	root.set("service_class", t.ServiceClass)
	return root
}

func phpCredentialMap(t *Token) *array {
	credentials := &array{}
	credentials.set("name", t.Name)
	credentials.set("hash", t.Hash)
	credentials.set("time", strconv.FormatInt(t.IssuedAt.Unix(), 10))
	credentials.set("limit", int64(t.Limit/time.Minute))
	return credentials
}

func phpPermissionMap(t *Token) *array {
	permissions := &array{}
	for _, name := range t.Permissions {
		permissions.append(textKey(name), true)
	}
	return permissions
}

func phpExtensionRows(t *Token) *array {
	rows := &array{}
	for i, extension := range t.Extensions {
		number, context, _ := strings.Cut(extension, "@")
		row := &array{}
		row.set("user", number)
		row.set("user_context", context)
		rows.append(intKey(int64(i)), row)
	}
	return rows
}

func phpList(texts []string) *array {
	list := &array{}
	for i, text := range texts {
		list.append(intKey(int64(i)), text)
	}
	return list
}
