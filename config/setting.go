package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setting is one of FusionPBX's default settings, as its database has it.
type Setting struct {
	Category    string
	Subcategory string
	Type        string // text, numeric, boolean, array and others
	Value       string
}

// Settings are FusionPBX's default settings. Of several with the same name the last one counts.
type Settings []Setting

// Get returns the value of a setting.
func (s Settings) Get(category, subcategory string) (value string, given bool) {
	for _, setting := range slices.Backward(s) {
		if setting.Category == category && setting.Subcategory == subcategory {
			return setting.Value, true
		}
	}
	return "", false
}

// settingsTable is where FusionPBX has its settings, for messages.
const settingsTable = "v_default_settings"

// settingKey is a key of ours whose value may come from a default setting.
type settingKey struct {
	key, category, subcategory string
	parse                      func(text string) (any, error)
}

// settingKeys returns the keys that take their value from one setting. listen.address has two of them.
func settingKeys() []settingKey {
	return []settingKey{
		{"dashboard.cpu_interval", "system", "cpu_status_refresh_interval", parseSeconds},
		{"dashboard.network_interval", "system", "network_status_refresh_interval", parseSeconds},
		{"panel.agent_stats_interval", "operator_panel", "agent_stats_interval", parseSecondsOrNever},
		{"dashboard.network_interface", "system", "network_interface", func(text string) (any, error) { return text, nil }},
	}
}

// parseSeconds reads a whole number of seconds. FusionPBX takes less than one for one.
func parseSeconds(text string) (any, error) {
	seconds, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || seconds > int(time.Hour/time.Second)*24 {
		return nil, fmt.Errorf("%s is no number of seconds", quote(text))
	}
	return time.Duration(max(seconds, 1)) * time.Second, nil
}

// parseSecondsOrNever is parseSeconds, but less than one is never.
func parseSecondsOrNever(text string) (any, error) {
	if seconds, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && seconds < 1 {
		return time.Duration(0), nil
	}
	return parseSeconds(text)
}

// readSettings takes FusionPBX's default settings. They count more than config.conf and less than every other
// source, so a key that another source has set keeps its value. A value that is wrong is a warning: whoever
// changes a row of FusionPBX's table must not keep the router from starting.
func (l *loader) readSettings(list Settings) {
	l.settings = list
	values := layer{}
	for _, s := range settingKeys() {
		text, given := list.Get(s.category, s.subcategory)
		if !given || l.stronger(s.key) {
			continue
		}
		k := l.keys[s.key]
		value, err := s.parse(text)
		if err == nil {
			err = k.check(value)
		}
		l.take(values, k, value, err, s.category+"/"+s.subcategory)
	}
	l.readBind(list, values)
	l.merge(settingsTable, values)
}

// readBind makes listen.address of where FusionPBX's own router listens.
func (l *loader) readBind(list Settings, values layer) {
	const category, host, port = "websocket_server", "bind_ip_address", "bind_port"
	newHost, hasHost := list.Get(category, host)
	newPort, hasPort := list.Get(category, port)
	if !hasHost && !hasPort || l.stronger("listen.address") {
		return
	}
	k := l.keys["listen.address"]
	oldHost, oldPort, _ := cutPort(l.values.String(k.name))
	names := make([]string, 0, 2)
	if hasHost {
		oldHost = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(newHost), "["), "]")
		names = append(names, category+"/"+host)
	}
	if hasPort {
		oldPort = strings.TrimSpace(newPort)
		names = append(names, category+"/"+port)
	}
	var value any
	err := errors.New("0 is no port that services could connect to")
	if oldPort != "0" {
		value, err = k.parse(net.JoinHostPort(oldHost, oldPort))
	}
	l.take(values, k, value, err, strings.Join(names, ", "))
}

// take notes the value of a key, or why it has none.
func (l *loader) take(values layer, k key, value any, err error, names string) {
	if err != nil {
		l.warnings = append(l.warnings, &Error{Source: settingsTable, Key: names, Msg: err.Error()})
		return
	}
	values[k.name] = value
	l.origins[k.name] = origin{source: settingsTable + " " + names}
}

// stronger tells whether a key has its value from a source that counts more than the default settings.
func (l *loader) stronger(name string) bool {
	at, chosen := l.origins[name]
	return chosen && at.source != l.fusionPBX.File
}
