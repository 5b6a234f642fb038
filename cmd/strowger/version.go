package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build says what this program was made from. Revision and Time are empty when it was not built
// in a checkout.
type build struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified"`
}

// readBuild returns what the Go toolchain wrote into this program.
func readBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Revision = setting.Value
		case "vcs.time":
			b.Time = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

// String returns the build on one line.
func (b build) String() string {
	text := fmt.Sprintf("strowger %s %s %s", b.Version, b.Go, b.Platform)
	if b.Revision != "" {
		text += " " + b.Revision
	}
	if b.Modified {
		text += " modified"
	}
	return text
}

func (p *program) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Example: `  strowger version
  strowger version --json`,
		Args: noArguments,
	}
	asJSON := cmd.Flags().Bool("json", false, "print it as JSON")
	cmd.RunE = verb(func([]string) error { return p.version(*asJSON) })
	return cmd
}

func (p *program) version(asJSON bool) error {
	if asJSON {
		return printJSON(p.stdout, readBuild())
	}
	if _, err := fmt.Fprintln(p.stdout, readBuild()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
