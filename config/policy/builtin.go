package policy

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

//go:embed builtin.yaml
var builtin string

// BuiltinYAML returns the policies of FusionPBX's four services as they stand in the sources, with
// their comments.
func BuiltinYAML() string { return builtin }

// Builtin returns the policies of FusionPBX's four services by class of service. Each call makes
// new ones.
func Builtin() (map[string]Policy, error) {
	policies, err := Parse([]byte(builtin))
	if err != nil {
		return nil, fmt.Errorf("read builtin.yaml: %w", err)
	}
	return policies, nil
}

// BuiltinClass returns the class that FusionPBX's service of this name has in its token; empty for
// other names.
func BuiltinClass(service string) string {
	switch service {
	case "active.calls":
		return "active_calls_service"
	case "active.conferences":
		return "active_conferences_service"
	case "dashboard.system.information":
		return "system_dashboard_service"
	case "active.operator.panel":
		return "operator_panel_service"
	}
	return ""
}

// BuiltinService returns the name that FusionPBX's service of this class serves; empty for other classes.
func BuiltinService(class string) string {
	for _, name := range []string{"active.calls", "active.conferences", "dashboard.system.information", "active.operator.panel"} {
		if BuiltinClass(name) == class {
			return name
		}
	}
	return ""
}

// BuiltinUnit returns the systemd unit that runs FusionPBX's service of this name; empty for other names.
func BuiltinUnit(service string) string {
	switch service {
	case "active.calls":
		return "active_calls"
	case "active.conferences":
		return "active_conferences"
	case "dashboard.system.information":
		return "system_status"
	case "active.operator.panel":
		return "operator_panel"
	}
	return ""
}

// Parse reads policies from YAML, a mapping from the class of service to its policy. An unknown or
// repeated key is an error that names its line; so is all that Check refuses, a line for each, by class. No
// document at all gives no policies.
func Parse(data []byte) (map[string]Policy, error) {
	policies := map[string]Policy{}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&policies); err != nil {
		if errors.Is(err, io.EOF) {
			return policies, nil
		}
		return nil, fmt.Errorf("read policies: %w", err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("read policies: there is more than one document")
	}
	var errs []error
	for _, class := range slices.Sorted(maps.Keys(policies)) {
		for _, err := range policies[class].check() {
			errs = append(errs, fmt.Errorf("policy %s: %w", class, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return policies, nil
}
