package system

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"strowger/actors"
	"strowger/config"
	"strowger/transport"
)

// elsewhere are the reloadable keys that reach their user by another way than the limits and settings.
var elsewhere = map[string]string{
	"log.level":          "the program that owns the log follows it",
	"shutdown.pace":      "a stop reads it",
	"heartbeat.interval": "each beat reads it",
	"heartbeat.limit":    "each beat reads it",
	"tokens.waiting":     "the pools read it at each token",
	"upgrade.binary":     "the program that is upgraded reads it",
	"upgrade.timeout":    "an upgrade reads it",
	"upgrade.pause":      "an upgrade reads it",
	"services.dynamic":   "Add reads it",
}

// Each reloadable key must change one limit or setting, and no limit or setting may lack a key: a
// line that is missing in apply, or that copies another field, fails here.
func TestReloadableKeysReachTheirUsers(t *testing.T) {
	before := applied(t, config.Default())
	from := make(map[string]string) // the key of each limit and setting
	for _, change := range otherValues(t) {
		keys := config.Diff(config.Default(), change)
		if len(keys) != 1 {
			t.Fatalf("changed %v, want one key", keys)
		}
		key := keys[0]
		if _, other := elsewhere[key.Key]; other || !key.Reloadable || ofBearers(key.Key) {
			continue
		}
		changed := differences(before, applied(t, change))
		if len(changed) != 1 {
			t.Errorf("%s changes %v, want one limit or setting", key.Key, changed)
			continue
		}
		if had, again := from[changed[0]]; again {
			t.Errorf("%s changes %s, and so does %s", key.Key, changed[0], had)
		}
		from[changed[0]] = key.Key
	}
	for _, field := range fieldNames(before) {
		if from[field] == "" {
			t.Errorf("no key changes %s", field)
		}
	}
}

// ofBearers reports whether a key is about JWTs, API keys or tickets, which have options of their own.
func ofBearers(key string) bool {
	return strings.HasPrefix(key, "jwt.") || strings.HasPrefix(key, "apikeys.") || strings.HasPrefix(key, "tokens.ticket") && key != "tokens.ticket_key_file"
}

// Each of those keys changes one option, and each option that a key can change has one.
func TestKeysOfBearersReachTheirUsers(t *testing.T) {
	options := func(cfg *config.Config) map[string]any {
		all := make(map[string]any)
		j := JWTOptions(cfg)
		for part, v := range map[string]any{"jwt.": j, "jwt.Claims.": j.Claims, "apikeys.": keyOptions(cfg), "tokens.ticket": ticketBounds(cfg)} {
			fields := reflect.ValueOf(v)
			for i := range fields.NumField() {
				switch name := fields.Type().Field(i).Name; name {
				case "Claims", "Bounds", "Counters", "Now", "Log", "Go", "Transport": // no key changes these as a whole
				default:
					all[part+name] = fields.Field(i).Interface()
				}
			}
		}
		return all
	}
	before := options(config.Default())
	from := make(map[string]string)
	for _, cfg := range otherValues(t) {
		key := config.Diff(config.Default(), cfg)[0].Key
		if !ofBearers(key) {
			continue
		}
		var changed []string
		for name, value := range options(cfg) {
			if !reflect.DeepEqual(value, before[name]) {
				changed = append(changed, name)
			}
		}
		if len(changed) != 1 || from[changed[0]] != "" {
			t.Errorf("%s changes %v, want one option that no other key changes", key, changed)
			continue
		}
		from[changed[0]] = key
	}
	for name := range before {
		if from[name] == "" {
			t.Errorf("no key changes %s", name)
		}
	}
}

// A value must arrive as it is.
func TestReloadableValuesArriveWhole(t *testing.T) {
	cfg := config.Default()
	cfg.Keepalive = config.Keepalive{PingInterval: 3 * time.Second, IdleTimeout: 7 * time.Second, TCP: 11 * time.Second}
	cfg.Limits.WriteTimeout = 13 * time.Second
	cfg.Limits.OutboundBytes = 123456
	cfg.Routing.UnknownService = "404"
	got := applied(t, cfg)
	l := got.limits
	if l.PingInterval != 3*time.Second || l.IdleTimeout != 7*time.Second || l.TCPKeepAlive != 11*time.Second {
		t.Errorf("keepalive is %v, %v, %v", l.PingInterval, l.IdleTimeout, l.TCPKeepAlive)
	}
	if l.WriteTimeout != 13*time.Second || l.OutboundBytes != 123456 {
		t.Errorf("write timeout is %v, outbound bytes are %d", l.WriteTimeout, l.OutboundBytes)
	}
	if got.settings.UnknownService != 404 {
		t.Errorf("unknown service is %d", got.settings.UnknownService)
	}
}

// outcome is what a configuration comes to.
type outcome struct {
	limits   transport.Limits
	settings actors.Settings
}

func applied(t *testing.T, cfg *config.Config) outcome {
	t.Helper()
	s := new(System)
	if err := s.apply(cfg); err != nil {
		t.Fatal(err)
	}
	return outcome{*s.limits.Load(), *s.settings.Load()}
}

// differences returns the names of the fields in which two outcomes differ.
func differences(a, b outcome) []string {
	var names []string
	for _, name := range fieldNames(a) {
		// Policies hold pointers to compiled filters, which differ between two systems.
		if name == "settings.Policies" {
			if !samePolicies(a.settings.Policies, b.settings.Policies) {
				names = append(names, name)
			}
			continue
		}
		if !reflect.DeepEqual(field(a, name), field(b, name)) {
			names = append(names, name)
		}
	}
	return names
}

// samePolicies reports whether a service without a policy has the same filter under both.
func samePolicies(a, b *actors.Policies) bool {
	stranger := &actors.Peer{Identity: actors.Identity{Name: "stranger"}}
	return reflect.DeepEqual(a.Of(stranger), b.Of(stranger))
}

func fieldNames(o outcome) []string {
	var names []string
	for part, v := range map[string]reflect.Value{"limits": reflect.ValueOf(o.limits), "settings": reflect.ValueOf(o.settings)} {
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				names = append(names, part+"."+v.Type().Field(i).Name)
			}
		}
	}
	return names
}

func field(o outcome, name string) any {
	for part, v := range map[string]reflect.Value{"limits.": reflect.ValueOf(o.limits), "settings.": reflect.ValueOf(o.settings)} {
		if len(name) > len(part) && name[:len(part)] == part {
			return v.FieldByName(name[len(part):]).Interface()
		}
	}
	return nil
}

// otherValues returns, for each key, the default configuration with another value of that key.
func otherValues(t *testing.T) []*config.Config {
	t.Helper()
	var all []*config.Config
	sections := reflect.TypeFor[config.Config]()
	for i := range sections.NumField() {
		section := sections.Field(i)
		if section.Type.Kind() != reflect.Struct || section.Tag.Get("koanf") == "-" {
			continue
		}
		for k := range section.Type.NumField() {
			cfg := config.Default()
			name := section.Tag.Get("koanf") + "." + section.Type.Field(k).Tag.Get("koanf")
			set(t, name, reflect.ValueOf(cfg).Elem().Field(i).Field(k))
			all = append(all, cfg)
		}
	}
	return all
}

// words are values for the keys that take only some.
var words = map[string]string{
	"routing.unknown_service": "503",
	"routing.instances":       "failover",
	"routing.unanswered":      "504",
	"routing.default_policy":  "allow",
	"services.unknown_class":  "client",
	"log.level":               "debug",
	"log.format":              "json",
}

func set(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.String:
		word := words[name]
		if word == "" {
			word = fmt.Sprintf("other %s", v.String())
		}
		v.SetString(word)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.ValueOf("other").Convert(v.Type().Elem())))
	default:
		t.Fatalf("%s: no other value for a %s", name, v.Type())
	}
}
