package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	shortestSecret = 16
	longestSecret  = 256
)

var clusterPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// clusterName allows what can be a part of a subject of NATS.
func clusterName() rule {
	return rule{text: "1 to 64 letters, digits, - and _", schema: patternSchema(clusterPattern.String()), check: func(value any) error {
		if !clusterPattern.MatchString(value.(string)) {
			return fmt.Errorf("%s is not made of 1 to 64 letters, digits, - and _", quote(value.(string)))
		}
		return nil
	}}
}

// shortText allows what fits into a line of a table.
func shortText() rule {
	const longest = 64
	return rule{text: "text of at most 64 characters", schema: schema{"type": "string", "maxLength": longest}, check: func(value any) error {
		if utf8.RuneCountInString(value.(string)) > longest {
			return fmt.Errorf("%s is longer than %d characters", quote(value.(string)), longest)
		}
		return nil
	}}
}

func sharedSecret() rule {
	return rule{text: "empty, or 16 to 256 characters", schema: schema{"type": "string"}, check: func(value any) error {
		if secret := value.(Secret); secret != "" {
			return CheckSharedSecret(secret)
		}
		return nil
	}}
}

// CheckSharedSecret returns an error unless nodes may share the secret. The error does not show it.
func CheckSharedSecret(secret Secret) error {
	switch n := len(secret); {
	case string(secret) == redacted:
		return errors.New("is what strowger shows in place of a secret")
	case n < shortestSecret:
		return fmt.Errorf("has %d characters, a secret has at least %d; openssl rand -hex 32 makes one", n, shortestSecret)
	case n > longestSecret:
		return fmt.Errorf("has %d characters, a secret has at most %d", n, longestSecret)
	case strings.ContainsFunc(string(secret), func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("has characters other than printable ASCII without spaces")
	}
	return nil
}

// routes allows addresses of other nodes, as cluster.listen has them or as NATS writes them.
func routes() rule {
	item := schema{"type": "string", "minLength": 1}
	return eachItem("list of host:port", item, func(item string) error { return checkServer(item, "nats-route", "nats") })
}

// servers allows addresses of NATS servers.
func servers() rule {
	item := schema{"type": "string", "minLength": 1}
	return eachItem("list of nats://host:port, tls://host:port or host:port", item, func(item string) error {
		return checkServer(item, "nats", "tls")
	})
}

// checkServer returns an error unless the text is host:port, alone or with one of the schemes.
func checkServer(text string, schemes ...string) error {
	address := text
	for _, scheme := range schemes {
		if bare, ok := strings.CutPrefix(text, scheme+"://"); ok {
			address = strings.TrimSuffix(bare, "/")
		}
	}
	if strings.Contains(address, "@") {
		// The text has a password, so it does not show.
		return errors.New("an item has a user or a password, which have keys of their own")
	}
	if scheme, _, found := strings.Cut(address, "://"); found {
		return fmt.Errorf("%s begins with %s://, write %s://host:port or host:port", quote(text), scheme, schemes[0])
	}
	if err := checkAddress(address); err != nil {
		return err
	}
	if host, port, _ := cutPort(address); host == "" || port == "0" {
		return fmt.Errorf("%s has no host and port to connect to", quote(text))
	}
	return nil
}

// conflicts returns which of the cluster's values do not go together.
func (c *Cluster) conflicts() []conflict {
	return append(c.busConflicts(), append(c.tlsConflicts(), c.credentialConflicts()...)...)
}

func (c *Cluster) busConflicts() []conflict {
	const listen, nats = "cluster.listen", "cluster.nats"
	var list []conflict
	if c.Listen != "" && len(c.NATS) > 0 {
		list = append(list, conflict{[]string{nats, listen}, "is set, and so is " + listen + ": nodes meet at an external NATS or at each other, not both"})
	}
	if c.Listen == "" && len(c.Routes) > 0 {
		list = append(list, conflict{[]string{listen, "cluster.routes"}, "is empty, cluster.routes needs it"})
	}
	secret := c.Secret != "" || c.SecretFile != ""
	if c.Secret != "" && c.SecretFile != "" {
		list = append(list, conflict{[]string{"cluster.secret", "cluster.secret_file"}, "is set, and so is cluster.secret_file: use one of them"})
	}
	if secret && c.Listen == "" {
		list = append(list, conflict{[]string{listen, "cluster.secret_file", "cluster.secret"}, "is empty, only nodes that listen share a secret"})
	}
	if c.Listen != "" && !secret && c.TLSCertificate == "" && !isLoopback(hostOf(c.Listen)) {
		msg := "is empty, and so is cluster.tls_certificate: other machines reach cluster.listen, so nodes must share a secret or show certificates"
		list = append(list, conflict{[]string{"cluster.secret_file", listen}, msg})
	}
	return list
}

func (c *Cluster) tlsConflicts() []conflict {
	const certificate, private, ca = "cluster.tls_certificate", "cluster.tls_key", "cluster.tls_ca"
	var list []conflict
	if c.TLSCertificate != "" && c.TLSKey == "" {
		list = append(list, conflict{[]string{private, certificate}, "is missing, " + certificate + " needs it"})
	}
	if c.TLSKey != "" && c.TLSCertificate == "" {
		list = append(list, conflict{[]string{certificate, private}, "is missing, " + private + " needs it"})
	}
	if c.Listen != "" && c.TLSCertificate != "" && c.TLSCA == "" {
		list = append(list, conflict{[]string{ca, certificate}, "is missing, nodes with certificates check those of others with it"})
	}
	if c.Listen != "" && c.TLSCA != "" && c.TLSCertificate == "" {
		list = append(list, conflict{[]string{certificate, ca}, "is missing, nodes with " + ca + " show each other certificates"})
	}
	return list
}

func (c *Cluster) credentialConflicts() []conflict {
	const user, password, nats = "cluster.user", "cluster.password_file", "cluster.nats"
	var list []conflict
	if c.User != "" && c.PasswordFile == "" {
		list = append(list, conflict{[]string{password, user}, "is missing, " + user + " needs it"})
	}
	if c.PasswordFile != "" && c.User == "" {
		list = append(list, conflict{[]string{user, password}, "is missing, " + password + " needs it"})
	}
	var ways []string
	for _, way := range []struct{ key, value string }{{user, c.User}, {"cluster.nkey_file", c.NKeyFile}, {"cluster.creds_file", c.CredsFile}} {
		if way.value != "" {
			ways = append(ways, way.key)
		}
	}
	if len(ways) > 1 {
		list = append(list, conflict{ways, "is set, and so is " + ways[1] + ": use one of them"})
	}
	if len(ways) > 0 && len(c.NATS) == 0 {
		list = append(list, conflict{[]string{nats, ways[0]}, "is empty, " + ways[0] + " is for an external NATS"})
	}
	return list
}

// hostOf returns the host of an address.
func hostOf(address string) string {
	host, _, _ := cutPort(address)
	return host
}

// NATSURLs returns the servers of cluster.nats as URLs.
func (c *Cluster) NATSURLs() []string { return urls(c.NATS, "nats") }

// RouteURLs returns cluster.routes as URLs.
func (c *Cluster) RouteURLs() []string { return urls(c.Routes, "nats-route") }

func urls(servers []string, scheme string) []string {
	list := make([]string, 0, len(servers))
	for _, server := range servers {
		if !strings.Contains(server, "://") {
			server = (&url.URL{Scheme: scheme, Host: server}).String()
		}
		list = append(list, strings.TrimSuffix(server, "/"))
	}
	return list
}
