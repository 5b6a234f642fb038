package config

import (
	_ "embed"
	"strings"
)

// phpConstants has the names of the constants of PHP 8.2, one a line: those of the language, and of the extensions
// that FusionPBX needs. The words that stand for true, false and null are not among them.
//
//go:embed phpconstants.txt
var phpConstants string

// constantIn returns the first word of a value without quotes that is the name of a constant, which PHP replaces by
// its value. It returns an empty text if there is none.
func constantIn(value string) string {
	for _, word := range strings.FieldsFunc(value, func(c rune) bool { return strings.ContainsRune(iniBlanks+iniSpecial, c) }) {
		if isConstant(word) {
			return word
		}
	}
	return ""
}

func isConstant(word string) bool {
	if strings.ContainsFunc(word, func(c rune) bool {
		return c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	}) {
		return false
	}
	return strings.HasPrefix(phpConstants, word+"\n") || strings.Contains(phpConstants, "\n"+word+"\n")
}
