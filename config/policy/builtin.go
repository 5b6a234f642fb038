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
