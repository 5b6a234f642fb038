package token

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// openToken opens a good token file of a fresh directory as Claim does.
func openToken(t *testing.T) (f *file, path string) {
	t.Helper()
	path = put(t, t.TempDir(), PHP)
	dir, err := openDirectory(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dir.close)
	f, err = dir.open(filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return f, path
}

func TestRemoveOnlyTheFileThatWasRead(t *testing.T) {
	f, path := openToken(t)
	putFile(t, filepath.Dir(path), "other", []byte("other"))
	if err := os.Rename(filepath.Join(filepath.Dir(path), "other"), path); err != nil {
		t.Fatal(err)
	}
	if err := f.remove(); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if !exists(t, path) {
		t.Error("the other file was deleted")
	}
}

func TestRemoveAfterSomebodyElse(t *testing.T) {
	f, path := openToken(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := f.remove(); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestRemoveAFileLinkedElsewhere(t *testing.T) {
	f, path := openToken(t)
	link(t, os.Link, path, path+".kept")
	if err := f.remove(); !errors.Is(err, ErrUntrusted) {
		t.Errorf("got %v, want ErrUntrusted: the token can be put back", err)
	}
}

func TestReadAFileThatGrows(t *testing.T) {
	f, path := openToken(t)
	if err := os.WriteFile(path, append(mustRead(t, path), "more"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := f.read(defaultLimits()); !errors.Is(err, ErrMalformed) {
		t.Errorf("got %q, %v, want ErrMalformed", data, err)
	}
}

func TestReadAFileThatShrank(t *testing.T) {
	f, path := openToken(t)
	if err := os.Truncate(path, 10); err != nil {
		t.Fatal(err)
	}
	data, err := f.read(defaultLimits())
	if err != nil || string(data) != "<?php\nretu" {
		t.Errorf("got %q, %v", data, err)
	}
}
