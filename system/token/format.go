package token

import "fmt"

// Format is a format of token files.
//
// The PHP format is what FusionPBX writes: <?php return and an array as
// var_export prints it. It is parsed, never run.
//
// The JSON format is one object. Field names are lower case; unknown and
// repeated fields are refused, and so is anything after the object; null counts
// as absent. So does a value of the wrong type in services, permissions, domain
// and user, where an integer counts as its decimal text.
//
//	{
//	  "name": "6f1c...",                     as in the name of the file
//	  "hash": "90be...",                     the secret
//	  "issued_at": "2026-01-31T09:00:00Z",   RFC 3339
//	  "limit": "30m",                        a Go duration; absent or "0s": for ever
//	  "claim_within": "1m",                  how long it can be claimed; absent: as long as it is good
//	  "services": ["active.calls"],          what the holder is subscribed to
//	  "permissions": ["call_active_view"],
//	  "domain": {"name": "a.example.com", "uuid": "..."},
//	  "user": {"uuid": "...", "name": "alice", "extensions": ["1001@a.example.com"]}
//	}
//
// The token of a service has "service": {"name": "weather", "class": "..."} in
// place of "user". Required are name, hash and issued_at, and a service's name.
type Format uint8

// The formats of token files.
const (
	PHP  Format = iota + 1 // NAME.php, as FusionPBX writes it.
	JSON                   // NAME.json, for everyone else.
)

// ParseFormat returns the format called "php" or "json".
func ParseFormat(text string) (Format, error) {
	for _, format := range []Format{PHP, JSON} {
		if text == format.String() {
			return format, nil
		}
	}
	return 0, fmt.Errorf(`token format %q: want "php" or "json"`, text)
}

// String returns "php" or "json".
func (f Format) String() string {
	switch f {
	case PHP:
		return "php"
	case JSON:
		return "json"
	default:
		return fmt.Sprintf("format(%d)", uint8(f))
	}
}

// extension returns the end of the file's name.
func (f Format) extension() string { return "." + f.String() }

// decode reads the content of a file.
func (f Format) decode(data []byte, lim limits) (*Token, error) {
	if f == PHP {
		return decodePHP(data, lim)
	}
	return decodeJSON(data, lim)
}

// encode returns the content of the file for a token.
func (f Format) encode(t *Token) ([]byte, error) {
	if f == PHP {
		return encodePHP(t), nil
	}
	return encodeJSON(t)
}
