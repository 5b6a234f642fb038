package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPages wants each command line of strowger in the blocks of the pages to be one that the program takes.
func TestPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?ms)^ *```(sh|)\n(.*?)^ *```$").FindAllStringSubmatch(closeBlocks(string(text)), -1) {
			for line := range strings.Lines(strings.ReplaceAll(block[2], "\\\n", " ")) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), "  #")
				command := regexp.MustCompile(`^(?:\$ )?(?:sudo -u [a-z-]+ )?(?:\./)?strowger( .*)$`).FindStringSubmatch(line)
				if command == nil {
					continue
				}
				checked++
				// What an argument says does not matter here, and it may have spaces.
				checkExample(t, "strowger"+regexp.MustCompile(`'[^']*'`).ReplaceAllString(command[1], "{}"))
			}
		}
	}
	if checked < 25 {
		t.Errorf("%d command lines: is the reading wrong?", checked)
	}
}

// closeBlocks takes away the blocks of other languages, so that the end of one is not taken for the beginning of the next.
func closeBlocks(text string) string {
	return regexp.MustCompile("(?ms)^ *```[a-rt-z][a-z]*\n.*?^ *```$").ReplaceAllString(text, "")
}
