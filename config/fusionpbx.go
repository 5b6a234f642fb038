package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// FusionPBX is what FusionPBX's own config.conf says about the machine. Where
// the file says nothing, or there is none, the fields have what FusionPBX
// itself then assumes.
type FusionPBX struct {
	// File is the path the values were read from; empty without a file.
	File string
	// EventSocket is where FreeSWITCH takes commands and sends events.
	EventSocket EventSocket
	// Database is FusionPBX's own database.
	Database Database
	// DocumentRoot is the directory of FusionPBX's pages.
	DocumentRoot string
}

// EventSocket is the address and the password of FreeSWITCH's event socket.
type EventSocket struct {
	Host     string
	Port     int
	Password Secret
}

// Database is how to reach a database. Empty texts and port 0 were not given.
type Database struct {
	Type     string
	Host     string
	Port     int
	Name     string
	Username string
	Password Secret
	SSLMode  string
}

// FindFusionPBX returns the first of the candidates that exists and is no
// directory, or an empty text. Without candidates it looks where FusionPBX
// itself does.
func FindFusionPBX(candidates ...string) string {
	if len(candidates) == 0 {
		candidates = []string{"/etc/fusionpbx/config.conf", "/usr/local/etc/fusionpbx/config.conf"}
	}
	for _, path := range candidates {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
	}
	return ""
}

func defaultFusionPBX() FusionPBX {
	return FusionPBX{
		EventSocket:  EventSocket{Host: "127.0.0.1", Port: 8021, Password: "ClueCon"},
		DocumentRoot: "/var/www/fusionpbx",
	}
}

// fusionPBXField is one value and the names it may have in the file, of which
// the first that is given counts.
type fusionPBXField struct {
	names []string
	value any // *string, *int for a port, or *Secret
}

func (f *FusionPBX) fields() []fusionPBXField {
	return []fusionPBXField{
		{[]string{"switch.event_socket.host", "event_socket.ip_address"}, &f.EventSocket.Host},
		{[]string{"switch.event_socket.port", "event_socket.port"}, &f.EventSocket.Port},
		{[]string{"switch.event_socket.password", "event_socket.password"}, &f.EventSocket.Password},
		{[]string{"database.0.type"}, &f.Database.Type},
		{[]string{"database.0.host"}, &f.Database.Host},
		{[]string{"database.0.port"}, &f.Database.Port},
		{[]string{"database.0.name"}, &f.Database.Name},
		{[]string{"database.0.username"}, &f.Database.Username},
		{[]string{"database.0.password"}, &f.Database.Password},
		{[]string{"database.0.sslmode"}, &f.Database.SSLMode},
		{[]string{"document.root"}, &f.DocumentRoot},
	}
}

// wantsConfigConf ends an error about a file that cannot be FusionPBX's.
const wantsConfigConf = "--fusionpbx takes FusionPBX's config.conf, which is /etc/fusionpbx/config.conf as a rule"

// readFusionPBX reads FusionPBX's config.conf; no path means no file.
func (l *loader) readFusionPBX(path string) {
	if path == "" {
		return
	}
	data, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		l.reject(origin{source: path}, "", err.Error())
		return
	}
	if err != nil {
		l.reject(origin{source: path}, "", err.Error()+"; "+wantsConfigConf)
		return
	}
	if isPHP(data) {
		l.reject(origin{source: path}, "", "is a PHP program, not FusionPBX's config.conf; "+wantsConfigConf)
		return
	}
	entries := l.readINI(path, data)
	known := func(name string) bool {
		_, there := entries[name]
		return there
	}
	if entries != nil && !hasKey(known) {
		l.warnings = append(l.warnings, &Error{Source: path, Msg: "has none of the settings of FusionPBX's config.conf; " + wantsConfigConf})
	}
	// The operator panel comes back with the token that it has used.
	l.origins[reclaimKey] = origin{source: "default with --fusionpbx"}
	l.merge(path, layer{reclaimKey: fusionPBXReclaim})
}

// isPHP tells whether the file begins as PHP programs do, such as the config.php of older FusionPBX.
func isPHP(data []byte) bool {
	start := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	return bytes.HasPrefix(start, []byte("<?")) || bytes.HasPrefix(start, []byte("#!"))
}

// readINI reads the text of FusionPBX's config.conf. The router works without the fields of FusionPBX, so that
// a value there that cannot be read is no more than a warning. It returns what is in the text, nil after an error.
func (l *loader) readINI(path string, data []byte) map[string]iniEntry {
	entries, problem := parseINI(data)
	if problem != nil {
		message := problem.Msg
		if !hasKey(func(name string) bool { return bytes.Contains(data, []byte(name)) }) {
			message += "; " + wantsConfigConf
		}
		l.reject(origin{path, problem.Line}, "", message)
		return nil
	}
	l.fusionPBX.File = path
	for _, field := range l.fusionPBX.fields() {
		name, entry, ok := firstGiven(entries, field.names)
		if !ok {
			continue
		}
		if err := field.set(entry); err != nil {
			l.warnings = append(l.warnings, &Error{Source: path, Line: entry.line, Key: name, Msg: err.Error()})
		}
	}
	l.readWebsocket(path, entries)
	return entries
}

// hasKey reports whether is holds for one of the keys that are read from FusionPBX's file.
func hasKey(is func(name string) bool) bool {
	names := []string{"websocket.host", "websocket.port"}
	for _, field := range new(FusionPBX).fields() {
		names = append(names, field.names...)
	}
	return slices.ContainsFunc(names, is)
}

// readWebsocket makes listen.address of where PHP services connect to.
func (l *loader) readWebsocket(path string, entries map[string]iniEntry) {
	k := l.keys["listen.address"]
	host, port, _ := cutPort(k.def.(string))
	hostName, hostEntry, hasHost := firstGiven(entries, []string{"websocket.host"})
	portName, portEntry, hasPort := firstGiven(entries, []string{"websocket.port"})
	if !hasHost && !hasPort {
		return
	}
	at := origin{path, max(hostEntry.line, portEntry.line)}
	if hasHost {
		if err := (fusionPBXField{value: &host}).set(hostEntry); err != nil {
			l.reject(origin{path, hostEntry.line}, hostName, err.Error())
			return
		}
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if hasPort {
		number := 0
		if err := (fusionPBXField{value: &number}).set(portEntry); err != nil {
			l.reject(origin{path, portEntry.line}, portName, err.Error())
			return
		}
		port = strconv.Itoa(number)
	}
	value, err := k.parse(net.JoinHostPort(host, port))
	if name, accepted := l.accept(at, k, value, err); name != "" {
		l.merge(path, layer{name: accepted})
	}
}

// firstGiven returns the first of the names that has a value.
func firstGiven(entries map[string]iniEntry, names []string) (string, iniEntry, bool) {
	for _, name := range names {
		if entry, ok := entries[name]; ok && (entry.value != "" || entry.err != nil) {
			return name, entry, true
		}
	}
	return "", iniEntry{}, false
}

// set stores the value of an entry in the field. Its errors never hold the
// value of a Secret.
func (f fusionPBXField) set(entry iniEntry) error {
	if entry.err != nil {
		return entry.err
	}
	if err := checkText(entry.value); err != nil {
		return err
	}
	switch field := f.value.(type) {
	case *string:
		*field = entry.value
	case *Secret:
		*field = Secret(entry.value)
	case *int:
		port, err := strconv.ParseUint(entry.value, 10, 16)
		if err != nil || port == 0 {
			return fmt.Errorf("%s is not a port number from 1 to 65535", quote(entry.value))
		}
		*field = int(port)
	default:
		return fmt.Errorf("no field has values of type %T", field)
	}
	return nil
}

// text returns the value itself, for comparing.
func (f fusionPBXField) text() string {
	switch field := f.value.(type) {
	case *string:
		return *field
	case *Secret:
		return string(*field)
	case *int:
		return strconv.Itoa(*field)
	}
	return ""
}

// format returns the value for printing.
func (f fusionPBXField) format() string {
	if secret, ok := f.value.(*Secret); ok {
		return secret.String()
	}
	return f.text()
}
