package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// imageUser is the user that the image runs as. It is not root, and no user of a usual machine.
const imageUser = 65532

// image writes the image of one platform as a tar in the layout of OCI. It has nothing but the program, what the program
// needs of a file system, and the licences.
func (r *release) image(p platform) error {
	entries, err := r.root(p)
	if err != nil {
		return err
	}
	data, err := r.tar(entries)
	if err != nil {
		return err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return fmt.Errorf("make the layer: %w", err)
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(base, r.config(p))
	if err != nil {
		return fmt.Errorf("make the image: %w", err)
	}
	img, err = mutate.Append(img, mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: v1.History{
		Author: "strowger", Created: v1.Time{Time: r.time}, CreatedBy: "task release",
	}})
	if err != nil {
		return fmt.Errorf("make the image: %w", err)
	}
	return r.layout(p, img)
}

// config returns what a container of the image is by default: a router that other containers reach.
func (r *release) config(p platform) *v1.ConfigFile {
	file := &v1.ConfigFile{OS: p.os, Architecture: p.arch, Created: v1.Time{Time: r.time}, RootFS: v1.RootFS{Type: "layers"}}
	if p.arch == "arm" {
		file.Variant = "v6"
	}
	file.Config = v1.Config{
		User:       fmt.Sprintf("%d:%d", imageUser, imageUser),
		Entrypoint: []string{"/usr/bin/strowger"},
		Cmd:        []string{"serve"},
		WorkingDir: "/",
		// Loopback of a container is reached by nobody else.
		Env:          []string{"PATH=/usr/bin", "STROWGER_LISTEN__ADDRESS=:8080", "STROWGER_TOKENS__DIRECTORY=/run/strowger"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Volumes:      map[string]struct{}{"/run/strowger": {}},
		StopSignal:   "SIGTERM",
		Labels: map[string]string{
			"org.opencontainers.image.title":    "strowger",
			"org.opencontainers.image.version":  r.version,
			"org.opencontainers.image.revision": r.commit,
			"org.opencontainers.image.created":  r.date(),
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	return file
}

// root returns the files of the image.
func (r *release) root(p platform) ([]entry, error) {
	program, err := os.ReadFile(r.program(p))
	if err != nil {
		return nil, fmt.Errorf("read the program: %w", err)
	}
	licence, err := os.ReadFile(filepath.Join(r.tree(), "LICENSE"))
	if err != nil {
		return nil, fmt.Errorf("read the licence: %w", err)
	}
	others, err := os.ReadFile(r.licences())
	if err != nil {
		return nil, fmt.Errorf("read the licences: %w", err)
	}
	user := fmt.Sprintf("strowger:x:%d:%d::/:/nonexistent\n", imageUser, imageUser)
	group := fmt.Sprintf("strowger:x:%d:\n", imageUser)
	return []entry{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, data: []byte("root:x:0:\n" + group)},
		{name: "etc/passwd", mode: 0o644, data: []byte("root:x:0:0::/:/nonexistent\n" + user)},
		{name: "run/", mode: 0o755},
		{name: "run/strowger/", mode: 0o770, uid: imageUser, gid: imageUser},
		{name: "tmp/", mode: 0o1777},
		{name: "usr/", mode: 0o755},
		{name: "usr/bin/", mode: 0o755},
		{name: "usr/bin/strowger", mode: 0o755, data: program},
		{name: "usr/share/", mode: 0o755},
		{name: "usr/share/doc/", mode: 0o755},
		{name: "usr/share/doc/strowger/", mode: 0o755},
		{name: "usr/share/doc/strowger/LICENSE", mode: 0o644, data: licence},
		{name: "usr/share/doc/strowger/LICENCES-OF-OTHERS", mode: 0o644, data: others},
	}, nil
}

// layout writes the image to a directory as OCI lays it out, beside the manifest.json that older versions of docker load want,
// and packs the directory.
func (r *release) layout(p platform, img v1.Image) error {
	dir := filepath.Join(r.work, "image", p.file())
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	tag, err := name.NewTag("strowger:" + r.version)
	if err != nil {
		return fmt.Errorf("name the image: %w", err)
	}
	platform := v1.Platform{OS: p.os, Architecture: p.arch, Variant: r.config(p).Variant}
	if err := path.AppendImage(img, layout.WithPlatform(platform), layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": r.version, "io.containerd.image.name": tag.Name(),
	})); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	if err := dockerManifest(dir, "strowger:"+r.version, img); err != nil {
		return err
	}
	entries, err := files(dir)
	if err != nil {
		return err
	}
	data, err := r.tar(entries)
	if err != nil {
		return err
	}
	return publish(r.published(p.file()+".oci.tar"), data)
}
