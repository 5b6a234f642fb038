package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sums writes SHA256SUMS, which sha256sum -c reads.
func (r *release) sums() error {
	files, err := os.ReadDir(r.out) // sorted by name
	if err != nil {
		return fmt.Errorf("sum up: %w", err)
	}
	var text strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(r.out, file.Name()))
		if err != nil {
			return fmt.Errorf("sum up: %w", err)
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(data), file.Name())
	}
	fmt.Print(text.String())
	return publish(filepath.Join(r.out, "SHA256SUMS"), []byte(text.String()))
}
