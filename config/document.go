package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document walks one YAML document and gathers its values.
type document struct {
	*loader
	path   string
	values layer
}

func (d *document) root(node *yaml.Node) {
	if node == nil || isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		d.problem(node, "", "must hold sections such as listen and limits, not "+kindName(node))
		return
	}
	d.section("", node)
}

// section takes the entries of a mapping; the path of the root is empty.
func (d *document) section(path string, node *yaml.Node) {
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		switch {
		case name.Kind != yaml.ScalarNode:
			d.problem(name, path, "has "+kindName(name)+" in place of a key")
			continue
		case name.Value == "<<":
			d.problem(name, path, "has a merge key (<<), which is not supported")
			continue
		}
		if line, twice := seen[name.Value]; twice {
			d.problem(name, under(path, name.Value), fmt.Sprintf("is there twice, first on line %d", line))
			continue
		}
		seen[name.Value] = name.Line
		d.entry(path, name, value)
	}
}

// entry takes one section or one key.
func (d *document) entry(path string, name, value *yaml.Node) {
	full := under(path, name.Value)
	if full == policiesKey {
		d.readPolicies(value)
		return
	}
	k, known := d.keys[full]
	if known && !strings.Contains(name.Value, ".") {
		parsed, err := parseNode(k, value)
		if accepted, v := d.accept(origin{d.path, value.Line}, k, parsed, err); accepted != "" {
			d.values[accepted] = v
		}
		return
	}
	switch {
	case known:
		section, last := cutLast(full)
		d.problem(name, full, "a dotted key is not supported, write "+last+" in the section "+section)
	case !slices.Contains(d.names, full):
		d.rejectUnknown(origin{d.path, name.Line}, full, full, d.names)
	case isNull(value):
	case value.Kind != yaml.MappingNode:
		d.problem(value, full, "is a section and must hold keys, not "+kindName(value))
	default:
		d.section(full, value)
	}
}

func (d *document) problem(node *yaml.Node, name, msg string) {
	d.reject(origin{d.path, node.Line}, name, msg)
}

// parseNode reads the value of a key. Scalars are read by their text, not by
// the type YAML would guess: 404 is a word to a key whose values are words.
func parseNode(k key, node *yaml.Node) (any, error) {
	if node.Kind != yaml.SequenceNode {
		text, err := scalar(node)
		if err != nil {
			return nil, err
		}
		if k.isList() {
			return nil, fmt.Errorf("takes a list, write [%s]", format(text))
		}
		return k.parse(text)
	}
	items := make([]string, 0, len(node.Content))
	for _, item := range node.Content {
		text, err := scalar(item)
		if err != nil {
			return nil, fmt.Errorf("item %d %w", len(items)+1, err)
		}
		items = append(items, text)
	}
	return k.parseList(items)
}

// scalar returns the text of a node that is nothing but a text.
func scalar(node *yaml.Node) (string, error) {
	switch {
	case node.Kind != yaml.ScalarNode:
		return "", fmt.Errorf("is %s, not a value", kindName(node))
	case node.Style&yaml.TaggedStyle != 0:
		return "", fmt.Errorf("has a tag (%s), which is not supported", quote(node.Tag))
	case isNull(node):
		return "", errors.New("has no value; leave the line out to keep the default")
	}
	return node.Value, nil
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

func kindName(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias (*), which is not supported"
	}
	return "a single value"
}

// under returns the path of a name inside a section.
func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
