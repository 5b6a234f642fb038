package config

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// fieldTypes returns the type of every field of a configuration by its key.
func fieldTypes(config reflect.Type, prefix string, types map[string]reflect.Type) {
	for field := range config.Fields() {
		tag := field.Tag.Get("koanf")
		switch {
		case tag == "-":
		case field.Type.Kind() == reflect.Struct:
			fieldTypes(field.Type, prefix+tag+".", types)
		default:
			types[prefix+tag] = field.Type
		}
	}
}

func TestEveryFieldHasARowAndTheReverse(t *testing.T) {
	types := map[string]reflect.Type{}
	fieldTypes(reflect.TypeFor[Config](), "", types)
	if len(types) < 10 {
		t.Fatalf("found only %d fields", len(types))
	}
	for _, k := range keys() {
		field, ok := types[k.name]
		if !ok {
			t.Errorf("%s has a row and no field", k.name)
			continue
		}
		if row := reflect.TypeOf(k.def); row != field {
			t.Errorf("%s: default is %v, field is %v", k.name, row, field)
		}
		delete(types, k.name)
	}
	for name := range types {
		t.Errorf("%s has a field and no row", name)
	}
}

func TestRowsAreWellFormed(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+\.[a-z]+(_[a-z]+)*$`)
	seen := map[string]bool{}
	closed := map[string]bool{}
	section := ""
	for _, k := range keys() {
		if !name.MatchString(k.name) {
			t.Errorf("%s: not a section and a key", k.name)
		}
		if seen[k.name] {
			t.Errorf("%s: two rows", k.name)
		}
		seen[k.name] = true
		if k.section() != section {
			if closed[k.section()] {
				t.Errorf("%s: its section has rows further up", k.name)
			}
			closed[section] = true
			section = k.section()
		}
		if err := k.check(k.def); err != nil {
			t.Errorf("%s: default %v", k.name, err)
		}
		if !strings.HasSuffix(k.doc, ".") || strings.ContainsAny(k.doc, "\n\t") {
			t.Errorf("%s: meaning is not made of full sentences on one line: %q", k.name, k.doc)
		}
		if k.rule.text == "" {
			t.Errorf("%s: no text for what is allowed", k.name)
		}
	}
}

func TestWhatAReloadApplies(t *testing.T) {
	for _, k := range keys() {
		section := k.section()
		want := section == "limits" || section == "heartbeat" || section == "keepalive" || section == "routing" || section == "upgrade" || section == "jwt" || section == "apikeys" || section == "http" ||
			k.name == "listen.http" || strings.HasPrefix(k.name, "listen.compression") || k.name == "listen.origins" || k.name == "listen.client" || k.name == "log.level" ||
			k.name == "log.refusal_kinds" || k.name == "log.refusal_lines" || k.name == "cluster.inbound_bytes" || k.name == "cluster.visitors" || k.name == "cluster.wills" ||
			k.name == "tokens.waiting" || k.name == "tokens.tickets" || k.name == "tokens.ticket_bytes" || k.name == "tokens.ticket_count" || strings.HasPrefix(k.name, "tokens.resume_") || k.name == "tokens.reclaim" || k.name == "tokens.reclaim_count" || k.name == "shutdown.pace" || k.name == "services.dynamic"
		if got := k.apply == onReload; got != want {
			t.Errorf("%s: applied by a reload: %v, want %v", k.name, got, want)
		}
	}
}

func TestDefaultsAreWhatTheyShouldBe(t *testing.T) {
	cfg := Default()
	if cfg.Listen.Address != "127.0.0.1:8080" {
		t.Errorf("listen.address is %s", cfg.Listen.Address)
	}
	if cfg.Limits.ServiceBytes != 16<<20 {
		t.Errorf("limits.service_bytes is %d", cfg.Limits.ServiceBytes)
	}
	if cfg.Keepalive.IdleTimeout.Seconds() != 90 {
		t.Errorf("keepalive.idle_timeout is %v", cfg.Keepalive.IdleTimeout)
	}
	if cfg.Routing.UnsolicitedReplies || !cfg.Routing.RepliesWithoutResource {
		t.Errorf("routing is %+v", cfg.Routing)
	}
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
}

func TestDefaultsShareNothing(t *testing.T) {
	first := Default()
	first.Listen.Origins = append(first.Listen.Origins, "changed")
	first.Services.Classes = append(first.Services.Classes[:0], "changed")
	if second := Default(); len(second.Listen.Origins) != 0 || len(second.Services.Classes) != 0 {
		t.Errorf("a change shows in the next defaults: %+v", second)
	}
}
