package token

import (
	"strconv"
	"strings"
	"time"

	"strowger/system/token/internal/php"
)

// encodePHP returns the token file FusionPBX would have written (protocol 4.5
// and 4.6).
func encodePHP(t *Token) []byte {
	if t.Kind == Service {
		return php.Print(phpServiceFile(t))
	}
	return php.Print(phpUserFile(t))
}

// phpUserFile lays out a user token.
func phpUserFile(t *Token) *php.Array {
	user := &php.Array{}
	user.Set("domain_uuid", t.DomainUUID)
	user.Set("domain_name", t.DomainName)
	user.Set("user_uuid", t.UserUUID)
	user.Set("username", t.UserName)
	user.Set("permissions", phpPermissionMap(t))
	if len(t.Extensions) > 0 {
		user.Set("extension", phpExtensionRows(t))
	}
	domain := &php.Array{}
	domain.Set("name", t.DomainName)
	domain.Set("uuid", t.DomainUUID)

	root := &php.Array{}
	root.Set("user", user)
	root.Set("options", &php.Array{})
	root.Set("services", phpList(t.Services))
	root.Set("token", phpCredentialMap(t))
	root.Set("domain", domain)
	return root
}

// phpServiceFile lays out a service token. What FusionPBX's own service tokens
// do not have is left out when empty.
func phpServiceFile(t *Token) *php.Array {
	root := &php.Array{}
	if len(t.Permissions) > 0 {
		user := &php.Array{}
		user.Set("permissions", phpPermissionMap(t))
		root.Set("user", user)
	}
	if len(t.Services) > 0 {
		root.Set("services", phpList(t.Services))
	}
	root.Set("token", phpCredentialMap(t))
	if t.DomainName+t.DomainUUID != "" {
		domain := &php.Array{}
		domain.Set("name", t.DomainName)
		domain.Set("uuid", t.DomainUUID)
		root.Set("domain", domain)
	}
	root.Set("service", true)
	root.Set("service_name", t.ServiceName)
	root.Set("service_class", t.ServiceClass)
	return root
}

func phpCredentialMap(t *Token) *php.Array {
	credentials := &php.Array{}
	credentials.Set("name", t.Name)
	credentials.Set("hash", t.Hash)
	credentials.Set("time", strconv.FormatInt(t.IssuedAt.Unix(), 10))
	credentials.Set("limit", int64(t.Limit/time.Minute))
	return credentials
}

func phpPermissionMap(t *Token) *php.Array {
	permissions := &php.Array{}
	for _, name := range t.Permissions {
		permissions.Append(php.TextKey(name), true)
	}
	return permissions
}

func phpExtensionRows(t *Token) *php.Array {
	rows := &php.Array{}
	for i, extension := range t.Extensions {
		number, context, _ := strings.Cut(extension, "@")
		row := &php.Array{}
		row.Set("user", number)
		row.Set("user_context", context)
		rows.Append(php.IntKey(int64(i)), row)
	}
	return rows
}

func phpList(texts []string) *php.Array {
	list := &php.Array{}
	for i, text := range texts {
		list.Append(php.IntKey(int64(i)), text)
	}
	return list
}
