package config

import (
	_ "embed" // for the schema
	"strconv"
	"time"
)

// schemaText is made from the table of settings and from package policy by TestSchema, which says how.
//
//go:embed schema.json
var schemaText string

// Schema returns a JSON Schema (2020-12) of the file of settings, for editors. What it refuses is wrong. It cannot tell all that is
// wrong: the bounds of texts with a unit, how settings depend on each other, and what is on the machine are for Load.
func Schema() string { return schemaText }

// schema is a part of a JSON Schema.
type schema map[string]any

func patternSchema(pattern string) schema {
	return schema{"type": "string", "pattern": pattern}
}

// numberSchema says how numbers of the type of the bounds are written. A schema compares numbers only, not texts with a unit.
func numberSchema[T int | Size | time.Duration](lowest, highest T) schema {
	number := schema{"type": "integer", "minimum": lowest, "maximum": highest}
	switch any(lowest).(type) {
	case Size:
		number["minimum"], number["maximum"] = int64(lowest), int64(highest)
		return schema{"anyOf": []schema{number, patternSchema(`^(0|[1-9][0-9]*)( ?(KiB|MiB|GiB))?$`)}}
	case time.Duration:
		return patternSchema(`^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+$`)
	}
	return number
}

// wordSchema allows the words. YAML takes some of them for a number when they are not quoted, and so do editors.
func wordSchema(words []string) schema {
	var allowed []any
	for _, word := range words {
		allowed = append(allowed, word)
		if number, err := strconv.Atoi(word); err == nil {
			allowed = append(allowed, number)
		}
	}
	return schema{"enum": allowed}
}
