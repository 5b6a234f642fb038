package eventsocket

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// literal is a string that only a constant in the source can become: other packages cannot name the
// type, so they cannot convert a variable to it.
type literal string

// Argument is a part of a command that cannot end the command or add another argument. Only this
// package has implementations. The zero value of each is refused by Client.Do.
type Argument interface {
	text() string
}

// maxArgument is the longest argument, in bytes.
const maxArgument = 512

// UUID names a channel, a conference or a job of the switch.
type UUID struct{ value string }

// ParseUUID returns the UUID in s: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12. It keeps the
// case. Every other string is refused with ErrArgument.
func ParseUUID(s string) (UUID, error) {
	ok := len(s) == 36
	for i := 0; ok && i < len(s); i++ {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			ok = s[i] == '-'
			continue
		}
		ok = isHex(s[i])
	}
	if !ok {
		return UUID{}, fmt.Errorf("%w: not a UUID", ErrArgument)
	}
	return UUID{s}, nil
}

// String returns the UUID as it was parsed.
func (u UUID) String() string { return u.value }
func (u UUID) text() string   { return u.value }

// Arg is one word of a command.
type Arg struct{ value string }

// NewArg returns s as a word. It accepts 1 to 512 ASCII letters, digits and the characters "@._+*#-",
// and refuses everything else with ErrArgument. The word may not begin with "-", so that it is never
// taken for an option.
func NewArg(s string) (Arg, error) {
	if !consists(s, isWordByte) || s[0] == '-' {
		return Arg{}, fmt.Errorf("%w: not a word", ErrArgument)
	}
	return Arg{s}, nil
}

// NewPath returns s as the absolute path of a file. It accepts ASCII letters, digits and the characters
// "/@._+-", and refuses everything else and the element ".." with ErrArgument.
func NewPath(s string) (Arg, error) {
	ok := consists(s, func(b byte) bool { return b == '/' || b != '*' && b != '#' && isWordByte(b) })
	if !ok || s[0] != '/' || strings.Contains(s+"/", "/../") {
		return Arg{}, fmt.Errorf("%w: not a path", ErrArgument)
	}
	return Arg{s}, nil
}

// NewName returns s as the value of a variable in Variables, such as a caller's name. It accepts
// letters and numbers of all scripts, spaces within and the characters "._-", and refuses everything else
// with ErrArgument. An empty name is allowed there and nowhere else.
func NewName(s string) (Name, error) {
	if !isName(s) {
		return Name{}, fmt.Errorf("%w: not a name", ErrArgument)
	}
	return Name{value: s, set: true}, nil
}

// Name is text with spaces. It stands only where its end is certain: in Variables and Quoted.
type Name struct {
	value string
	set   bool
}

// Quoted returns the name between single quotes: one argument, spaces included.
func (n Name) Quoted() Arg {
	if !n.set {
		return Arg{}
	}
	return Arg{"'" + n.value + "'"}
}

// Int returns n in decimal.
func Int(n int64) Arg { return Arg{strconv.FormatInt(n, 10)} }

// Text returns a constant of the source as an argument, such as "-bleg" or "user/".
func Text(s literal) Arg {
	if hasControl(string(s)) {
		return Arg{}
	}
	return Arg{string(s)}
}

// Join returns the arguments as one word, with nothing between them.
func Join(parts ...Argument) Arg {
	var b strings.Builder
	for _, part := range parts {
		if part == nil || part.text() == "" {
			return Arg{}
		}
		b.WriteString(part.text())
	}
	return Arg{b.String()}
}

func (a Arg) text() string { return a.value }

// Destination is a user or a number at a domain.
type Destination struct{ user, domain string }

// NewDestination returns user@domain. The user consists of ASCII letters, digits and "*#+._-", the
// domain of ASCII letters, digits, ".", "_" and "-"; neither begins with "-". Everything else is refused with
// ErrArgument.
func NewDestination(user, domain string) (Destination, error) {
	isUser := func(b byte) bool { return b != '@' && isWordByte(b) }
	isDomain := func(b byte) bool { return isAlphanumeric(b) || b == '.' || b == '_' || b == '-' }
	if !consists(user, isUser) || !consists(domain, isDomain) || user[0] == '-' || domain[0] == '-' {
		return Destination{}, fmt.Errorf("%w: not a destination", ErrArgument)
	}
	return Destination{user, domain}, nil
}

// User returns the part in front of the "@".
func (d Destination) User() Arg { return Arg{d.user} }

// Domain returns the part after the "@".
func (d Destination) Domain() Arg { return Arg{d.domain} }

// Names returns both parts as text.
func (d Destination) Names() (user, domain string) { return d.user, d.domain }

func (d Destination) text() string {
	if d.user == "" {
		return ""
	}
	return d.user + "@" + d.domain
}

// Variable is a channel variable for Variables.
type Variable struct{ text string }

// Var returns the variable with a value of one word.
func Var(name literal, value Argument) Variable {
	if value == nil || value.text() == "" || strings.ContainsAny(value.text(), " ,'{}") {
		return Variable{}
	}
	return Variable{string(name) + "=" + value.text()}
}

// VarName returns the variable with a name as its value, spaces included.
func VarName(name literal, value Name) Variable {
	if !value.set {
		return Variable{}
	}
	return Variable{string(name) + "=" + value.value}
}

// Variables returns "{a=b,c=d}" as it stands in front of a dial string.
func Variables(variables ...Variable) Arg {
	texts := make([]string, len(variables))
	for i, variable := range variables {
		if variable.text == "" || hasControl(variable.text) {
			return Arg{}
		}
		texts[i] = variable.text
	}
	return Arg{"{" + strings.Join(texts, ",") + "}"}
}

// App returns "&name(argument)", an application that a new call runs.
func App(name literal, argument Argument) Arg {
	if argument == nil || argument.text() == "" {
		return Arg{}
	}
	return Arg{"&" + string(name) + "(" + argument.text() + ")"}
}

func consists(s string, of func(byte) bool) bool {
	for i := 0; i < len(s); i++ {
		if !of(s[i]) {
			return false
		}
	}
	return len(s) > 0 && len(s) <= maxArgument
}

func isName(s string) bool {
	if !utf8.ValidString(s) || len(s) > maxArgument || s != strings.TrimSpace(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune(" ._-", r) {
			return false
		}
	}
	return true
}

func isWordByte(b byte) bool {
	return isAlphanumeric(b) || strings.IndexByte("@._+*#-", b) >= 0
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}

func hasControl(s string) bool {
	return strings.IndexFunc(s, unicode.IsControl) >= 0
}
