package config

import (
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"

	"strowger/config/policy"
)

// readPolicies takes the section of policies.
func (d *document) readPolicies(node *yaml.Node) {
	d.mapping(policiesKey, node, func(path string, name, value *yaml.Node) {
		before := len(d.problems)
		if err := checkText(name.Value); err != nil {
			d.problem(name, policiesKey, "has a name that "+err.Error())
		}
		p := d.policy(path, value)
		if len(d.problems) > before {
			return // what Check would say about the rest may be wrong
		}
		for _, problem := range checkPolicy(name.Value, p) {
			problem.Source = d.path
			problem.Line = lineOf(value, problem.Key[min(len(path)+1, len(problem.Key)):])
			problem.Key = clip(problem.Key)
			d.problems = append(d.problems, problem)
		}
		if d.loader.policies == nil {
			d.loader.policies = map[string]policy.Policy{}
		}
		d.loader.policies[name.Value] = p
	})
}

// policy takes the rules of one policy.
func (d *document) policy(path string, node *yaml.Node) (p policy.Policy) {
	d.fields(path, node, map[string]func(string, *yaml.Node){
		"require":           d.texts(&p.Require),
		"events":            d.texts(&p.Events),
		"topic_permissions": d.rules(&p.TopicPermissions),
		"scopes":            d.scopes(&p.Scopes),
		"absent":            func(path string, node *yaml.Node) { p.Absent = d.absent(path, node) },
		"keys":              d.texts(&p.Keys),
		"key_permissions":   d.rules(&p.KeyPermissions),
		"requests":          d.rules(&p.Requests),
		"tenant_keys":       d.texts(&p.TenantKeys),
		"plain_keys":        d.texts(&p.PlainKeys),
		"streams":           d.texts(&p.Streams),
		"history":           func(path string, node *yaml.Node) { p.History = d.history(path, node) },
		"slow":              d.text((*string)(&p.Slow)),
		"coalesce":          d.texts(&p.Coalesce),
		"presence":          d.texts(&p.Presence),
	})
	return p
}

func (d *document) scope(path string, node *yaml.Node) (s policy.Scope) {
	d.fields(path, node, map[string]func(string, *yaml.Node){
		"permission": d.text(&s.Permission),
		"to":         d.text((*string)(&s.To)),
		"keys":       d.texts(&s.Keys),
		"list_keys":  d.texts(&s.ListKeys),
		"accept":     d.texts(&s.Accept),
	})
	return s
}

func (d *document) absent(path string, node *yaml.Node) (a policy.Absent) {
	var pass string
	d.fields(path, node, map[string]func(string, *yaml.Node){
		"pass":   d.text(&pass),
		"events": d.texts(&a.Events),
		"topics": d.texts(&a.Topics),
		"lists":  d.texts(&a.Lists),
	})
	if pass != "" {
		var err error
		if a.Pass, err = parseBool(pass); err != nil {
			d.problem(node, under(path, "pass"), err.Error())
		}
	}
	return a
}

func (d *document) history(path string, node *yaml.Node) (h policy.History) {
	d.fields(path, node, map[string]func(string, *yaml.Node){
		"messages": number(d, parseInt, &h.Messages),
		"bytes": number(d, func(text string) (int, error) {
			size, err := parseSize(text)
			if err == nil && size > math.MaxInt32 {
				return 0, fmt.Errorf("%s is out of range", quote(text)) // an int may hold no more
			}
			return int(size), err
		}, &h.Bytes),
		"age": number(d, parseDuration, &h.Age),
	})
	if !h.Kept() && !isNull(node) && len(node.Content) == 0 {
		d.problem(node, path, "has no bound; leave the line out to keep nothing")
	}
	return h
}

// number takes one value that parse reads. 0 would mean the default, so it is refused.
func number[T comparable](d *document, parse func(string) (T, error), into *T) func(string, *yaml.Node) {
	return func(path string, node *yaml.Node) {
		var text string
		before := len(d.problems)
		if d.text(&text)(path, node); len(d.problems) > before {
			return
		}
		value, err := parse(text)
		var zero T
		if err == nil && value == zero {
			err = fmt.Errorf("%s keeps nothing; leave history out instead", quote(text))
		}
		if err != nil {
			d.problem(node, path, err.Error())
			return
		}
		*into = value
	}
}

// mapping hands over each entry of a mapping, with its path. An empty one has none.
func (d *document) mapping(path string, node *yaml.Node, entry func(path string, name, value *yaml.Node)) {
	if isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		d.problem(node, path, "must hold keys, not "+kindName(node))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		text, err := scalar(name)
		switch line, twice := seen[text]; {
		case err != nil:
			d.problem(name, path, "has a key that "+err.Error())
		case text == "<<":
			d.problem(name, path, "has a merge key (<<), which is not supported")
		case twice:
			d.problem(name, under(path, text), fmt.Sprintf("is there twice, first on line %d", line))
		default:
			seen[text] = name.Line
			entry(under(path, text), name, value)
		}
	}
}

// fields takes a mapping of which every key is known.
func (d *document) fields(path string, node *yaml.Node, take map[string]func(path string, node *yaml.Node)) {
	known := make([]string, 0, len(take))
	for name := range take {
		known = append(known, name)
	}
	d.mapping(path, node, func(path string, name, value *yaml.Node) {
		if f := take[name.Value]; f != nil {
			f(path, value)
			return
		}
		d.rejectUnknown(origin{d.path, name.Line}, path, name.Value, known)
	})
}

// text takes one word.
func (d *document) text(into *string) func(string, *yaml.Node) {
	return func(path string, node *yaml.Node) {
		text, err := scalar(node)
		if err == nil {
			err = checkText(text)
		}
		if err != nil {
			d.problem(node, path, err.Error())
			return
		}
		*into = text
	}
}

// texts takes a list of words.
func (d *document) texts(into *[]string) func(string, *yaml.Node) {
	return func(path string, node *yaml.Node) {
		d.list(path, node, func(path string, item *yaml.Node) {
			var text string
			d.text(&text)(path, item)
			*into = append(*into, text)
		})
	}
}

// rules takes lists of permissions by name.
func (d *document) rules(into *map[string][]string) func(string, *yaml.Node) {
	return func(path string, node *yaml.Node) {
		d.mapping(path, node, func(path string, name, value *yaml.Node) {
			var permissions []string
			d.texts(&permissions)(path, value)
			if *into == nil {
				*into = map[string][]string{}
			}
			(*into)[name.Value] = permissions
		})
	}
}

func (d *document) scopes(into *[]policy.Scope) func(string, *yaml.Node) {
	return func(path string, node *yaml.Node) {
		d.list(path, node, func(path string, item *yaml.Node) { *into = append(*into, d.scope(path, item)) })
	}
}

// list hands over each item of a list, with its path.
func (d *document) list(path string, node *yaml.Node, item func(path string, node *yaml.Node)) {
	switch {
	case isNull(node):
		d.problem(node, path, "has no value; leave the line out to have no such rule")
	case node.Kind != yaml.SequenceNode:
		d.problem(node, path, "takes a list, not "+kindName(node))
	case len(node.Content) == 0:
		d.problem(node, path, "is an empty list; leave the line out to have no such rule")
	default:
		for i, n := range node.Content {
			item(fmt.Sprintf("%s[%d]", path, i), n)
		}
	}
}
