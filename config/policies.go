package config

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"strowger/config/policy"
)

// checkPolicy returns all that is wrong with a policy, without sources.
func checkPolicy(name string, p policy.Policy) []*Error {
	key := under(policiesKey, name)
	if name == "" {
		return []*Error{{Key: policiesKey, Msg: "has a policy for nobody: its name is empty"}}
	}
	err := p.Check()
	if err == nil {
		return nil
	}
	var problems []*Error
	for _, err := range each(err) {
		var wrong *policy.Error
		if errors.As(err, &wrong) {
			problems = append(problems, &Error{Key: under(key, wrong.Path), Msg: wrong.Msg})
			continue
		}
		problems = append(problems, &Error{Key: key, Msg: err.Error()})
	}
	return problems
}

// each returns the errors that were joined into err.
func each(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return []error{err}
}

// diffPolicies returns the policies that differ, by name.
func diffPolicies(before, after map[string]policy.Policy) []Change {
	var changes []Change
	all := maps.Clone(after)
	if all == nil {
		all = map[string]policy.Policy{}
	}
	maps.Copy(all, before)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, had := before[name]
		is, has := after[name]
		if had == has && reflect.DeepEqual(was, is) {
			continue
		}
		changes = append(changes, Change{under(policiesKey, name), formatPolicy(was, had), formatPolicy(is, has), true})
	}
	return changes
}

// formatPolicy returns a policy on one line; none is empty.
func formatPolicy(p policy.Policy, exists bool) string {
	if !exists {
		return ""
	}
	var node yaml.Node
	if err := node.Encode(p); err != nil {
		return err.Error() // a policy of texts always has a textual form
	}
	node.Style = yaml.FlowStyle
	text, err := yaml.Marshal(&node)
	if err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

// writePolicies writes the section of policies, empty or not.
func writePolicies(out *bytes.Buffer, policies map[string]policy.Policy) error {
	out.WriteByte('\n')
	explain(out, "# ", fmt.Sprintf("%s %s.", policiesDoc, onReload))
	if len(policies) == 0 {
		out.WriteString("#policies: {}\n")
		return nil
	}
	text, err := MarshalPolicies(policies)
	if err != nil {
		return err
	}
	out.WriteString("policies:\n")
	for line := range bytes.Lines(text) {
		out.WriteString("  ")
		out.Write(line)
	}
	return nil
}

// MarshalPolicies returns policies as YAML, sorted by name, the way the section policies takes them.
func MarshalPolicies(policies map[string]policy.Policy) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(policies); err != nil {
		return nil, fmt.Errorf("write policies: %w", err)
	}
	return out.Bytes(), nil
}

// EffectivePolicies returns the policies in use by the name of a service or class: the built-in
// ones, those of the configuration in place of them or beside them.
func (c *Config) EffectivePolicies() (map[string]policy.Policy, error) {
	policies, err := policy.Builtin()
	if err != nil {
		return nil, err
	}
	maps.Copy(policies, c.Policies)
	return policies, nil
}

// lineOf returns the line of what a path inside node names, or of the last part of it that is there.
func lineOf(node *yaml.Node, path string) int {
	for path != "" {
		next, rest := step(node, path)
		if next == nil {
			break
		}
		node, path = next, rest
	}
	return node.Line
}

// step goes one key or index along path. Keys may have dots of their own.
func step(node *yaml.Node, path string) (next *yaml.Node, rest string) {
	if inner, ok := strings.CutPrefix(path, "["); ok {
		index, rest, _ := strings.Cut(inner, "]")
		i, err := strconv.Atoi(index)
		if err != nil || node.Kind != yaml.SequenceNode || i >= len(node.Content) {
			return nil, ""
		}
		return node.Content[i], strings.TrimPrefix(rest, ".")
	}
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		rest, ok := strings.CutPrefix(path, node.Content[i].Value)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return node.Content[i+1], strings.TrimPrefix(rest, ".")
		}
	}
	return nil, ""
}
