package server

import (
	"errors"
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
	// JSON uses strowger's token files in place of FusionPBX's.
	JSON bool
	// Filters tells whether it is known to take policies.
	Filters bool
	// Service, as NAME/TOPIC, is a service inside the daemon and what it answers; empty if there is none.
	Service string
	// Environ is added to its environment, such as GOGC=50.
	Environ []string
}

// Strowger is the router itself with token files, and with a policy if it knows policies.
func Strowger(o StrowgerOptions) Spec {
	service, topic, local := strings.Cut(o.Service, "/")
	return Spec{Name: "strowger", Title: "strowger", Filters: o.Filters, Local: local, Remote: true, Topics: true,
		start: func(dir string) (*exec.Cmd, dialect.Dialect, error) {
			config, err := writeConfig(o.Binary, dir)
			if err != nil {
				return nil, nil, err
			}
			cmd := exec.Command(o.Binary, "serve", "--config", config, "--token-dir", dir, "--listen", "127.0.0.1:0")
			cmd.Env = append(cleanEnviron(), o.Environ...)
			return cmd, &dialect.Strowger{Tokens: dialect.Tokens{Dir: dir, JSON: o.JSON}, LocalService: service, LocalTopic: topic}, nil
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

// Filters tells whether this strowger can be given policies.
func Filters(binary string) (bool, error) {
	dir, err := os.MkdirTemp("", "strowger-bench-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	_, err = writeConfig(binary, dir)
	if err != nil {
		return false, err
	}
	_, err = os.Stat(filepath.Join(dir, policyFile))
	return err == nil, nil
}

const (
	configFile = "strowger.yaml"
	policyFile = "policies.yaml"
)

// limits that the workloads need raised; everything else is at its default.
const limits = "limits:\n  connections: 19900\n"

// writeConfig writes a configuration that the program takes: with policies, or else without.
func writeConfig(binary, dir string) (string, error) {
	path := filepath.Join(dir, policyFile)
	if err := os.WriteFile(path, []byte(limits+policies()), 0o600); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	refused := checkConfig(binary, path)
	if refused == nil {
		return path, nil
	}
	if err := os.Remove(path); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	path = filepath.Join(dir, configFile)
	if err := os.WriteFile(path, []byte(limits), 0o600); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	if err := checkConfig(binary, path); err != nil {
		return "", errors.Join(refused, err)
	}
	return path, nil
}

func checkConfig(binary, path string) error {
	cmd := exec.Command(binary, "config", "check", path)
	cmd.Env = cleanEnviron()
	output, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("check configuration: %w", err), errors.New(string(output)))
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
