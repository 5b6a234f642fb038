package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// rule is what a value must satisfy besides being of the right type.
type rule struct {
	text   string // what is allowed, for the documentation
	schema schema // what of it a JSON Schema can say
	check  func(value any) error
}

// between allows the numbers from lowest to highest, both included.
func between[T int | Size | time.Duration](lowest, highest T) rule {
	return rule{
		text:   format(lowest) + " to " + format(highest),
		schema: numberSchema(lowest, highest),
		check: func(value any) error {
			number := value.(T)
			if cmp.Less(number, lowest) {
				return fmt.Errorf("%s is too small, the smallest is %s", format(number), format(lowest))
			}
			if cmp.Less(highest, number) {
				return fmt.Errorf("%s is too large, the largest is %s", format(number), format(highest))
			}
			return nil
		},
	}
}

// zeroOr allows a duration of zero besides what the rule allows.
func zeroOr(r rule) rule {
	return rule{
		text:   "0s, or " + r.text,
		schema: r.schema,
		check: func(value any) error {
			if value.(time.Duration) == 0 {
				return nil
			}
			return r.check(value)
		},
	}
}

// oneOf allows the given words.
func oneOf(words ...string) rule {
	text := strings.Join(words, ", ")
	return rule{
		text:   text,
		schema: wordSchema(words),
		check: func(value any) error {
			if slices.Contains(words, value.(string)) {
				return nil
			}
			return fmt.Errorf("%s is not one of %s", quote(value.(string)), text)
		},
	}
}

func anyText() rule {
	return rule{text: "text", schema: schema{"type": "string"}, check: func(any) error { return nil }}
}

func anyBool() rule {
	return rule{text: "true, false", schema: schema{"type": "boolean"}, check: func(any) error { return nil }}
}

func address() rule {
	return rule{text: "host:port", schema: patternSchema(`^.*:[0-9]+$`), check: func(value any) error {
		return checkAddress(value.(string))
	}}
}

// orEmpty allows an empty text besides what the rule allows.
func orEmpty(r rule) rule {
	orEmpty := schema{"anyOf": []schema{{"const": ""}, r.schema}}
	return rule{text: "empty, or " + r.text, schema: orEmpty, check: func(value any) error {
		if value.(string) == "" {
			return nil
		}
		return r.check(value)
	}}
}

// hashForm is how strowger admin password writes a hash: parameters, salt and key.
var hashForm = regexp.MustCompile(`^\$argon2id\$v=19\$m=[0-9]{1,7},t=[0-9]{1,2},p=[0-9]{1,2}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$`)

func passwordHash() rule {
	return rule{text: "a line that strowger admin password has printed", schema: patternSchema(hashForm.String()), check: func(value any) error {
		if !hashForm.MatchString(value.(string)) {
			return errors.New("it is no line that strowger admin password has printed")
		}
		return nil
	}}
}

func directory() rule {
	return rule{text: "absolute path", schema: patternSchema(`^(/|[A-Za-z]:[\\/]|\\\\|$)`), check: func(value any) error {
		path := value.(string)
		if path != "" && !filepath.IsAbs(path) {
			return fmt.Errorf("%s is not an absolute path", quote(path))
		}
		return nil
	}}
}

func origins() rule {
	return eachItem("list of host names, origins or *", schema{"type": "string", "minLength": 1}, checkOrigin)
}

func texts() rule {
	return eachItem("list of texts", schema{"type": "string", "minLength": 1}, func(string) error { return nil })
}

// keyFilePattern is what an entry of jwt.keys looks like.
var keyFilePattern = regexp.MustCompile(`^(?:(?:HS|RS|ES)(?:256|384|512)|EdDSA) .*\S$`)

func keyFiles() rule {
	return eachItem("list of algorithms with paths", patternSchema(keyFilePattern.String()), func(item string) error {
		alg, path, _ := strings.Cut(item, " ")
		if !keyFilePattern.MatchString(item) {
			return fmt.Errorf("%s is not an algorithm, a space and a path, such as RS256 /etc/strowger/issuer.pem", quote(item))
		}
		if !filepath.IsAbs(strings.TrimSpace(path)) {
			return fmt.Errorf("%s: %s is not an absolute path", alg, quote(path))
		}
		return nil
	})
}

func keySets() rule {
	return eachItem("list of URLs, each with or without an issuer", patternSchema(`^(\S+ )?https?://\S+$`), func(item string) error {
		_, text, ok := strings.Cut(item, " ")
		if !ok {
			text = item
		}
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Host == "" || strings.Contains(text, " "):
			return fmt.Errorf("%s is not a URL, nor an issuer, a space and a URL", quote(item))
		case u.User != nil:
			return fmt.Errorf("%s has a user in it", quote(u.Redacted()))
		case u.Scheme == "http" && !isLoopback(u.Hostname()):
			return fmt.Errorf("%s is not https: whoever is on the way could send keys", quote(text))
		case u.Scheme != "https" && u.Scheme != "http":
			return fmt.Errorf("%s is not an https URL", quote(text))
		}
		return nil
	})
}

func collector() rule {
	return rule{text: "URL", schema: patternSchema(`^https?://[^/\s]+/\S*$`), check: func(value any) error {
		text := value.(string)
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			return fmt.Errorf("%s is not an http or https URL", quote(text))
		case u.User != nil:
			return fmt.Errorf("%s has a user in it", quote(u.Redacted()))
		case u.Path == "":
			return fmt.Errorf("%s has no path: collectors take traces at /v1/traces", quote(text))
		}
		return nil
	}}
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

func networks() rule {
	return eachItem("list of IP addresses and networks", patternSchema(`^[0-9A-Fa-f.:]+.*$`), func(item string) error {
		if _, err := netip.ParseAddr(item); err == nil {
			return nil
		}
		if _, err := netip.ParsePrefix(item); err != nil {
			return fmt.Errorf("%s is neither an IP address nor a network such as 10.0.0.0/8", quote(item))
		}
		return nil
	})
}

var (
	ownerPattern = regexp.MustCompile(`^(?:[0-9]+|[A-Za-z_][A-Za-z0-9_.@-]*\$?)$`)
	classPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(?:\\[A-Za-z_][A-Za-z0-9_]*)*$`)
	hostPattern  = regexp.MustCompile(`^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)
)

func owners() rule {
	return eachItem("list of users", schema{"type": []string{"string", "integer"}, "pattern": ownerPattern.String()}, func(item string) error {
		if !ownerPattern.MatchString(item) {
			return fmt.Errorf("%s is neither a user name nor a number", quote(item))
		}
		if _, err := strconv.ParseUint(item, 10, 32); err != nil && item[0] <= '9' {
			return fmt.Errorf("%s is too large for a user number", quote(item))
		}
		return nil
	})
}

func classes() rule {
	return eachItem("list of class names", patternSchema(classPattern.String()), func(item string) error {
		if !classPattern.MatchString(item) {
			return fmt.Errorf("%s is not a PHP class name", quote(item))
		}
		return nil
	})
}

func healthRequests() rule {
	return eachItem("list of names with topics", patternSchema(`^\S+ \S+$`), func(item string) error {
		if name, topic, _ := strings.Cut(item, " "); name == "" || topic == "" || strings.ContainsFunc(name+topic, unicode.IsSpace) {
			return fmt.Errorf("%s is not the name of a service, a space and a topic, such as weather ping", quote(item))
		}
		return nil
	})
}

// eachItem allows the lists of which check allows every item.
func eachItem(text string, item schema, check func(item string) error) rule {
	return rule{text: text, schema: schema{"type": "array", "items": item}, check: func(value any) error {
		var wrong []string
		for _, item := range value.([]string) {
			if err := check(item); err != nil {
				wrong = append(wrong, err.Error())
			}
		}
		if wrong == nil {
			return nil
		}
		return errors.New(strings.Join(wrong, "; "))
	}}
}

func checkAddress(text string) error {
	host, port, ok := cutPort(text)
	if !ok {
		return fmt.Errorf("%s is not host:port, write it like 127.0.0.1:8080 or [::1]:8080", quote(text))
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(number, 10) != port {
		return fmt.Errorf("%s has no port number from 0 to 65535", quote(text))
	}
	if host != "" && !isHost(host) {
		return fmt.Errorf("%s is neither a host name nor an IP address", quote(host))
	}
	return nil
}

// cutPort splits host:port; an IPv6 address must stand in brackets.
func cutPort(text string) (host, port string, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return "", "", false
	}
	host, port = text[:i], text[i+1:]
	if inner, found := strings.CutPrefix(host, "["); found {
		inner, found = strings.CutSuffix(inner, "]")
		return inner, port, found && strings.Contains(inner, ":")
	}
	return host, port, !strings.Contains(host, ":")
}

func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return len(host) <= 253 && hostPattern.MatchString(host)
}

func checkOrigin(text string) error {
	// A page in a file has one of these as its origin, depending on the browser.
	if text == "*" || text == "null" || text == "file://" || isHost(text) {
		return nil
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		return fmt.Errorf("%s is not in ASCII, write the name as browsers send it, with xn--", quote(text))
	}
	if strings.Contains(text, "*") {
		return fmt.Errorf("%s has a *, which can only stand alone", quote(text))
	}
	origin, err := url.Parse(text)
	if err != nil || origin.Scheme == "" || !isHost(origin.Hostname()) {
		return fmt.Errorf("%s is neither a host name nor an origin such as https://pbx.example.com", quote(text))
	}
	_, err = strconv.ParseUint(origin.Port(), 10, 16)
	if err != nil && (origin.Port() != "" || strings.HasSuffix(origin.Host, ":")) {
		return fmt.Errorf("%s has no port number from 0 to 65535", quote(text))
	}
	if bare := origin.Scheme + "://" + origin.Host; !strings.EqualFold(text, bare) {
		return fmt.Errorf("%s has more than scheme, host and port, write %s", quote(text), bare)
	}
	return nil
}
