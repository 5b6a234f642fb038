// Command release makes what is published of one commit: binaries, packages, images, a list of the parts, and checksums. The
// same commit and the same version of Go give the same bytes, on any machine and in any directory.
//
// It builds a copy of the commit, never the work tree, and needs git, Go and the modules of go.mod and tools/go.mod.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "release: %v\n", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	repository string // directory of the repository
	commit     string // what git calls it
	version    string // empty means by the tag of the commit
	out        string
	platforms  []platform
	fresh      bool
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	source, err := readSource(ctx, o.repository, o.commit, o.version)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "strowger-release-")
	if err != nil {
		return fmt.Errorf("make a directory to work in: %w", err)
	}
	defer os.RemoveAll(work)
	r := &release{source: source, out: o.out, work: work, tools: filepath.Join(o.repository, "tools"), fresh: o.fresh}
	fmt.Printf("version %s, commit %s, %s\n", source.version, source.commit, source.date())
	return r.make(ctx, o.platforms)
}

// parse reads the command line.
func parse(args []string) (options, error) {
	var o options
	var platforms string
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.StringVar(&o.repository, "repository", "..", "`directory` of the repository")
	flags.StringVar(&o.commit, "commit", "HEAD", "`commit` to release")
	flags.StringVar(&o.version, "version", "", "`version`, such as 1.2.3; by default that of the tag, such as v1.2.3, on the commit")
	flags.StringVar(&o.out, "out", "../dist", "`directory` to write to; it is emptied first")
	flags.StringVar(&platforms, "platforms", strings.Join(allPlatforms(), ","), "`list` of platforms")
	flags.BoolVar(&o.fresh, "fresh", false, "use nothing of the program that was built before, which takes longer")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	for name := range strings.SplitSeq(platforms, ",") {
		p, err := parsePlatform(name)
		if err != nil {
			return o, err
		}
		o.platforms = append(o.platforms, p)
	}
	var errs [2]error
	o.repository, errs[0] = filepath.Abs(o.repository)
	o.out, errs[1] = filepath.Abs(o.out)
	return o, errors.Join(errs[:]...)
}
