package main

import (
	"fmt"
	"slices"
	"strings"
)

// platform is an operating system and a processor, as Go calls them.
type platform struct{ os, arch string }

// allPlatforms returns the names of the platforms that a release has.
func allPlatforms() []string {
	return []string{
		"linux/amd64", "linux/arm64", "linux/arm", "darwin/amd64", "darwin/arm64", "freebsd/amd64",
		"windows/amd64",
	}
}

func parsePlatform(name string) (platform, error) {
	if !slices.Contains(allPlatforms(), name) {
		return platform{}, fmt.Errorf("platform %q is none of %s", name, strings.Join(allPlatforms(), ", "))
	}
	system, arch, _ := strings.Cut(name, "/")
	return platform{system, arch}, nil
}

func (p platform) String() string { return p.os + "/" + p.arch }

// file returns the name of the platform in names of files.
func (p platform) file() string { return p.os + "_" + p.arch }

// binary returns the name of the program.
func (p platform) binary() string {
	if p.os == "windows" {
		return "strowger.exe"
	}
	return "strowger"
}

// environment returns what makes Go build for the platform. Each value that can change the program is set, so that those of
// whoever builds have no effect.
func (p platform) environment() []string {
	return []string{
		"CGO_ENABLED=0", "GOOS=" + p.os, "GOARCH=" + p.arch, "GOFLAGS=-mod=readonly", "GOWORK=off", "GOEXPERIMENT=", "GOFIPS140=off",
		"GOAMD64=v1", "GOARM64=v8.0", "GOARM=6",
	}
}
