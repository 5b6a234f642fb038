package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// licence is one that a module has.
type licence struct{ name, text string }

// permitted returns the names of the licences that a part of strowger may have.
func permitted() []string {
	var names []string
	for _, s := range signs() {
		names = append(names, s.name)
	}
	return names
}

// files matches the names of files that hold a licence or a notice.
var files = regexp.MustCompile(`(?i)^(un)?licen[cs]e([-.].*)?$|^copying([-.].*)?$|^notice([-.].*)?$`)

// licences returns the licences of the module and its notices. All files that look like one are read, and each must be
// permitted, because a module may have parts under several.
func (m module) licences() ([]licence, error) {
	found, err := os.ReadDir(m.dir)
	if errors.Is(err, fs.ErrNotExist) || m.dir == "" {
		return nil, fmt.Errorf("%s: not in the module cache; go mod download fetches it", m.path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.path, err)
	}
	var all []licence
	known := false
	for _, file := range found {
		if file.IsDir() || !files.MatchString(file.Name()) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(m.dir, file.Name()))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.path, err)
		}
		text := string(data)
		if strings.HasPrefix(strings.ToLower(file.Name()), "notice") {
			all = append(all, licence{"notice", text})
			continue
		}
		name := classify(text)
		if name == "" {
			return nil, fmt.Errorf("%s: %s is none of the permitted licences (%s)", m.path, file.Name(), strings.Join(permitted(), ", "))
		}
		all, known = append(all, licence{name, text}), true
	}
	if !known {
		return nil, fmt.Errorf("%s: no file with a licence", m.path)
	}
	return all, nil
}

// sign tells one licence from all others. has are words that it has, and hasNot are words of its relatives.
type sign struct {
	name        string
	has, hasNot []string
}

// signs returns those of the permitted licences. All of them let the program be passed on under Apache-2.0, and ask for no
// more than their own text. A further one needs a decision, not only a line here.
func signs() []sign {
	return []sign{
		{"Apache-2.0", []string{"apache license", "version 2.0, january 2004"}, nil},
		{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy", "the software is provided \"as is\""}, nil},
		{"ISC", []string{"permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted"}, nil},
		{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "endorse or promote products"}, []string{"all advertising materials"}},
		{"BSD-2-Clause", []string{"redistribution and use in source and binary forms"}, []string{"all advertising materials", "endorse or promote"}},
	}
}

// copyleft are words of licences that ask for more than permitted ones do. A text with one of them is refused, whatever else is
// in it.
func copyleft() []string {
	return []string{"general public license", "mozilla public license", "common development and distribution", "server side public license", "business source license"}
}

// classify returns the name of the permitted licence that the text is, or nothing.
func classify(text string) string {
	plain := strings.ToLower(strings.Join(strings.Fields(text), " "))
	plain = strings.NewReplacer("\u201c", `"`, "\u201d", `"`).Replace(plain)
	for _, words := range copyleft() {
		if strings.Contains(plain, words) {
			return ""
		}
	}
	for _, s := range signs() {
		if s.in(plain) {
			return s.name
		}
	}
	return ""
}

func (s sign) in(plain string) bool {
	for _, words := range s.has {
		if !strings.Contains(plain, words) {
			return false
		}
	}
	for _, words := range s.hasNot {
		if strings.Contains(plain, words) {
			return false
		}
	}
	return true
}

// names returns the names of the licences as a text.
func names(all []licence) string {
	texts := make([]string, len(all))
	for i, l := range all {
		texts[i] = l.name
	}
	return strings.Join(texts, ", ")
}
