package strowger_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "strowger"

const (
	gws        = "github.com/lxzan/gws"
	koanf      = "github.com/knadh/koanf"
	prometheus = "github.com/prometheus/client_golang"
	protoactor = "github.com/asynkron/protoactor-go"
	pgx        = "github.com/jackc/pgx"
	nats       = "github.com/nats-io"
)

// rule says what the packages of one directory may import. Directories are relative to the module;
// one that ends in /... means those below it too.
type rule struct {
	dir      string
	ours     []string // directories of ours that may be imported; nothing else of ours may
	never    []string // import paths of others that may not be, those below them included
	standard bool     // nothing of others may be imported but the standard library
	database bool     // the driver of the database may be imported; no other rule lets it
	bus      bool     // NATS may be imported; no other rule lets it
	banned   bool     // no package of this module may be here
	reason   string
}

// rules are in order: the first whose dir fits a package holds for it.
func rules() []rule {
	return []rule{
		{dir: "bench/...", banned: true, reason: "bench is a module of its own, so that the peers it measures never enter our go.sum"},
		{dir: "tools/...", banned: true, reason: "tools is a module of its own, so that linters never enter our go.sum"},
		{dir: "actors/envelope/...", never: []string{gws, protoactor, "net", "net/http"},
			reason: "envelope is a leaf: router and client share the protocol's messages, and those know no frame and no network"},
		{dir: "actors/clock/...", ours: []string{"actors/clock"}, standard: true,
			reason: "clock is a leaf: the router, the services and their tests go by one clock, and it knows none of them"},
		{dir: "transport/frame/...", never: []string{gws, protoactor, "net", "net/http"},
			reason: "frame is a leaf: transport and client share opcodes and close codes, and nobody else knows a frame"},
		{dir: "config/regular", standard: true,
			reason: "regular is a leaf: it reads files, for all who are given the name of one"},
		{dir: "config/policy", never: []string{gws, koanf, protoactor, "net", "net/http"},
			reason: "policy is a leaf: what is written down is known to config, filters and the authors of services alike"},
		{dir: "config/...", ours: []string{"config/..."}, never: []string{gws, protoactor},
			reason: "config is a leaf: it knows values, policies among them, not the parts that use them"},
		{dir: "client/...", ours: []string{"actors/envelope", "transport/frame", "client/..."}, never: []string{koanf, protoactor, prometheus},
			reason: "whoever imports the client gets the protocol and a WebSocket library with it, neither the router nor what runs a service"},
		{dir: "clients/...", standard: true,
			reason: "a client in another language is files that are served, and knows nothing of who serves them"},
		{dir: "actors/filter/...", ours: []string{"actors/envelope", "config/policy", "actors/filter/..."}, never: []string{gws, koanf, protoactor, "net/http"},
			reason: "filters are pure functions and know no actor"},
		{dir: "actors/runtime", ours: []string{"actors/clock"}, never: []string{gws, koanf, "net", "net/http"},
			reason: "the runtime runs actors and knows none of them, so it can be tested and read without them"},
		{dir: "actors/...", ours: []string{"actors/...", "config/policy"}, never: []string{gws, koanf, "net/http"},
			reason: "actors reach sockets, frames, HTTP and configuration through the interfaces in ports.go"},
		{dir: "transport/...", ours: []string{"transport/...", "actors/...", "config/regular"}, never: []string{koanf},
			reason: "transport serves the actors and is told its limits by system"},
		{dir: "system/internal/runner", ours: []string{"actors/clock", "actors/envelope", "system/service", "system/internal/supervisor"}, never: []string{gws, koanf, "net/http"},
			reason: "the runner is the same in every home of a service: in the router, in a process of its own, in a test"},
		{dir: "system/service", ours: []string{"config/policy"}, never: []string{gws, koanf, protoactor, prometheus, "net/http"},
			reason: "a service's author sees requests and topics, never connections or actors"},
		{dir: "system/service/remote", ours: []string{"actors/clock", "actors/envelope", "client", "system/service", "system/internal/runner", "system/internal/supervisor"}, never: []string{gws, koanf, "net/http"},
			reason: "a service in a process of its own is a client of the router"},
		{dir: "system/service/process", ours: []string{"actors/envelope", "system/service", "system/internal/runner", "system/internal/supervisor"}, never: []string{gws, koanf, "net", "net/http"},
			reason: "a service in a child process speaks over pipes, and knows nothing of the router"},
		{dir: "system/service/servicetest", ours: []string{"actors/clock", "actors/envelope", "system/service", "system/internal/runner", "system/internal/supervisor"}, never: []string{gws, koanf, "net/http"},
			reason: "a service is tested without a router"},
		{dir: "system/dashboard/...", ours: []string{"actors/envelope", "config/policy", "system/service"}, never: []string{gws, koanf, protoactor, "net/http"},
			reason: "a built-in service is written as anybody's is: against system/service"},
		{dir: "system/internal/hometest/...", ours: []string{"actors/clock/clocktest", "actors/envelope", "system/service", "system/internal/runner", "system/internal/supervisor"}, never: []string{gws, koanf, "net/http"},
			reason: "a service is tested without a router"},
		{dir: "system/demo/...", ours: []string{"actors/clock", "actors/envelope", "config/policy", "system/service", "system/token", "system/demo/...", "system/fusionpbx/switchsim", "clients/js"}, never: []string{gws, koanf, protoactor},
			reason: "the demo's services are written as anybody's are, and its page is a client like any other"},
		{dir: "system/internal/cluster", ours: []string{"actors", "actors/clock", "actors/envelope", "actors/runtime", "config/policy"}, never: []string{gws, koanf, protoactor, prometheus, "net", "net/http"},
			reason: "the links between nodes know a bus only as an interface"},
		{dir: "system/internal/cluster/natsbus", ours: []string{"config", "config/regular", "system/internal/secretfile"}, never: []string{gws, koanf, protoactor, prometheus, "net/http"}, bus: true,
			reason: "the bus carries messages and knows neither links nor actors"},
		{dir: "system/internal/cluster/membus", standard: true,
			reason: "the bus of tests knows nothing of what it carries"},
		{dir: "system/internal/supervisor/...", ours: []string{"actors/...", "config/...", "system/..."}, never: []string{gws, "net/http"},
			reason: "the supervisor knows nothing of what it supervises"},
		{dir: "system/internal/admin/...", ours: []string{"actors/clock", "system/internal/introspect/...", "system/internal/forwarded"}, never: []string{gws, koanf},
			reason: "admin shows what its source says, and hands on what is to be done"},
		{dir: "system/internal/forwarded", standard: true,
			reason: "it looks at the head of a request, for all who ask"},
		{dir: "system/internal/janitor/...", ours: []string{"actors/clock"}, never: []string{gws, koanf, "net/http"},
			reason: "a janitor knows when, and is told what"},
		{dir: "system/internal/daemontest", standard: true,
			reason: "the tests of the daemon as a process look at it from outside"},
		{dir: "system/internal/introspect/...", ours: []string{"actors/clock", "system/internal/supervisor/..."}, never: []string{gws, koanf, protoactor, prometheus, "net/http"},
			reason: "introspect is plain data about the running system: whoever shows it decides how"},
		{dir: "system/fusionpbx/eventsocket", ours: []string{"actors/clock"}, standard: true,
			reason: "the event socket client can be used and tested without the router; beside the standard library it knows a clock"},
		{dir: "system/fusionpbx/event", ours: []string{"actors/envelope", "system/service", "system/fusionpbx/eventsocket"}, never: []string{gws, koanf, protoactor, "net/http"},
			reason: "what all services make of events is on the side of the services, which know no router"},
		{dir: "system/fusionpbx/timing", ours: []string{"system/service", "system/fusionpbx/eventsocket"}, never: []string{gws, koanf, protoactor, "net/http"},
			reason: "the waits of services know the services' API and the errors of the event socket, and no service"},
		{dir: "system/fusionpbx/channels", ours: []string{"actors/envelope", "system/service", "system/fusionpbx/event", "system/fusionpbx/eventsocket", "system/fusionpbx/timing"}, never: []string{gws, koanf, protoactor, "net/http"},
			reason: "what services know of channels is on the side of the services, which know no router"},
		{dir: "system/fusionpbx/conference", ours: []string{"actors/envelope", "system/fusionpbx/event", "system/fusionpbx/eventsocket"}, never: []string{gws, koanf, protoactor, "net/http"},
			reason: "what services know of conferences is on the side of the services, which know no router"},
		{dir: "system/fusionpbx/calls", ours: []string{"actors/envelope", "config/policy", "system/service", "system/fusionpbx/channels", "system/fusionpbx/event", "system/fusionpbx/eventsocket"}, never: []string{gws, koanf, protoactor, "net/http"},
			reason: "a built-in service is written as anybody's is: against system/service"},
		{dir: "system/fusionpbx/conferences", ours: []string{"actors/envelope", "config/policy", "system/service", "system/fusionpbx/conference", "system/fusionpbx/database", "system/fusionpbx/event", "system/fusionpbx/eventsocket", "system/fusionpbx/timing"}, never: []string{gws, koanf, protoactor, "net/http"},
			reason: "a built-in service is written as anybody's is: against system/service"},
		{dir: "system/fusionpbx/link", ours: []string{"system/fusionpbx/eventsocket", "system/internal/introspect"}, never: []string{gws, koanf, protoactor, "net/http"},
			reason: "the link to the switch knows no service and no router"},
		{dir: "system/fusionpbx/panel", ours: []string{"actors/envelope", "config/policy", "system/service", "system/fusionpbx/channels", "system/fusionpbx/conference", "system/fusionpbx/database", "system/fusionpbx/event", "system/fusionpbx/eventsocket", "system/fusionpbx/timing"}, never: []string{gws, koanf, protoactor, "net/http"},
			reason: "a built-in service is written as anybody's is: against system/service"},
		{dir: "system/fusionpbx/replay", ours: []string{"actors/envelope", "actors/filter", "config/policy", "system/service", "system/internal/runner", "system/internal/supervisor", "system/fusionpbx/eventsocket", "system/fusionpbx/switchsim"}, never: []string{gws, koanf, "net/http"},
			reason: "a service is tested without a router"},
		{dir: "system/fusionpbx/switchsim/play", ours: []string{"system/fusionpbx/switchsim"}, standard: true,
			reason: "the player is the simulator with a command line"},
		{dir: "system/fusionpbx/switchsim", standard: true,
			reason: "the simulator must not share code with the client that it tests"},
		{dir: "system/fusionpbx/database/...", ours: []string{"actors/clock", "config", "system/fusionpbx/database", "system/internal/introspect"}, never: []string{gws, koanf, protoactor, "net/http"}, database: true,
			reason: "the database can be used and tested without the router, and knows nothing of who asks"},
		{dir: "system/token/internal/php", standard: true,
			reason: "the grammar of PHP's files knows no token"},
		{dir: "system/...", ours: []string{"transport", "clients/...", "actors/...", "config/...", "system/..."},
			reason: "system builds everything below it and is built by cmd; frames are transport's own"},
		{dir: "examples/...", ours: []string{"client", "system/service", "system/service/remote", "system/token"},
			reason: "an example uses what a stranger's program would"},
		{dir: "cmd/...", ours: []string{"cmd/...", "system/...", "transport", "actors/...", "config/...", "client/..."},
			reason: "cmd is on top: it may use all of ours but frames"},
	}
}

// graph is, for the directory of each package, the paths that its files import.
type graph map[string][]string

func TestImports(t *testing.T) {
	imports, err := readImports(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"actors/envelope", "config", "actors"} {
		if _, ok := imports[dir]; !ok {
			t.Errorf("package %s was not found: is the reading wrong?", dir)
		}
	}
	for _, problem := range append(violations(imports, rules()), mutual(imports)...) {
		t.Error(problem)
	}
}

func TestMutual(t *testing.T) {
	tests := map[string]struct {
		imports graph
		want    []string
	}{
		"one way":       {graph{"transport": {"strowger/actors"}, "actors": {"os", "strowger/actors/envelope"}}, nil},
		"both ways":     {graph{"transport": {"strowger/actors"}, "actors": {"strowger/transport/frame"}}, []string{"actors and transport import each other"}},
		"through below": {graph{"config": {"strowger/actors/filter"}, "actors/filter": {"strowger/config/policy"}}, []string{"actors and config import each other"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := mutual(test.imports); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// mutual returns a sentence for each two top-level directories that import each other, whatever the packages
// in between. The rules say which way is right.
func mutual(imports graph) []string {
	uses := map[[2]string]bool{}
	for dir, all := range imports {
		for _, imported := range all {
			if to, ours := strings.CutPrefix(imported, module+"/"); ours {
				uses[[2]string{room(dir), room(to)}] = true
			}
		}
	}
	var problems []string
	for use := range uses {
		if use[0] < use[1] && uses[[2]string{use[1], use[0]}] {
			problems = append(problems, fmt.Sprintf("%s and %s import each other", use[0], use[1]))
		}
	}
	slices.Sort(problems)
	return problems
}

// room returns the top-level directory of a package.
func room(dir string) string {
	top, _, _ := strings.Cut(dir, "/")
	return top
}

func TestViolations(t *testing.T) {
	tests := map[string]struct {
		imports graph
		want    []string // the beginnings of the problems, in order
	}{
		"everything as it should be": {imports: graph{
			"cmd/strowger":               {"os", "strowger/system", "strowger/config", "strowger/client", "github.com/spf13/cobra"},
			"system":                     {"strowger/config", "strowger/transport", "strowger/actors", "strowger/system/internal/supervisor"},
			"system/internal/supervisor": {protoactor + "/actor"},
			"system/service":             {"strowger/config/policy"},
			"system/internal/runner":     {protoactor + "/actor", "strowger/system/service", "strowger/system/internal/supervisor", "strowger/actors/envelope"},
			"transport":                  {"net/http", gws, "strowger/actors", "strowger/actors/envelope", "strowger/transport/frame"},
			"actors/envelope":            {"encoding/json"},
			"transport/frame":            {"encoding/binary"},
			"actors":                     {protoactor + "/actor", "strowger/actors/filter", "strowger/actors/envelope"},
			"actors/filter":              {"strowger/actors/envelope", "strowger/config/policy"},
			"client":                     {gws, "net/http", "strowger/actors/envelope", "strowger/transport/frame"},
			"system/service/remote":      {protoactor + "/actor", "strowger/client", "strowger/actors/envelope", "strowger/system/service", "strowger/system/internal/runner", "strowger/system/internal/supervisor"},
			"config":                     {koanf + "/v2"},
			"examples/clock":             {"os", "strowger/client", "strowger/system/service", "strowger/system/service/remote", "strowger/system/token"},
		}},
		"envelope imports actors":          {graph{"actors/envelope": {"strowger/actors"}}, []string{"actors/envelope imports strowger/actors"}},
		"envelope imports frames":          {graph{"actors/envelope": {"strowger/transport/frame"}}, []string{"actors/envelope imports strowger/transport/frame"}},
		"frame imports envelopes":          {graph{"transport/frame": {"strowger/actors/envelope"}}, []string{"transport/frame imports strowger/actors/envelope"}},
		"actors import frames":             {graph{"actors": {"strowger/transport/frame"}}, []string{"actors imports strowger/transport/frame"}},
		"service imports frames":           {graph{"system/service": {"strowger/transport/frame"}}, []string{"system/service imports strowger/transport/frame"}},
		"config imports filters":           {graph{"config": {"strowger/actors/filter"}}, []string{"config imports strowger/actors/filter"}},
		"service imports filters":          {graph{"system/service": {"strowger/actors/filter"}}, []string{"system/service imports strowger/actors/filter"}},
		"config imports envelopes":         {graph{"config": {"strowger/actors/envelope"}}, []string{"config imports strowger/actors/envelope"}},
		"client imports transport":         {graph{"client": {"strowger/transport"}}, []string{"client imports strowger/transport"}},
		"filter imports its parent":        {graph{"actors/filter": {"strowger/actors"}}, []string{"actors/filter imports strowger/actors"}},
		"filter imports protoactor":        {graph{"actors/filter": {protoactor + "/actor"}}, []string{"actors/filter imports " + protoactor}},
		"runtime imports actors":           {graph{"actors/runtime": {"strowger/actors", "strowger/actors/envelope"}}, []string{"actors/runtime imports strowger/actors", "actors/runtime imports strowger/actors/envelope"}},
		"clock imports the runtime":        {graph{"actors/clock": {"time", "strowger/actors/runtime"}, "actors/clock/clocktest": {"testing", "strowger/actors/clock", protoactor + "/actor"}}, []string{"actors/clock imports strowger/actors/runtime", "actors/clock/clocktest imports " + protoactor}},
		"actors import transport":          {graph{"actors": {"strowger/transport"}}, []string{"actors imports strowger/transport"}},
		"actors import system":             {graph{"actors": {"strowger/system"}}, []string{"actors imports strowger/system"}},
		"actors import what they must not": {graph{"actors": {gws, koanf + "/v2", "net/http", "net/http/httptest"}}, []string{"actors imports " + gws, "actors imports " + koanf, "actors imports net/http", "actors imports net/http/httptest"}},
		"transport imports system":         {graph{"transport": {"strowger/system/token"}}, []string{"transport imports strowger/system/token"}},
		"regular imports config":           {graph{"config/regular": {"os", "strowger/config"}}, []string{"config/regular imports strowger/config"}},
		"transport imports regular":        {graph{"transport": {"strowger/config/regular"}}, nil},
		"transport imports config":         {graph{"transport": {"strowger/config"}}, []string{"transport imports strowger/config"}},
		"client imports what serves":       {graph{"client": {"strowger/system/service", protoactor + "/actor"}}, []string{"client imports strowger/system/service", "client imports " + protoactor}},
		"client imports system":            {graph{"client": {"strowger/system", "strowger/system/token"}}, []string{"client imports strowger/system", "client imports strowger/system/token"}},
		"service imports actors":           {graph{"system/service": {"strowger/actors"}}, []string{"system/service imports strowger/actors"}},
		"service imports the runner":       {graph{"system/service": {"strowger/system/internal/runner", protoactor + "/actor"}}, []string{"system/service imports strowger/system/internal/runner", "system/service imports " + protoactor}},
		"service imports system":           {graph{"system/service": {"strowger/system"}}, []string{"system/service imports strowger/system"}},
		"service imports transport":        {graph{"system/service": {"strowger/transport"}}, []string{"system/service imports strowger/transport"}},
		"dashboard imports system":         {graph{"system/dashboard": {"strowger/system", "strowger/config"}}, []string{"system/dashboard imports strowger/system", "system/dashboard imports strowger/config"}},
		"demo imports system":              {graph{"system/demo/page": {"strowger/system", "net/http"}}, []string{"system/demo/page imports strowger/system"}},
		"supervisor imports transport":     {graph{"system/internal/supervisor": {"strowger/transport"}}, []string{"system/internal/supervisor imports strowger/transport"}},
		"admin imports actors":             {graph{"system/internal/admin": {"strowger/actors"}}, []string{"system/internal/admin imports strowger/actors"}},
		"janitor imports tokens":           {graph{"system/internal/janitor": {"strowger/system/token"}}, []string{"system/internal/janitor imports strowger/system/token"}},
		"introspect imports HTTP":          {graph{"system/internal/introspect": {"net/http"}}, []string{"system/internal/introspect imports net/http"}},
		"event socket imports a library":   {graph{"system/fusionpbx/eventsocket": {"net", "net/textproto", gws, "golang.org/x/sys/unix"}}, []string{"system/fusionpbx/eventsocket imports " + gws, "system/fusionpbx/eventsocket imports golang.org/x/sys/unix"}},
		"event socket imports ours":        {graph{"system/fusionpbx/eventsocket": {"strowger/system/internal/supervisor"}}, []string{"system/fusionpbx/eventsocket imports strowger/system/internal/supervisor"}},
		"database imports the router":      {graph{"system/fusionpbx/database": {pgx + "/v5", "strowger/config", "strowger/system/service"}}, []string{"system/fusionpbx/database imports strowger/system/service"}},
		"router imports pgx":               {graph{"actors": {pgx + "/v5"}, "system": {pgx + "/v5/pgxpool"}}, []string{"actors imports " + pgx, "system imports " + pgx}},
		"system imports NATS":              {graph{"system": {nats + "/nats.go"}, "system/internal/cluster": {nats + "/nats-server/v2/server"}}, []string{"system imports " + nats, "system/internal/cluster imports " + nats}},
		"the bus imports NATS":             {graph{"system/internal/cluster/natsbus": {nats + "/nats.go", nats + "/nats-server/v2/server", "strowger/config"}}, nil},
		"the bus imports links":            {graph{"system/internal/cluster/natsbus": {"strowger/system/internal/cluster"}}, []string{"system/internal/cluster/natsbus imports strowger/system/internal/cluster"}},
		"simulator imports what it tests":  {graph{"system/fusionpbx/switchsim": {"strowger/system/fusionpbx/eventsocket"}}, []string{"system/fusionpbx/switchsim imports strowger/system/fusionpbx/eventsocket"}},
		"example imports actors":           {graph{"examples/clock": {"strowger/actors"}}, []string{"examples/clock imports strowger/actors"}},
		"system imports frames":            {graph{"system": {"strowger/transport/frame"}}, []string{"system imports strowger/transport/frame"}},
		"system imports cmd":               {graph{"system": {"strowger/cmd/strowger"}}, []string{"system imports strowger/cmd/strowger"}},
		"system imports bench":             {graph{"system": {"strowger/bench"}}, []string{"system imports strowger/bench"}},
		"bench without its go.mod":         {graph{"bench/peers": {"fmt"}}, []string{"bench/peers is a package of this module"}},
		"a directory without a rule":       {graph{"common": {"fmt"}}, []string{"common has no rule"}},
		"a name that only begins the same": {graph{"actors": {"net/httpish", gws + "x"}, "system": {"strowger/configuration"}}, []string{"system imports strowger/configuration"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := violations(test.imports, rules())
			ok := slices.EqualFunc(got, test.want, func(got, want string) bool { return strings.HasPrefix(got, want) })
			if !ok {
				t.Errorf("got %q, want beginnings %q", got, test.want)
			}
		})
	}
}

// The directories at the top are the parts that ARCHITECTURE.md names, and what surrounds them. Code that
// seems to belong to none of them goes below the part that needs it.
func TestTopLevel(t *testing.T) {
	want := []string{"actors", "bench", "client", "clients", "cmd", "config", "deploy", "docs", "examples", "system", "testdata", "tools", "transport"}
	output := []string{"bin", "dist"} // of builds; git ignores them
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		if name := entry.Name(); entry.IsDir() && name[0] != '.' && !slices.Contains(output, name) {
			got = append(got, name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("directories at the top: %q, want %q", got, want)
	}
}

// violations returns a sentence for each import that no rule allows, in order of the packages.
func violations(imports graph, rules []rule) []string {
	var problems []string
	dirs := make([]string, 0, len(imports))
	for dir := range imports {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		i := slices.IndexFunc(rules, func(r rule) bool { return covers(r.dir, dir) })
		if i < 0 {
			problems = append(problems, fmt.Sprintf("%s has no rule: say in rules what it may import", dir))
			continue
		}
		r := rules[i]
		if r.banned {
			problems = append(problems, fmt.Sprintf("%s is a package of this module: %s", dir, r.reason))
			continue
		}
		for _, imported := range imports[dir] {
			if !r.allows(imported) {
				problems = append(problems, fmt.Sprintf("%s imports %s: %s", dir, imported, r.reason))
			}
		}
	}
	return problems
}

func (r rule) allows(imported string) bool {
	if dir, ours := strings.CutPrefix(imported, module+"/"); ours {
		return slices.ContainsFunc(r.ours, func(pattern string) bool { return covers(pattern, dir) })
	}
	if first, _, _ := strings.Cut(imported, "/"); r.standard && strings.Contains(first, ".") {
		return false
	}
	if covers(pgx+"/...", imported) && !r.database {
		return false
	}
	if covers(nats+"/...", imported) && !r.bus {
		return false
	}
	return !slices.ContainsFunc(r.never, func(never string) bool { return covers(never+"/...", imported) })
}

// covers reports whether the pattern, which may end in /..., means the path.
func covers(pattern, path string) bool {
	root, below := strings.CutSuffix(pattern, "/...")
	return path == root || below && strings.HasPrefix(path, root+"/")
}

// readImports reads the files of the module at root, for all systems and architectures. Tests may
// import what they like, so their files are left out, as are other modules below root.
func readImports(root string) (graph, error) {
	imports := graph{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return skip(root, name)
		case !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(relative))
		imports[dir] = slices.Grow(imports[dir], len(file.Imports))
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: read import: %w", name, err)
			}
			if !slices.Contains(imports[dir], imported) {
				imports[dir] = append(imports[dir], imported)
			}
		}
		return nil
	})
	return imports, err
}

// skip returns fs.SkipDir for directories that hold no package of the module at root.
func skip(root, dir string) error {
	if dir == root {
		return nil
	}
	base := filepath.Base(dir)
	if base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}
