package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const mit = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software.\n" +
	"THE SOFTWARE IS PROVIDED \u201cAS\nIS\u201d, WITHOUT WARRANTY"

func TestClassify(t *testing.T) {
	bsd := "Redistribution and use in source and binary forms, with or without modification, are permitted"
	for name, test := range map[string]struct{ text, want string }{
		"MIT":                      {mit, "MIT"},
		"Apache":                   {"Apache License\n Version 2.0, January 2004", "Apache-2.0"},
		"ISC":                      {"Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted", "ISC"},
		"BSD of two clauses":       {bsd, "BSD-2-Clause"},
		"BSD of three clauses":     {bsd + " to endorse or promote products derived", "BSD-3-Clause"},
		"BSD of four clauses":      {bsd + " All advertising materials must; endorse or promote products", ""},
		"GPL":                      {"GNU GENERAL PUBLIC LICENSE Version 3", ""},
		"MPL":                      {"Mozilla Public License Version 2.0", ""},
		"a choice with a copyleft": {mit + " or the GNU Lesser General Public License", ""},
		"nothing known":            {"All rights reserved.", ""},
		"empty":                    {"", ""},
	} {
		if got := classify(test.text); got != test.want {
			t.Errorf("%s is %q, want %q", name, got, test.want)
		}
	}
}

func TestLicencesOfModule(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  string // the licences, or a part of the error
		fails bool
	}{
		"one":                  {map[string]string{"LICENSE": mit, "x.go": "package x"}, "MIT", false},
		"two and a notice":     {map[string]string{"LICENSE-MIT": mit, "NOTICE": "hello", "COPYING.txt": mit}, "MIT, MIT, notice", false},
		"British":              {map[string]string{"licence.md": mit}, "MIT", false},
		"none":                 {map[string]string{"README": mit}, "no file with a licence", true},
		"a notice alone":       {map[string]string{"NOTICE": "hello"}, "no file with a licence", true},
		"one is not permitted": {map[string]string{"LICENSE": mit, "LICENSE.GPL": "General Public License"}, "LICENSE.GPL is none of the permitted", true},
	} {
		t.Run(name, func(t *testing.T) {
			m := module{path: "example.com/x", dir: t.TempDir()}
			for file, text := range test.files {
				if err := os.WriteFile(filepath.Join(m.dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			found, err := m.licences()
			if (err != nil) != test.fails {
				t.Fatalf("error %v", err)
			}
			got := names(found)
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	if _, err := (module{path: "example.com/x", dir: filepath.Join(t.TempDir(), "gone")}).licences(); err == nil {
		t.Error("a module that is not there has a licence")
	}
}
