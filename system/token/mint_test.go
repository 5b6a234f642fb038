package token

import (
	"os"
	"testing"
	"time"
)

func TestMintLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	files := func() int {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	m := &Mint{Dir: dir, Spec: Spec{ServiceName: "weather", ClaimWithin: time.Minute}}
	defer m.Close()
	var last *Token
	for range 5 {
		made, err := m.Make()
		if err != nil {
			t.Fatal(err)
		}
		if files() != 1 {
			t.Errorf("%d files, want 1", files())
		}
		last = made
	}
	if _, err := openStore(t, Options{Dir: dir}).Claim(last.Name, last.Hash); err != nil {
		t.Errorf("the last token: %v", err)
	}
	m.Close()
	if _, err := m.Make(); err != nil {
		t.Fatal(err)
	}
	m.Close()
	m.Close()
	if files() != 0 {
		t.Errorf("%d files stayed behind", files())
	}
	(*Mint)(nil).Close()
	if _, err := (&Mint{Dir: dir + "/none"}).Make(); err == nil {
		t.Error("made a token in no directory")
	}
}
