package config

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/maps"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"strowger/config/policy"
)

// Options names the sources of a configuration. The zero value reads none,
// which leaves every key at its default.
type Options struct {
	// FusionPBX is the path of FusionPBX's config.conf, such as FindFusionPBX
	// returns; empty to use none. A file that is named must exist.
	FusionPBX string
	// File is the path of a YAML file; empty to use none. A file that is
	// named must exist.
	File string
	// Environ is the environment as name=value texts. Names that do not begin
	// with STROWGER_ are none of our business.
	Environ []string
	// IgnoreEnviron lists names in Environ that begin with STROWGER_ and yet
	// are no keys, such as one the caller uses to find the file.
	IgnoreEnviron []string
	// Flags is the parsed command line; nil to use none. Only flags that were
	// given count.
	Flags *pflag.FlagSet
	// FlagKeys maps the names of flags to keys. Flags it does not name are
	// not read, and it may name flags that are not in Flags.
	FlagKeys map[string]string
	// Settings, unless nil, reads FusionPBX's default settings from the database that cfg.FusionPBX names. It
	// is called once all other sources have been read and are right. Its error becomes SettingsProblem.
	Settings func(cfg *Config) (Settings, error)
}

// Load reads all sources, each overriding the one before: defaults, FusionPBX's file,
// FusionPBX's default settings, file, environment, flags. Every value must be right, also one that a later
// source replaces. On error it returns all problems at once, each an *Error,
// sorted by key and joined.
func Load(opts Options) (*Config, error) {
	l := newLoader()
	l.readFusionPBX(opts.FusionPBX)
	l.readFile(opts.File)
	l.readEnvironment(opts.Environ, opts.IgnoreEnviron)
	l.readFlags(opts.Flags, opts.FlagKeys)
	cfg, err := l.config()
	if err != nil || opts.Settings == nil || cfg.FusionPBX.File == "" {
		return cfg, err
	}
	// The settings are read last, because the other sources say how, and merged where they belong.
	list, problem := opts.Settings(cfg)
	l.readSettings(list)
	if cfg, err = l.config(); err == nil {
		cfg.SettingsProblem = problem
	}
	return cfg, err
}

// loader gathers values and problems while the sources are read in turn.
type loader struct {
	keys      map[string]key
	names     []string // of keys and sections, in the order of the table
	values    *koanf.Koanf
	fusionPBX FusionPBX
	policies  map[string]policy.Policy
	origins   map[string]origin // of values that are no defaults
	problems  []*Error
	warnings  []*Error
	settings  Settings
}

// origin is where a value was written.
type origin struct {
	source string
	line   int
}

// layer is what one source says: checked values by key, the way koanf takes them.
type layer map[string]any

// Read returns the values nested by section.
func (l layer) Read() (map[string]any, error) { return maps.Unflatten(l, "."), nil }

// ReadBytes returns an error: a layer has no textual form.
func (l layer) ReadBytes() ([]byte, error) {
	return nil, errors.New("a layer has no bytes")
}

func newLoader() *loader {
	l := &loader{
		keys:      map[string]key{},
		values:    koanf.New("."),
		fusionPBX: defaultFusionPBX(),
		origins:   map[string]origin{},
	}
	defaults := layer{}
	for _, k := range keys() {
		if section := k.section(); !slices.Contains(l.names, section) {
			l.names = append(l.names, section)
		}
		l.keys[k.name] = k
		l.names = append(l.names, k.name)
		defaults[k.name] = k.def
	}
	l.names = append(l.names, policiesKey)
	l.merge("", defaults)
	return l
}

// merge lays the values of one source over those of the sources before it.
func (l *loader) merge(source string, provider koanf.Provider) {
	if err := l.values.Load(provider, nil); err != nil {
		l.reject(origin{source: source}, "", err.Error())
	}
}

// accept notes where the value of a key was written, or what is wrong with
// it. It returns what koanf's callbacks want: no name for a value to leave out.
func (l *loader) accept(at origin, k key, value any, err error) (string, any) {
	if err != nil {
		l.reject(at, k.name, err.Error())
		return "", nil
	}
	l.origins[k.name] = at
	return k.name, value
}

func (l *loader) reject(at origin, name, msg string) {
	l.problems = append(l.problems, &Error{Source: at.source, Line: at.line, Key: clip(name), Msg: msg})
}

// config returns the configuration, or all problems found.
func (l *loader) config() (*Config, error) {
	cfg := &Config{}
	err := l.values.UnmarshalWithConf("", cfg, koanf.UnmarshalConf{
		DecoderConfig: &mapstructure.DecoderConfig{ErrorUnused: true},
	})
	if err != nil {
		return nil, fmt.Errorf("decode configuration: %w", err)
	}
	cfg.FusionPBX = l.fusionPBX
	cfg.Warnings = l.warnings
	cfg.Policies = l.policies
	cfg.Settings = l.settings
	cfg.origins = l.origins
	if _, chosen := l.origins["admin.address"]; !chosen {
		cfg.adminDefault = cfg.Admin.Address
	}
	for _, c := range cfg.conflicts() {
		if !l.rejected(c.keys...) {
			l.reject(l.originOf(c.keys), c.keys[0], c.msg)
		}
	}
	if len(l.problems) > 0 {
		return nil, join(l.problems)
	}
	return cfg, nil
}

// rejectUnknown reports a name that is none of the known ones. It stops
// looking for near ones when there are so many that the source is not ours.
func (l *loader) rejectUnknown(at origin, name, written string, known []string) {
	const suggestions = 100
	if len(l.problems) > suggestions {
		known = nil
	}
	l.reject(at, name, unknown(written, known))
}

// rejected tells whether one of the keys, or a whole source, has a problem
// already; what the keys have now is then not what was written.
func (l *loader) rejected(names ...string) bool {
	for _, problem := range l.problems {
		for _, name := range names {
			if problem.Key == name || problem.Key == "" {
				return true
			}
		}
	}
	return false
}

// originOf returns the origin of the first of the keys that is not a default.
func (l *loader) originOf(names []string) origin {
	for _, name := range names {
		if at, ok := l.origins[name]; ok {
			return at
		}
	}
	return origin{}
}
