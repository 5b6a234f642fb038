package config

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Origin returns where a key has its value from, such as a file and a line; "default" if nobody chose it.
func (c *Config) Origin(name string) string {
	if at, chosen := c.origins[name]; chosen {
		return at.String()
	}
	return "default"
}

// Value is a setting that is no default.
type Value struct {
	Key    string
	Text   string // as it is written in a file of settings
	Origin string // as Config.Origin returns it
}

// Chosen returns the settings that some source has set, in the order of the table of settings.
func (c *Config) Chosen() []Value {
	var chosen []Value
	values := c.flatten()
	for _, k := range keys() {
		if at, ok := c.origins[k.name]; ok {
			chosen = append(chosen, Value{k.name, oneLine(format(values[k.name])), oneLine(at.String())})
		}
	}
	return chosen
}

// String returns the source, with the line if it has lines.
func (o origin) String() string {
	if o.line > 0 {
		return fmt.Sprintf("%s:%d", o.source, o.line)
	}
	return o.source
}

// Show writes every value that cfg has and where it comes from. What it writes loads as cfg, apart from the
// policies, which it leaves out, and from FusionPBX's own values and secrets, which are comments. Secrets do not show.
// Its errors are those of w.
func Show(w io.Writer, cfg *Config) error {
	var out bytes.Buffer
	values, section := cfg.flatten(), ""
	for _, k := range keys() {
		if k.section() != section {
			section = k.section()
			fmt.Fprintf(&out, "%s:\n", section)
		}
		_, name := cutLast(k.name)
		mark := ""
		if k.isSecret() && format(values[k.name]) != format(k.def) {
			mark = "#"
		}
		fmt.Fprintf(&out, "  %s%s: %s  # %s\n", mark, name, format(values[k.name]), oneLine(cfg.Origin(k.name)))
	}
	cfg.showFusionPBX(&out)
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// showFusionPBX writes what FusionPBX says, as comments.
func (c *Config) showFusionPBX(out *bytes.Buffer) {
	if c.FusionPBX.File == "" {
		return
	}
	fmt.Fprintf(out, "\n# %s:\n", oneLine(c.FusionPBX.File))
	for _, field := range c.FusionPBX.fields() {
		fmt.Fprintf(out, "#   %s = %s\n", field.names[0], oneLine(field.format()))
	}
	if c.SettingsProblem != nil {
		fmt.Fprintf(out, "\n# %s: %s\n", settingsTable, oneLine(c.SettingsProblem.Error()))
		return
	}
	fmt.Fprintf(out, "\n# %s:\n", settingsTable)
	for _, setting := range c.Settings {
		fmt.Fprintf(out, "#   %s/%s = %s\n", oneLine(setting.Category), oneLine(setting.Subcategory), oneLine(setting.shown()))
	}
	for _, w := range c.Warnings {
		fmt.Fprintf(out, "# not used: %s\n", oneLine(w.Error()))
	}
}

// shown returns the value, unless the name says that it is a secret.
func (s Setting) shown() string {
	name := strings.ToLower(s.Subcategory)
	for _, word := range []string{"password", "passwd", "secret", "token", "key"} {
		if strings.Contains(name, word) {
			return redacted
		}
	}
	return s.Value
}

// oneLine keeps a text from outside within the line of its comment.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\ufeff' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}
