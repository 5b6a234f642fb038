package config

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

const fileHeader = `# Configuration of strowger. Every key is here with its meaning and its default.
# A line with # before a key shows the default; take the # away to change it.
#
# Each source overrides those before it: defaults, FusionPBX's config.conf,
# FusionPBX's default settings, this file, environment, flags. limits.depth, for
# instance, is STROWGER_LIMITS__DEPTH in the environment.
#
# Sizes are bytes (65536) or have a unit (64KiB, 1MiB, 2GiB). Durations need a unit
# (250ms, 10s, 1m30s, 24h).
`

// WriteDefaults writes a YAML file in which every key is explained and left
// at its default. Its errors are those of w.
func WriteDefaults(w io.Writer) error {
	return Write(w, Default())
}

// Write writes a YAML file that loads as cfg, which must be valid. Keys that
// have their default are commented out, and so are secrets, which do not show.
// FusionPBX's values are not written.
// Its errors are those of w.
func Write(w io.Writer, cfg *Config) error {
	var out bytes.Buffer
	out.WriteString(fileHeader)
	values := cfg.flatten()
	section := ""
	for _, k := range keys() {
		if k.section() != section {
			section = k.section()
			fmt.Fprintf(&out, "\n%s:\n", section)
		} else {
			out.WriteByte('\n')
		}
		k.write(&out, values[k.name])
	}
	if err := writePolicies(&out, cfg.Policies); err != nil {
		return err
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

func (k key) write(out *bytes.Buffer, value any) {
	explain(out, "  # ", fmt.Sprintf("%s Allowed: %s. %s.", k.doc, k.rule.text, k.apply))
	_, name := cutLast(k.name)
	mark := ""
	if format(value) == format(k.def) || k.isSecret() {
		mark = "#"
	}
	fmt.Fprintf(out, "  %s%s: %s\n", mark, name, format(value))
}

// explain writes a text as lines of a comment.
func explain(out *bytes.Buffer, prefix, text string) {
	const width = 80
	for _, line := range wrap(text, width-len(prefix)) {
		out.WriteString(prefix + line + "\n")
	}
}

// String says when a change takes effect, for the documentation.
func (a apply) String() string {
	if a == onReload {
		return "Applied by a reload"
	}
	return "Applied by a restart"
}

// wrap breaks a text between words into lines of at most width bytes; a word
// that is longer has a line of its own.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
