package config

import "strings"

// key is one row of the table: all there is to know about a key.
type key struct {
	name  string // section and key, joined by a dot
	def   any    // default; its type is the key's type
	rule  rule
	apply apply
	doc   string // meaning, with the unit and what zero or empty means
}

// apply says when a changed value takes effect.
type apply bool

const (
	onReload  apply = true
	onRestart apply = false
)

// isList tells whether the key takes a list of texts.
func (k key) isList() bool {
	_, list := k.def.([]string)
	return list
}

// isSecret tells whether the key's value does not show.
func (k key) isSecret() bool {
	_, secret := k.def.(Secret)
	return secret
}

// section returns the part of the name before the last dot.
func (k key) section() string {
	section, _ := cutLast(k.name)
	return section
}

// check returns an error when a value of the key's type is not allowed.
func (k key) check(value any) error {
	switch value := value.(type) {
	case string:
		if err := checkText(value); err != nil {
			return err
		}
	case Secret:
		if err := checkText(string(value)); err != nil {
			return err
		}
	case []string:
		for _, item := range value {
			if item == "" {
				return errEmptyItem
			}
			if err := checkText(item); err != nil {
				return err
			}
		}
	}
	return k.rule.check(value)
}

// cutLast splits a dotted name before its last part.
func cutLast(name string) (before, last string) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name
	}
	return name[:i], name[i+1:]
}
