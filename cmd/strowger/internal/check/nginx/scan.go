package nginx

import (
	"fmt"
	"strings"
)

// Directive is a directive with its arguments and, if it has braces, what is between them.
type Directive struct {
	Name  string
	Args  []string
	Block []Directive
	File  string
	Line  int
}

// deepest is how deep blocks may nest in what is read.
const deepest = 32

// scanner reads the text of one file.
type scanner struct {
	file string
	text string
	line int
}

// parse returns the directives of a file. The error names the file and the line.
func parse(file, text string) ([]Directive, error) {
	s := &scanner{file: file, text: text, line: 1}
	return s.block(0)
}

// block reads directives up to the brace that ends the block, or up to the end of the file.
func (s *scanner) block(depth int) ([]Directive, error) {
	if depth > deepest {
		return nil, s.wrong("blocks are nested too deeply")
	}
	var all []Directive
	var words []string
	line := 0
	for {
		word, quoted, ok := s.word()
		switch {
		case !ok && (depth > 0 || len(words) > 0):
			return nil, s.wrong("the file ends within a block or a directive")
		case !ok:
			return all, nil
		case quoted || word != ";" && word != "{" && word != "}":
			if len(words) == 0 {
				line = s.line
			}
			words = append(words, word)
			continue
		case word == "}" && (depth == 0 || len(words) > 0):
			return nil, s.wrong("unexpected }")
		case word == "}":
			return all, nil
		case len(words) == 0:
			return nil, s.wrong("unexpected " + word)
		}
		d := Directive{Name: words[0], Args: words[1:], File: s.file, Line: line}
		if word == "{" && strings.HasSuffix(d.Name, "_by_lua_block") {
			s.skipCode()
		} else if word == "{" {
			var err error
			if d.Block, err = s.block(depth + 1); err != nil {
				return nil, err
			}
		}
		all, words = append(all, d), nil
	}
}

// skipCode leaves out a block of another language up to its closing brace.
func (s *scanner) skipCode() {
	for depth, i := 1, 0; i < len(s.text); i++ {
		switch s.text[i] {
		case '\n':
			s.line++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				s.text = s.text[i+1:]
				return
			}
		}
	}
	s.text = ""
}

// word returns the next word or one of ; { }. ok is false at the end of the file.
func (s *scanner) word() (word string, quoted, ok bool) {
	s.skip()
	if s.text == "" {
		return "", false, false
	}
	switch c := s.text[0]; c {
	case ';', '{', '}':
		s.text = s.text[1:]
		return string(c), false, true
	case '"', '\'':
		s.text = s.text[1:]
		return s.until(func(text string) bool { return text[0] == c }, 1), true, true
	}
	return s.until(func(text string) bool {
		return strings.IndexByte(" \t\r\n;{", text[0]) >= 0
	}, 0), false, true
}

// until returns the text before the first place that ends it, of which so many bytes belong to the word.
func (s *scanner) until(ends func(text string) bool, belonging int) string {
	var word strings.Builder
	for s.text != "" && !ends(s.text) {
		switch {
		case strings.HasPrefix(s.text, "${"): // a variable, not a block
			if end := strings.IndexByte(s.text, '}'); end > 0 {
				word.WriteString(s.text[:end+1])
				s.text = s.text[end+1:]
				continue
			}
		case s.text[0] == '\\' && len(s.text) > 1:
			if strings.IndexByte(`"' ;{}\`, s.text[1]) >= 0 {
				s.text = s.text[1:]
			}
		case s.text[0] == '\n':
			s.line++
		}
		word.WriteByte(s.text[0])
		s.text = s.text[1:]
	}
	s.text = s.text[min(belonging, len(s.text)):]
	return word.String()
}

// skip leaves out spaces and comments.
func (s *scanner) skip() {
	for s.text != "" {
		switch s.text[0] {
		case '\n':
			s.line++
			s.text = s.text[1:]
		case ' ', '\t', '\r':
			s.text = s.text[1:]
		case '#':
			end := strings.IndexByte(s.text, '\n')
			if end < 0 {
				end = len(s.text)
			}
			s.text = s.text[end:]
		default:
			return
		}
	}
}

func (s *scanner) wrong(what string) error { return fmt.Errorf("%s:%d: %s", s.file, s.line, what) }
