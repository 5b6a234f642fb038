package php

import (
	"math"
	"strconv"
	"strings"
)

// Print returns a PHP file that returns value, byte for byte as PHP's var_export prints it.
func Print(value any) []byte {
	p := &printer{}
	p.out = append(p.out, "<?php\nreturn "...)
	p.value(value, 1)
	p.out = append(p.out, ";\n"...)
	return p.out
}

// printer writes what var_export writes. A level is a column counted from 1;
// each array goes two columns deeper.
type printer struct {
	out []byte
}

func (p *printer) value(value any, level int) {
	switch value := value.(type) {
	case nil:
		p.out = append(p.out, "NULL"...)
	case bool:
		p.out = strconv.AppendBool(p.out, value)
	case int64:
		p.integer(value)
	case float64:
		p.float(value)
	case string:
		p.text(value)
	case *Array:
		p.newline(level)
		p.out = append(p.out, "array (\n"...)
		p.entries(value, level, level+1, p.text)
		p.out = append(p.out, ')')
	case *Object:
		p.object(value, level)
	case EnumCase:
		p.newline(level)
		p.out = append(p.out, value.Class+"::"+value.Name...)
	}
}

func (p *printer) object(value *Object, level int) {
	p.newline(level)
	closing := ")"
	if value.Class == "" {
		p.out = append(p.out, "(object) array(\n"...)
	} else {
		p.out = append(p.out, value.Class+"::__set_state(array(\n"...)
		closing = "))"
	}
	p.entries(&value.Array, level, level+2, p.property)
	p.out = append(p.out, closing...)
}

// entries prints the elements, and the indent of the bracket that closes them.
func (p *printer) entries(a *Array, level, indent int, name func(string)) {
	for i := range a.Entries {
		p.indent(indent)
		if k := a.Entries[i].Key; k.IsInt {
			p.out = strconv.AppendInt(p.out, k.Number, 10)
		} else {
			name(k.Text)
		}
		p.out = append(p.out, " => "...)
		p.value(a.Entries[i].Value, level+2)
		p.out = append(p.out, ",\n"...)
	}
	p.indent(level - 1)
}

// newline puts a nested value on a line of its own.
func (p *printer) newline(level int) {
	if level > 1 {
		p.out = append(p.out, '\n')
		p.indent(level - 1)
	}
}

func (p *printer) indent(columns int) {
	for range columns {
		p.out = append(p.out, ' ')
	}
}

func (p *printer) integer(value int64) {
	if value == math.MinInt64 {
		p.out = append(p.out, "-9223372036854775807-1"...)
		return
	}
	p.out = strconv.AppendInt(p.out, value, 10)
}

func (p *printer) text(text string) {
	p.out = append(p.out, '\'')
	for i := range len(text) {
		switch c := text[i]; c {
		case 0:
			p.out = append(p.out, `' . "\0" . '`...)
		case '\'', '\\':
			p.out = append(p.out, '\\', c)
		default:
			p.out = append(p.out, c)
		}
	}
	p.out = append(p.out, '\'')
}

// property prints the name of a property, in which var_export leaves NUL as it is.
func (p *printer) property(name string) {
	p.out = append(p.out, '\'')
	p.out = append(p.out, strings.NewReplacer(`'`, `\'`, `\`, `\\`).Replace(name)...)
	p.out = append(p.out, '\'')
}

// float prints the shortest digits that read back to the same value, with an
// exponent below 0.0001 and from 18 digits before the point on.
func (p *printer) float(value float64) {
	switch {
	case math.IsNaN(value):
		p.out = append(p.out, "NAN"...)
		return
	case math.IsInf(value, 1):
		p.out = append(p.out, "INF"...)
		return
	case math.IsInf(value, -1):
		p.out = append(p.out, "-INF"...)
		return
	}
	scientific := strconv.FormatFloat(value, 'E', -1, 64)
	mantissa, exponent, _ := strings.Cut(scientific, "E")
	power, err := strconv.Atoi(exponent)
	if err != nil || power >= -4 && power < 17 {
		plain := strconv.FormatFloat(value, 'f', -1, 64)
		p.out = append(p.out, plain...)
		if !strings.Contains(plain, ".") {
			p.out = append(p.out, ".0"...)
		}
		return
	}
	p.out = append(p.out, mantissa...)
	if !strings.Contains(mantissa, ".") {
		p.out = append(p.out, ".0"...)
	}
	p.out = append(p.out, 'E')
	if power > 0 {
		p.out = append(p.out, '+')
	}
	p.out = strconv.AppendInt(p.out, int64(power), 10)
}
