package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// The linker sets these in a release: -X main.releaseVersion=... It can set nothing but variables of a package.
var releaseVersion, releaseCommit, releaseDate string

// build says what this program was made from. Commit and Date are those of the source; they are empty if it was neither
// released nor built in a checkout.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"` // RFC 3339
	Modified bool   `json:"modified"`       // the source was not that of the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// readBuild returns what the linker and the Go toolchain wrote into this program.
func readBuild() build {
	info, _ := debug.ReadBuildInfo()
	return describe(build{Version: releaseVersion, Commit: releaseCommit, Date: releaseDate}, info)
}

// describe completes the build of a release. If released has no version, everything comes from info, which may be nil.
func describe(released build, info *debug.BuildInfo) build {
	b := released
	b.Go, b.Platform = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	if b.Version != "" {
		return b
	}
	b.Version = "(devel)"
	if info == nil {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.Date = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

// String returns the build on one line.
func (b build) String() string {
	text := "strowger " + b.Version
	if b.Commit != "" {
		text += " " + b.Commit
	}
	if b.Modified {
		text += " modified"
	}
	if b.Date != "" {
		text += " " + b.Date
	}
	return text + " " + b.Go + " " + b.Platform
}

func (p *program) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: `version prints the version, the commit and its date, and with what and for what
this program was built. A program that was not built in a checkout of the
repository knows neither commit nor date.`,
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
