package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestZip writes the archive for Windows twice and reads it.
func TestZip(t *testing.T) {
	r := &release{source: source{time: time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)}}
	entries := []entry{{name: "strowger/LICENSE", data: []byte("text"), mode: 0o644}, {name: "strowger/strowger.exe", data: []byte{0, 1, 2}, mode: 0o755}}
	var written [2][]byte
	for i := range written {
		path := filepath.Join(t.TempDir(), "strowger.zip")
		if err := r.zip(path, entries); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		written[i] = data
	}
	if !bytes.Equal(written[0], written[1]) {
		t.Error("the archive is another the second time")
	}
	archive, err := zip.NewReader(bytes.NewReader(written[0]), int64(len(written[0])))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != len(entries) {
		t.Fatalf("%d files, want %d", len(archive.File), len(entries))
	}
	for i, file := range archive.File {
		content, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(content)
		if err != nil || !bytes.Equal(data, entries[i].data) || file.Name != entries[i].name || !file.Modified.Equal(r.time) {
			t.Errorf("%s of %s has %q, %v", file.Name, file.Modified, data, err)
		}
	}
}
