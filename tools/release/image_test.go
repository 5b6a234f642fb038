//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestImage runs the image as a container does: in a root directory of its own, as its user, with its environment.
func TestImage(t *testing.T) {
	img := readImage(t)
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if uid, _, _ := strings.Cut(config.Config.User, ":"); uid != fmt.Sprint(imageUser) {
		t.Errorf("the user is %q", config.Config.User)
	}
	asRoot(t)
	root := t.TempDir()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range layers {
		files, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		unpack := exec.Command("tar", "-x", "--numeric-owner", "-p", "-C", root)
		unpack.Stdin = files
		if out, err := unpack.CombinedOutput(); err != nil {
			t.Fatalf("tar: %v\n%s", err, out)
		}
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(root), 0o755); err != nil {
		t.Fatal(err)
	}
	args := append(slices.Clone(config.Config.Entrypoint[1:]), config.Config.Cmd...)
	cmd := exec.Command(config.Config.Entrypoint[0], append(args, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")...)
	cmd.Dir, cmd.Env = "/", config.Config.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: imageUser, Gid: imageUser}}
	log := serve(t, cmd)
	if strings.Contains(log, "no token can be claimed") {
		t.Errorf("the image has no directory for tokens:\n%s", log)
	}
}

// readImage reads the image from its file, as skopeo and podman do, and checks that docker load could.
func readImage(t *testing.T) v1.Image {
	t.Helper()
	file := one(t, ".oci.tar")
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xf", file, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("%v, want one image: %+v", err, manifest)
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	docker, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, img := range map[string]v1.Image{"OCI": img, "docker": docker} {
		if err := validate.Image(img); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return img
}
