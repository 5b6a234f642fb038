package filter

import (
	"encoding/json"
	"slices"
	"strings"

	"strowger/config/policy"
)

// naive is the policy's meaning spelled out for one subscriber on decoded JSON without repeated
// keys: what Class and Apply must agree with.
type naive struct {
	policy.Policy
	s     Subject
	topic string
}

func (n naive) allows(rules map[string][]string, name string) bool {
	permissions, ruled := rules[name]
	return !ruled || n.any(permissions)
}

func (n naive) any(permissions []string) bool {
	return slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(n.s.Permissions, p) })
}

func (n naive) scope() policy.Scope {
	for _, s := range n.Scopes {
		if s.Permission == "" || slices.Contains(n.s.Permissions, s.Permission) {
			return s
		}
	}
	if len(n.Scopes) == 0 {
		return policy.Scope{To: policy.All}
	}
	return policy.Scope{To: policy.None}
}

// result returns what the subscriber gets, and false for nothing.
func (n naive) result(payload any) (any, bool) {
	scope := n.scope()
	if len(n.Require) > 0 && !n.any(n.Require) || !n.allows(n.TopicPermissions, n.topic) || scope.To == policy.None {
		return nil, false
	}
	object, _ := payload.(map[string]any)
	list, isList := payload.([]any)
	lax := n.Absent.Pass || slices.Contains(n.Absent.Topics, n.topic)
	event, named := object[EventKey]
	name, _ := event.(string)
	if len(n.Events) > 0 && !(named && slices.Contains(n.Events, name)) && (named || !lax) {
		return nil, false
	}
	exempt := named && slices.Contains(n.Absent.Events, name)
	switch {
	case scope.To == policy.All:
	case isList && len(scope.ListKeys) > 0:
		var own []any
		for _, element := range list {
			inner, _ := element.(map[string]any)
			if n.owns(scope.To, inner, scope.ListKeys, nil, lax) {
				own = append(own, element)
			}
		}
		if len(own) == 0 && len(list) > 0 && !slices.Contains(n.Absent.Topics, n.topic) && !slices.Contains(n.Absent.Lists, n.topic) {
			return nil, false
		}
		payload = append([]any{}, own...)
	case !n.owns(scope.To, object, scope.Keys, scope.Accept, lax || exempt):
		return nil, false
	}
	if object != nil {
		kept := map[string]any{}
		for key, value := range object {
			if n.sees(key) {
				kept[key] = value
			}
		}
		return kept, true
	}
	if isList && len(n.Keys) > 0 {
		return []any{}, true
	}
	return payload, true
}

func (n naive) sees(key string) bool {
	return (len(n.Keys) == 0 || slices.Contains(n.Keys, key)) && n.allows(n.KeyPermissions, key)
}

func (n naive) owns(to policy.Reach, object map[string]any, keys, accept []string, absent bool) bool {
	for _, key := range keys {
		name, after := strings.CutSuffix(key, "@")
		value, found := object[name]
		word, _ := value.(string)
		if !found || after && !strings.Contains(word, "@") {
			continue
		}
		if after {
			word = word[strings.LastIndex(word, "@")+1:]
		}
		own := n.s.Extensions
		if to == policy.Domain {
			own = []string{n.s.Domain}
		}
		return word != "" && slices.Contains(slices.Concat(own, accept), word)
	}
	return absent
}

// decode reads JSON and keeps the spelling of numbers.
func decode(data string) (any, error) {
	var v any
	d := json.NewDecoder(strings.NewReader(data))
	d.UseNumber()
	err := d.Decode(&v)
	return v, err
}
