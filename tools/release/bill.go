package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

// bill writes the list of the modules in the program of one platform, in CycloneDX's form (SBOM).
func (r *release) bill(ctx context.Context, p platform) error {
	tool, err := r.tool(ctx, "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod")
	if err != nil {
		return err
	}
	// bin reads the program itself, so the list has what is in it. The program was built outside of a repository, so its
	// version has to be told.
	path := r.published(p.file() + ".cdx.json")
	if err := r.command(ctx, r.work, []string{"GOFLAGS=-mod=mod", "GOWORK=off"}, tool, "bin", "-json", "-std", "-noserial", "-notimestamp",
		"-version", "v"+r.version, "-output", path, r.program(p)); err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the list of modules: %w", err)
	}
	if data, err = withoutTool(data); err != nil {
		return err
	}
	return publish(path, data)
}

// withoutTool takes away the checksums of the tool that wrote the list, which are others on each kind of machine.
func withoutTool(data []byte) ([]byte, error) {
	var list map[string]any
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("read the list of modules: %w", err)
	}
	metadata, _ := list["metadata"].(map[string]any)
	tools, _ := metadata["tools"].([]any)
	if len(tools) == 0 {
		return nil, fmt.Errorf("the list of modules does not say which tool wrote it")
	}
	for _, tool := range tools {
		if described, ok := tool.(map[string]any); ok {
			delete(described, "hashes")
		}
	}
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the list of modules: %w", err)
	}
	return append(data, '\n'), nil
}
