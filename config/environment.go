package config

import (
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
)

const environmentPrefix = "STROWGER_"

// readEnvironment takes limits.header_timeout from STROWGER_LIMITS__HEADER_TIMEOUT:
// keys have single underscores of their own, so a dot is two.
func (l *loader) readEnvironment(environ, ignore []string) {
	byVariable := map[string]key{}
	var variables []string
	for _, name := range l.names {
		if k, ok := l.keys[name]; ok {
			byVariable[variable(name)] = k
			variables = append(variables, variable(name))
		}
	}
	take := func(name, text string) (string, any) {
		at := origin{source: clip(name)}
		k, known := byVariable[name]
		if !known {
			if !slices.Contains(ignore, name) {
				l.rejectVariable(at, name, variables)
			}
			return "", nil
		}
		value, err := k.parse(text)
		return l.accept(at, k, value, err)
	}
	l.merge("environment", env.Provider(".", env.Opt{
		Prefix:        environmentPrefix,
		TransformFunc: take,
		EnvironFunc:   func() []string { return environ },
	}))
}

// rejectVariable reports a variable that sets no key, and says what to do.
func (l *loader) rejectVariable(at origin, name string, variables []string) {
	l.rejectUnknown(at, keyOf(name), name, variables)
	last := l.problems[len(l.problems)-1]
	if last.Msg == unknownKey {
		last.Msg += ", unset the variable: only keys may begin with " + environmentPrefix
	}
}

// variable returns the environment variable that sets a key.
func variable(name string) string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(name, ".", "__"))
}

// keyOf returns what a variable that sets no key was probably meant to set.
func keyOf(variable string) string {
	name := strings.TrimPrefix(variable, environmentPrefix)
	return strings.ToLower(strings.ReplaceAll(name, "__", "."))
}
