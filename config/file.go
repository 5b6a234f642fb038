package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"strowger/config/regular"
)

// largestFile bounds what is read of a file that is probably not ours.
const largestFile = int64(MiB)

// readFile takes the YAML file; no path means no file.
func (l *loader) readFile(path string) {
	if path == "" {
		return
	}
	data, err := readBounded(path)
	if err != nil {
		l.reject(origin{source: path}, "", err.Error())
		return
	}
	l.readYAML(path, data)
}

// readYAML takes the text of a YAML file.
func (l *loader) readYAML(path string, data []byte) {
	root, problem := parseYAML(data)
	if problem != nil {
		l.reject(origin{source: path, line: problem.Line}, "", problem.Msg)
		return
	}
	d := &document{loader: l, path: path, values: layer{}}
	d.root(root)
	l.merge(path, d.values)
}

func readBounded(path string) ([]byte, error) {
	data, err := regular.ReadFile(path, largestFile)
	if large := new(regular.TooLargeError); errors.As(err, &large) {
		return nil, fmt.Errorf("is larger than %s", Size(large.Limit))
	}
	if err != nil {
		return nil, withoutPath(err)
	}
	return data, nil
}

// withoutPath drops the path an error of package os begins with: ours does too.
func withoutPath(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return fmt.Errorf("%s: %w", pathError.Op, pathError.Err)
	}
	return err
}

// parseYAML returns the root of the only document in data, or nil when there
// is nothing in it. Aliases are left as they are, so nothing can be blown up.
func parseYAML(data []byte) (root *yaml.Node, problem *Error) {
	if problem := checkYAMLText(data); problem != nil {
		return nil, problem
	}
	// A reload must not end the daemon because the YAML library meets a file
	// nobody has tried on it.
	defer func() {
		if reason := recover(); reason != nil {
			root, problem = nil, &Error{Msg: fmt.Sprintf("is not YAML: %v", reason)}
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := decoder.Decode(&first); err != nil {
		return nil, syntaxError(err, data)
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return nil, &Error{Line: second.Line, Msg: "has a second YAML document"}
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(err, data)
	}
	return first.Content[0], nil
}

// checkYAMLText finds what the YAML library refuses without saying where.
func checkYAMLText(data []byte) *Error {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		msg := ""
		switch {
		case r == utf8.RuneError && size == 1:
			msg = fmt.Sprintf("byte 0x%02x is not UTF-8", data[i])
		case r < ' ' && !strings.ContainsRune("\t\r\n", r), r == 0x7f:
			msg = fmt.Sprintf("has control character 0x%02x", r)
		}
		if msg != "" {
			return &Error{Line: 1 + bytes.Count(data[:i], []byte("\n")), Msg: msg}
		}
		i += size
	}
	return nil
}

var (
	yamlLine    = regexp.MustCompile(`^yaml: line ([0-9]+): `)
	yamlUnknown = regexp.MustCompile(`^yaml: unknown anchor '(.*)' referenced$`)
)

// syntaxError returns an error of the YAML library about data as one of ours,
// nil for the end of a file with nothing in it.
func syntaxError(err error, data []byte) *Error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	text := err.Error()
	if match := yamlLine.FindStringSubmatch(text); match != nil {
		line, _ := strconv.Atoi(match[1])
		return &Error{Line: line, Msg: "yaml: " + text[len(match[0]):]}
	}
	if match := yamlUnknown.FindStringSubmatch(text); match != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+match[1]))
		return &Error{Line: 1 + bytes.Count(before, []byte("\n")), Msg: text}
	}
	return &Error{Line: 1, Msg: text} // the library names no line when it is the first
}
