package nginx

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"strowger/config/regular"
)

const (
	home      = "/etc/nginx" // where relative names begin
	mostFiles = 1000
	mostBytes = 4 << 20 // of one file
)

// Config is what the files say.
type Config struct {
	directives []Directive
	Files      int
	// Problems are the files that could not be read or understood.
	Problems []error
}

// Read reads /etc/nginx/nginx.conf below a root directory, with the files that it includes. Without that file it
// reads those of conf.d and sites-enabled. The error is fs.ErrNotExist if there is no nginx.
func Read(root string) (*Config, error) {
	if _, err := os.Stat(filepath.Join(root, home)); err != nil {
		return nil, err
	}
	r := &reader{root: root, config: &Config{}}
	main := filepath.Join(home, "nginx.conf")
	if _, err := os.Stat(filepath.Join(root, main)); errors.Is(err, fs.ErrNotExist) {
		// Their directives are those of the block http.
		var inside []Directive
		for _, pattern := range []string{"conf.d/*.conf", "sites-enabled/*"} {
			inside = append(inside, r.include(pattern, 0)...)
		}
		r.config.directives = []Directive{{Name: "http", Block: inside}}
		return r.config, nil
	}
	r.config.directives = r.file(main, 0)
	return r.config, nil
}

// reader reads files and those that they include.
type reader struct {
	root   string
	config *Config
}

// file returns the directives of one file, with included ones in their place.
func (r *reader) file(name string, depth int) []Directive {
	if depth > deepest || r.config.Files >= mostFiles {
		r.problem(fmt.Errorf("%s: too many files include each other", name))
		return nil
	}
	r.config.Files++
	text, err := readFile(filepath.Join(r.root, name))
	if err == nil {
		var all []Directive
		if all, err = parse(name, text); err == nil {
			return r.expand(all, depth)
		}
	}
	r.problem(err)
	return nil
}

// problem notes what is wrong, once.
func (r *reader) problem(err error) {
	same := func(known error) bool { return known.Error() == err.Error() }
	if !slices.ContainsFunc(r.config.Problems, same) {
		r.config.Problems = append(r.config.Problems, err)
	}
}

func readFile(path string) (string, error) {
	data, err := regular.ReadFile(path, mostBytes)
	var named *fs.PathError
	if err != nil && !errors.As(err, &named) {
		err = fmt.Errorf("%s %w", path, err)
	}
	return string(data), err
}

// expand puts what include directives name in their place.
func (r *reader) expand(all []Directive, depth int) []Directive {
	var out []Directive
	for _, d := range all {
		if d.Name == "include" && len(d.Args) == 1 {
			out = append(out, r.include(d.Args[0], depth+1)...)
			continue
		}
		d.Block = r.expand(d.Block, depth)
		out = append(out, d)
	}
	return out
}

// include returns the directives of the files that a pattern matches. Files of mime types and the like say
// nothing about servers, but cost nothing either.
func (r *reader) include(pattern string, depth int) []Directive {
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(home, pattern)
	}
	found, err := filepath.Glob(filepath.Join(r.root, pattern))
	if err == nil && len(found) == 0 && !strings.ContainsAny(pattern, "*?[") {
		err = fmt.Errorf("%s: %w", pattern, fs.ErrNotExist)
	}
	if err != nil {
		r.problem(err)
	}
	slices.Sort(found)
	var out []Directive
	for _, path := range found {
		name, err := filepath.Rel(filepath.Join("/", r.root), path)
		if err != nil {
			continue
		}
		out = append(out, r.file("/"+name, depth)...)
	}
	return out
}
