package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// entry is one file, or with a name that ends in a slash one directory, of an archive.
type entry struct {
	name     string
	data     []byte
	mode     int64
	uid, gid int
}

// archive writes the file that people unpack where there is no package: the program, its manual and its licences.
func (r *release) archive(p platform) error {
	dir := "strowger_" + r.version + "_" + p.file()
	entries, err := r.contents(dir, p)
	if err != nil {
		return err
	}
	if p.os == "windows" {
		return r.zip(r.published(p.file()+".zip"), entries)
	}
	data, err := r.tar(entries)
	if err != nil {
		return err
	}
	if data, err = compress(data); err != nil {
		return err
	}
	return publish(r.published(p.file()+".tar.gz"), data)
}

// contents returns the files of an archive, all of them below dir.
func (r *release) contents(dir string, p platform) ([]entry, error) {
	files := map[string]string{
		p.binary():           r.program(p),
		"LICENSE":            filepath.Join(r.tree(), "LICENSE"),
		"LICENCES-OF-OTHERS": r.licences(),
		"README.md":          filepath.Join(r.tree(), "README.md"),
		"SECURITY.md":        filepath.Join(r.tree(), "SECURITY.md"),
	}
	pages, err := r.pages()
	if err != nil {
		return nil, err
	}
	for _, page := range pages {
		files["man/"+filepath.Base(page)] = page
	}
	for _, name := range shells() {
		files["completions/"+name] = filepath.Join(r.completions(), name)
	}
	var entries []entry
	for name, from := range files {
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, fmt.Errorf("read a file of the archive: %w", err)
		}
		mode := int64(0o644)
		if name == p.binary() {
			mode = 0o755
		}
		entries = append(entries, entry{name: path.Join(dir, name), data: data, mode: mode})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return entries, nil
}

// tar returns the entries as an archive in which everything has the time of the commit.
func (r *release) tar(entries []entry) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: e.mode, Uid: e.uid, Gid: e.gid, Size: int64(len(e.data)), ModTime: r.time, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if strings.HasSuffix(e.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("write an archive: %w", err)
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, fmt.Errorf("write an archive: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("write an archive: %w", err)
	}
	return out.Bytes(), nil
}

// zip writes the entries as an archive for Windows.
func (r *release) zip(name string, entries []entry) error {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: r.time}
		h.SetMode(os.FileMode(e.mode))
		file, err := w.CreateHeader(h)
		if err != nil {
			return fmt.Errorf("write an archive: %w", err)
		}
		if _, err := file.Write(e.data); err != nil {
			return fmt.Errorf("write an archive: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("write an archive: %w", err)
	}
	return publish(name, out.Bytes())
}

// publish writes one file of the release.
func publish(name string, data []byte) error {
	if err := os.WriteFile(name, data, 0o644); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}
