package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"strowger/bench/dialect"
)

// StrowgerOptions say which strowger runs and how.
type StrowgerOptions struct {
	// Binary is the program.
	Binary string
	// Settings are for this program.
	Settings Settings
	// JSON uses strowger's token files in place of FusionPBX's.
	JSON bool
	// Service, as NAME/TOPIC, is a service inside the daemon and what it answers; empty if there is none.
	Service string
	// Name and Title are the server's in place of the usual ones, where it takes part more than once.
	Name, Title string
	// Environ is added to its environment, such as GOGC=50, and may override settings.
	Environ []string
}

// Strowger is the router itself with token files.
func Strowger(o StrowgerOptions) Spec {
	service, topic, local := strings.Cut(o.Service, "/")
	if o.Name == "" {
		o.Name, o.Title = "strowger", "strowger"
	}
	return Spec{Name: o.Name, Title: o.Title, Filters: o.Settings.Filters, Local: local, Remote: true, Topics: true,
		start: func(_ Load, dir string) (*exec.Cmd, dialect.Dialect, error) {
			config, err := writeConfig(dir, o.Settings.content)
			if err != nil {
				return nil, nil, err
			}
			cmd := exec.Command(o.Binary, "serve", "--config", config, "--token-dir", dir, "--listen", "127.0.0.1:0")
			cmd.Env = append(cleanEnviron(), o.Environ...)
			return cmd, &dialect.Strowger{Tokens: &dialect.Tokens{Dir: dir, JSON: o.JSON}, LocalService: service, LocalTopic: topic}, nil
		}}
}

// Build compiles strowger out of the module at root and returns the program's path in dir.
func Build(root, dir string) (string, error) {
	path := filepath.Join(dir, "strowger")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/strowger")
	cmd.Dir = root
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build strowger: %w\n%s", err, output)
	}
	return path, nil
}

// Settings are what a strowger is configured with.
type Settings struct {
	// Filters tells whether a policy is among them.
	Filters bool

	content string
}

const (
	// limits that the workloads need raised; everything else is at its default.
	limits = "limits:\n  connections: 19900\n"
	// quiet keeps off the admin pages, whose address others may have.
	quiet = "admin:\n  address: \"\"\n"
)

// Configure finds the settings for a program: those that it knows of what the workloads want.
func Configure(binary string) (Settings, error) {
	s := Settings{content: limits}
	if err := checkConfig(binary, s.content); err != nil {
		return s, err
	}
	if checkConfig(binary, s.content+quiet) == nil {
		s.content += quiet
	}
	if checkConfig(binary, s.content+policies()) == nil {
		s.content += policies()
		s.Filters = true
	}
	return s, nil
}

func writeConfig(dir, content string) (string, error) {
	path := filepath.Join(dir, "strowger.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	return path, nil
}

// checkConfig asks the program whether it takes that configuration.
func checkConfig(binary, content string) error {
	dir, err := os.MkdirTemp("", "strowger-bench-")
	if err != nil {
		return fmt.Errorf("check configuration: %w", err)
	}
	defer os.RemoveAll(dir)
	path, err := writeConfig(dir, content)
	if err != nil {
		return err
	}
	cmd := exec.Command(binary, "config", "check", path)
	cmd.Env = cleanEnviron()
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("check configuration: %w\n%s", err, output)
	}
	return nil
}

// policies guards each of ten keys by a permission, so that ten sets of permissions make ten classes.
func policies() string {
	var b strings.Builder
	fmt.Fprintf(&b, "policies:\n  %s:\n    scopes:\n      - to: all\n    key_permissions:\n", dialect.ServiceClass)
	for i := range dialect.Classes {
		fmt.Fprintf(&b, "      %s: [%s]\n", dialect.GuardedKey(i), dialect.Permission(i))
	}
	return b.String()
}

// cleanEnviron is the environment without settings of strowger's that happen to be there.
func cleanEnviron() []string {
	var list []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "STROWGER_") {
			list = append(list, variable)
		}
	}
	return list
}
