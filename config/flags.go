package config

import (
	"github.com/knadh/koanf/providers/posflag"
	"github.com/spf13/pflag"
)

// readFlags takes the flags that were given and that set a key.
func (l *loader) readFlags(flags *pflag.FlagSet, flagKeys map[string]string) {
	if flags == nil {
		return
	}
	take := func(flag *pflag.Flag) (string, any) {
		name, mapped := flagKeys[flag.Name]
		if !mapped || !flag.Changed {
			return "", nil
		}
		at := origin{source: "--" + flag.Name}
		k, known := l.keys[name]
		if !known {
			l.rejectUnknown(at, name, name, l.names)
			return "", nil
		}
		value, err := parseFlag(k, flag.Value)
		return l.accept(at, k, value, err)
	}
	l.merge("flags", posflag.ProviderWithFlag(flags, ".", nil, take))
}

// parseFlag reads a flag by its text, so that its values obey the same rules
// as those of a file; the text of a flag with several values is not made to
// be read back, so those are taken one by one.
func parseFlag(k key, value pflag.Value) (any, error) {
	if list, ok := value.(pflag.SliceValue); ok {
		return k.parseList(list.GetSlice())
	}
	return k.parse(value.String())
}
