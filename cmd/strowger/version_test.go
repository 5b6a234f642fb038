package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	if got := succeed(t, "version"); !strings.HasPrefix(got, "strowger ") || !strings.Contains(got, " "+runtime.Version()+" ") {
		t.Errorf("version is %q", got)
	}
	if got, want := succeed(t, "--version"), succeed(t, "version"); got != want {
		t.Errorf("--version is %q, want %q", got, want)
	}
	var b build
	if err := json.Unmarshal([]byte(succeed(t, "version", "--json")), &b); err != nil {
		t.Fatal(err)
	}
	if b != readBuild() || b.Version == "" || b.Platform != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("version is %+v", b)
	}
	b = build{Version: "v1.2.3", Go: "go1.26", Platform: "linux/amd64", Commit: "abc", Date: "2026-01-31T09:00:00Z", Modified: true}
	if got, want := b.String(), "strowger v1.2.3 abc modified 2026-01-31T09:00:00Z go1.26 linux/amd64"; got != want {
		t.Errorf("version is %q, want %q", got, want)
	}
}

// TestDescribe looks at where the version comes from: the linker in a release, otherwise the toolchain.
func TestDescribe(t *testing.T) {
	checkout := &debug.BuildInfo{
		Main: debug.Module{Version: "v0.0.0-20260131090000-abcdef"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "abcdef"}, {Key: "vcs.time", Value: "2026-01-31T09:00:00Z"}, {Key: "vcs.modified", Value: "true"},
		},
	}
	release := build{Version: "1.2.3", Commit: "123456", Date: "2026-02-28T09:00:00Z"}
	for name, test := range map[string]struct {
		released build
		info     *debug.BuildInfo
		want     build
	}{
		"released":               {release, checkout, release},
		"released, without info": {release, nil, release},
		"checkout":               {build{}, checkout, build{Version: "v0.0.0-20260131090000-abcdef", Commit: "abcdef", Date: "2026-01-31T09:00:00Z", Modified: true}},
		"outside of a checkout":  {build{}, &debug.BuildInfo{}, build{Version: "(devel)"}},
		"without info":           {build{}, nil, build{Version: "(devel)"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.Go, test.want.Platform = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
			if got := describe(test.released, test.info); got != test.want {
				t.Errorf("build is %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestVersionOfRelease builds the program as a release does and asks it.
func TestVersionOfRelease(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go tool")
	}
	binary := filepath.Join(t.TempDir(), "strowger")
	flags := "-X main.releaseVersion=1.2.3 -X main.releaseCommit=abcdef -X main.releaseDate=2026-01-31T09:00:00Z"
	command := exec.CommandContext(t.Context(), goTool, "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", binary, ".")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), binary, "version").Output()
	if want := "strowger 1.2.3 abcdef 2026-01-31T09:00:00Z " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"; err != nil || string(out) != want {
		t.Errorf("version is %q, %v, want %q", out, err, want)
	}
}
