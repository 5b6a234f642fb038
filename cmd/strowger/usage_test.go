package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestWrongCommandLines(t *testing.T) {
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("log:\n  level: loud\nlimits:\n  depth: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args    []string
		stdin   string
		environ []string
		status  int
		stderr  string // its first line
		hint    string // the command whose help is named
	}{
		"no command":               {nil, "", nil, 2, "strowger: a command is missing: one of serve, reload, upgrade, demo, call, listen, token, explain, check, status, cluster, service, connections, deadletters, top, mcp, admin, fusionpbx, config, version", "strowger"},
		"unknown command":          {[]string{"frobnicate"}, "", nil, 2, `strowger: unknown command "frobnicate": want one of serve, reload, upgrade, demo, call, listen, token, explain, check, status, cluster, service, connections, deadletters, top, mcp, admin, fusionpbx, config, version`, "strowger"},
		"near command":             {[]string{"serv"}, "", nil, 2, `strowger: unknown command "serv", did you mean serve or service?`, "strowger"},
		"no token command":         {[]string{"token"}, "", nil, 2, "strowger: a command is missing: one of create, jwt, apikey", "strowger token"},
		"unknown config command":   {[]string{"config", "frobnicate"}, "", nil, 2, `strowger: unknown command "frobnicate": want one of defaults, check, show, policies, schema`, "strowger config"},
		"unknown flag":             {[]string{"serve", "--frobnicate"}, "", nil, 2, "strowger: unknown flag: --frobnicate", "strowger serve"},
		"argument of serve":        {[]string{"serve", "--fusionpbx", "config.conf"}, "", nil, 2, `strowger: unexpected argument "config.conf"; a file of settings is --config FILE, FusionPBX's is --fusionpbx=FILE`, "strowger serve"},
		"argument of version":      {[]string{"version", "x"}, "", nil, 2, `strowger: unexpected argument "x": strowger version takes none`, "strowger version"},
		"value of a serve flag":    {[]string{"serve", "--log-level", "loud"}, "", nil, 2, "strowger: --log-level: log.level: loud is not one of debug, info, warn, error", "strowger serve"},
		"environment":              {[]string{"serve"}, "", []string{"STROWGER_LOG__LEVEL=loud"}, 1, "strowger: configuration:", ""},
		"missing FusionPBX":        {[]string{"serve", "--fusionpbx=/nonexistent/config.conf"}, "", nil, 1, "strowger: configuration:", ""},
		"check without a file":     {[]string{"config", "check"}, "", nil, 2, "strowger: FILE is missing, write: strowger config check FILE", "strowger config check"},
		"check of a wrong file":    {[]string{"config", "check", wrong}, "", nil, 1, wrong + ":4: limits.depth: 1 is too small, the smallest is 8", ""},
		"policies of a wrong file": {[]string{"config", "policies", wrong}, "", nil, 1, "strowger: " + wrong + ":4: limits.depth: 1 is too small, the smallest is 8", ""},
		"reload an argument":       {[]string{"reload", "x"}, "", nil, 2, `strowger: unexpected argument "x": strowger reload takes none`, "strowger reload"},
		"reload in no time":        {[]string{"reload", "--timeout", "0s"}, "", nil, 2, "strowger: --timeout: 0s is not a time to wait", "strowger reload"},
		"reload of nobody":         {[]string{"reload", "--admin", ""}, "", nil, 2, "strowger: --admin: HOST:PORT is empty", "strowger reload"},
		"reload at no port":        {[]string{"reload", "--admin", "here"}, "", nil, 2, "strowger: --admin: admin.address: here is not host:port, write it like 127.0.0.1:8080 or [::1]:8080", "strowger reload"},
		"check an argument":        {[]string{"check", "x"}, "", nil, 2, `strowger: unexpected argument "x": strowger check takes none`, "strowger check"},
		"check in no time":         {[]string{"check", "--timeout", "0s"}, "", nil, 2, "strowger: --timeout: 0s is not a time to wait", "strowger check"},
		"check of no file":         {[]string{"check", "--config", ""}, "", nil, 2, "strowger: --config: FILE is empty", "strowger check"},
		"no fusionpbx command":     {[]string{"fusionpbx"}, "", nil, 2, "strowger: a command is missing: one of install, update, remove", "strowger fusionpbx"},
		"old fusionpbx command":    {[]string{"fusionpbx", "over"}, "", nil, 2, `strowger: unknown command "over": want one of install, update, remove`, "strowger fusionpbx"},
		"install an argument":      {[]string{"fusionpbx", "install", "router"}, "", nil, 2, `strowger: unexpected argument "router": strowger fusionpbx install takes none`, "strowger fusionpbx install"},
		"install no file":          {[]string{"fusionpbx", "install", "--config", ""}, "", nil, 2, "strowger: --config: FILE is empty", "strowger fusionpbx install"},
		"install a near file":      {[]string{"fusionpbx", "install", "--config", "strowger.yaml"}, "", nil, 2, `strowger: --config: "strowger.yaml" is no absolute path`, "strowger fusionpbx install"},
		"install in no time":       {[]string{"fusionpbx", "install", "--timeout", "0s"}, "", nil, 2, "strowger: --timeout: 0s is not a time to wait", "strowger fusionpbx install"},
		"explain to nobody":        {[]string{"explain", "--service", "s"}, "", nil, 2, "strowger: --token FILE or --subscriber ID is missing", "strowger explain"},
		"explain no service":       {[]string{"explain", "--token", "t.php"}, "", nil, 2, "strowger: --service NAME is missing", "strowger explain"},
		"explain a wrong event":    {[]string{"explain", "--token", "t.php", "--service", "s", "--event", "-"}, "{", nil, 1, "strowger: --event: ", ""},
		"explain an empty event":   {[]string{"explain", "--token", "t.php", "--service", "s", "--event", "-"}, `{"a":1}`, nil, 1, `strowger: --event: the event has neither topic nor payload, write {"topic": ..., "payload": ...}`, ""},
		"explain no token":         {[]string{"explain", "--token", "/nonexistent.php", "--service", "s"}, "", nil, 1, "strowger: read token: ", ""},
		"status in no time":        {[]string{"status", "--timeout", "0s"}, "", nil, 2, "strowger: --timeout: 0s is not a time to wait", "strowger status"},
		"status at a URL":          {[]string{"status", "--admin", "http://127.0.0.1:8081"}, "", nil, 2, `strowger: --admin: "http://127.0.0.1:8081" is not HOST:PORT or https://HOST:PORT`, "strowger status"},
		"mcp with an argument":     {[]string{"mcp", "status"}, "", nil, 2, `strowger: unexpected argument "status": strowger mcp takes none`, "strowger mcp"},
		"mcp in no time":           {[]string{"mcp", "--timeout", "0s"}, "", nil, 2, "strowger: --timeout: 0s is not a time to wait", "strowger mcp"},
		"mcp at a URL":             {[]string{"mcp", "--admin", "http://127.0.0.1:8081"}, "", nil, 2, `strowger: --admin: "http://127.0.0.1:8081" is not HOST:PORT or https://HOST:PORT`, "strowger mcp"},
		"mcp allowed near actions": {[]string{"mcp", "--allow-action"}, "", nil, 2, "strowger: unknown flag: --allow-action, did you mean --allow-actions?", "strowger mcp"},
		"no deed":                  {[]string{"service"}, "", nil, 2, "strowger: a command is missing: one of restart, stop, start, reset, add, remove", "strowger service"},
		"deed for nobody":          {[]string{"service", "stop"}, "", nil, 2, "strowger: NAME is missing, write: strowger service stop NAME", "strowger service stop"},
		"unknown connections":      {[]string{"connections", "close"}, "", nil, 2, `strowger: unknown command "close": want one of disconnect`, "strowger connections"},
		"disconnect nobody":        {[]string{"connections", "disconnect", "x"}, "", nil, 2, `strowger: NUMBER: "x" is neither a number from 1 on nor an ID`, "strowger connections disconnect"},
		"dead letter of no number": {[]string{"deadletters", "show", "0"}, "", nil, 2, `strowger: NUMBER: "0" is no number from 1 on`, "strowger deadletters show"},
		"replay unasked":           {[]string{"deadletters", "replay", "1"}, "", nil, 2, "strowger: nobody can be asked on a terminal: write --yes", "strowger deadletters replay"},
		"demo for everybody":       {[]string{"demo", "--listen", "0.0.0.0:8080"}, "", nil, 2, `strowger: --listen: "0.0.0.0" is no loopback address such as 127.0.0.1, and a demo is for this machine only`, "strowger demo"},
		"demo page for everybody":  {[]string{"demo", "--page", ":8088"}, "", nil, 2, `strowger: --page: "" is no loopback address such as 127.0.0.1, and a demo is for this machine only`, "strowger demo"},
		"demo's console for all":   {[]string{"demo", "--admin", "0.0.0.0:8081"}, "", nil, 2, `strowger: --admin: "0.0.0.0" is no loopback address such as 127.0.0.1, and a demo is for this machine only`, "strowger demo"},
		"demo without a pause":     {[]string{"demo", "--chaos", "--chaos-interval", "0s"}, "", nil, 2, "strowger: --chaos-interval: 0s is not a time to wait", "strowger demo"},
		"demo at a wrong level":    {[]string{"demo", "--log-level", "loud"}, "", nil, 2, "strowger: --log-level: log.level: loud is not one of debug, info, warn, error", "strowger demo"},
		"argument of demo":         {[]string{"demo", "chaos"}, "", nil, 2, `strowger: unexpected argument "chaos": strowger demo takes none`, "strowger demo"},
		"service from nothing":     {[]string{"service", "add", "a"}, "", nil, 2, "strowger: TEMPLATE is missing, write: strowger service add NAME TEMPLATE [KEY=VALUE]...", "strowger service add"},
		"service without a value":  {[]string{"service", "add", "a", "b", "c"}, "", nil, 2, `strowger: "c": want KEY=VALUE, and each key once`, "strowger service add"},
		"service with two values":  {[]string{"service", "add", "a", "b", "c=1", "c=2"}, "", nil, 2, `strowger: "c=2": want KEY=VALUE, and each key once`, "strowger service add"},
		"token for nobody":         {[]string{"token", "create"}, "", nil, 2, "strowger: --user NAME or --service NAME is missing", "strowger token create"},
		"token for an empty":       {[]string{"token", "create", "--user", ""}, "", nil, 2, "strowger: --user: NAME is empty", "strowger token create"},
		"token for two":            {[]string{"token", "create", "--user", "a", "--service", "b"}, "", nil, 2, "strowger: --user and --service exclude each other", "strowger token create"},
		"token format":             {[]string{"token", "create", "--user", "a", "--format", "xml"}, "", nil, 2, `strowger: --format: token format "xml": want "php" or "json"`, "strowger token create"},
		"token claimed in PHP":     {[]string{"token", "create", "--user", "a", "--format", "php", "--claim-within", "1m"}, "", nil, 2, "strowger: --claim-within: the php format cannot say it; use --format json", "strowger token create"},
		"JWT without a key":        {[]string{"token", "jwt", "--subject", "a"}, "", nil, 2, "strowger: --key and --subject are required", "strowger token jwt"},
		"JWT by no algorithm":      {[]string{"token", "jwt", "--subject", "a", "--key", "k", "--alg", "none"}, "", nil, 2, `strowger: --alg: "none" is not one of ES256, ES384, ES512, EdDSA, HS256, HS384, HS512, RS256, RS384, RS512`, "strowger token jwt"},
		"JWT with half a claim":    {[]string{"token", "jwt", "--subject", "a", "--key", "k", "--claim", "role=admin"}, "", nil, 2, `strowger: --claim: "role=admin" is not NAME=JSON; a text has quotes, as in 'role="admin"'`, "strowger token jwt"},
		"JWT without a file":       {[]string{"token", "jwt", "--subject", "a", "--key", "/nonexistent"}, "", nil, 1, "strowger: --key: ", ""},
		"API key for nobody":       {[]string{"token", "apikey", "--file", "f"}, "", nil, 2, "strowger: --file and --service are required", "strowger token apikey"},
		"API key for an empty":     {[]string{"token", "apikey", "--file", "f", "--service", ""}, "", nil, 2, "strowger: --service: NAME is empty", "strowger token apikey"},
		"API key in no directory":  {[]string{"token", "apikey", "--file", "/nonexistent/f", "--service", "a"}, "", nil, 1, "strowger: --file: ", ""},
		"token in no directory":    {[]string{"token", "create", "--user", "a", "--token-dir", "/nonexistent"}, "", nil, 1, "strowger: create token: ", ""},
		"call without a topic":     {[]string{"call", "weather"}, "", nil, 2, "strowger: TOPIC is missing, write: strowger call SERVICE TOPIC [JSON]", "strowger call"},
		"call of nobody":           {[]string{"call", "", "today"}, "", nil, 2, "strowger: SERVICE: the name of the service is empty", "strowger call"},
		"call without JSON":        {[]string{"call", "weather", "today", "{city}"}, "", nil, 2, "strowger: JSON: not JSON at byte 2: ", "strowger call"},
		"call with empty stdin":    {[]string{"call", "weather", "today", "-"}, "", nil, 2, "strowger: stdin: not JSON: it is empty", "strowger call"},
		"call with wrong stdin":    {[]string{"call", "weather", "today", "-"}, "[1,\n", nil, 2, "strowger: stdin: not JSON at byte 4: ", "strowger call"},
		"call without time":        {[]string{"call", "weather", "today", "--timeout", "0s"}, "", nil, 2, "strowger: --timeout: 0s is not a time to wait", "strowger call"},
		"call with half a token":   {[]string{"call", "weather", "today", "--token-name", "n"}, "", nil, 2, "strowger: --token-hash is missing, --token-name needs it", "strowger call"},
		"token variable":           {[]string{"call", "weather", "today"}, "", []string{"STROWGER_TOKEN=name"}, 2, "strowger: STROWGER_TOKEN: want NAME:HASH", "strowger call"},
		"scheme":                   {[]string{"call", "weather", "today", "--url", "http://127.0.0.1/"}, "", nil, 2, `strowger: --url: "http://127.0.0.1/" is no address of a router, write ws://HOST:PORT/, or wss:// for TLS`, "strowger call"},
		"listen to nothing":        {[]string{"listen"}, "", nil, 2, "strowger: SERVICE is missing, write: strowger listen SERVICE...", "strowger listen"},
		"help for nothing":         {[]string{"help", "frobnicate"}, "", nil, 2, `strowger: unknown command "frobnicate": want one of serve, reload, upgrade, demo, call, listen, token, explain, check, status, cluster, service, connections, deadletters, top, mcp, admin, fusionpbx, config, version`, "strowger"},
		"help for a near command":  {[]string{"help", "config", "chek"}, "", nil, 2, `strowger: unknown command "chek", did you mean check?`, "strowger"},
		"help below a verb":        {[]string{"help", "call", "x"}, "", nil, 2, `strowger: unknown command "x": strowger call has no commands`, "strowger"},
		"completion":               {[]string{"completion"}, "", nil, 2, "strowger: a command is missing: one of bash, fish, powershell, zsh", "strowger completion"},
		"completion of tcsh":       {[]string{"completion", "tcsh"}, "", nil, 2, `strowger: unknown command "tcsh": want one of bash, fish, powershell, zsh`, "strowger completion"},
		"argument of completion":   {[]string{"completion", "bash", "x"}, "", nil, 2, `strowger: unexpected argument "x": strowger completion bash takes none`, "strowger completion bash"},
		"version of a command":     {[]string{"--version", "x"}, "", nil, 2, `strowger: unknown command "x": want one of serve, reload, upgrade, demo, call, listen, token, explain, check, status, cluster, service, connections, deadletters, top, mcp, admin, fusionpbx, config, version`, "strowger"},
		"short flag":               {[]string{"-v"}, "", nil, 2, "strowger: unknown flag -v", "strowger"},
		"short flag of a verb":     {[]string{"call", "a", "b", "-1"}, "", nil, 2, "strowger: unknown flag -1; an argument that begins with - stands after --", "strowger call"},
		"near flag":                {[]string{"serve", "--tokens-dir", "x"}, "", nil, 2, "strowger: unknown flag: --tokens-dir, did you mean --token-dir?", "strowger serve"},
		"part of a flag":           {[]string{"call", "a", "b", "--domain", "x"}, "", nil, 2, "strowger: unknown flag: --domain, did you mean --domain-name or --domain-uuid?", "strowger call"},
		"flag without a value":     {[]string{"token", "create", "--user"}, "", nil, 2, "strowger: --user: NAME is missing", "strowger token create"},
		"time without a unit":      {[]string{"call", "a", "b", "--timeout", "1"}, "", nil, 2, `strowger: --timeout: "1" is no time, write it like 2s or 1m30s`, "strowger call"},
		"count below zero":         {[]string{"listen", "a", "--count", "-1"}, "", nil, 2, `strowger: --count: "-1" is no number from 0 on`, "strowger listen"},
		"chaos with a value":       {[]string{"demo", "--chaos=x"}, "", nil, 2, `strowger: --chaos: "x" is neither true nor false`, "strowger demo"},
		"call without arguments":   {[]string{"call"}, "", nil, 2, "strowger: SERVICE and TOPIC are missing, write: strowger call SERVICE TOPIC [JSON]", "strowger call"},
		"call with too many":       {[]string{"call", "a", "b", "{c:", "d}"}, "", nil, 2, `strowger: unexpected argument "d}", write: strowger call SERVICE TOPIC [JSON]; JSON with spaces in it stands in single quotes`, "strowger call"},
		"call with wrong lines":    {[]string{"call", "a", "b", "-"}, "{\n \"a\": tru\n}", nil, 2, "strowger: stdin: not JSON at line 2, byte 10: ", "strowger call"},
		"call with lost quotes":    {[]string{"call", "a", "b", "{a: 1}"}, "", nil, 2, `strowger: JSON: not JSON at byte 2: invalid character 'a' looking for beginning of object key string; names stand in double quotes, which a shell removes unless the whole stands in single quotes: '{"a":1}'`, "strowger call"},
		"call without a host":      {[]string{"call", "a", "b", "--url", "ws:///x"}, "", nil, 2, `strowger: --url: "ws:///x" is no address of a router, write ws://HOST:PORT/, or wss:// for TLS`, "strowger call"},
		"call with a hash only":    {[]string{"call", "a", "b", "--token-hash", "h"}, "", nil, 2, "strowger: --token-name is missing, --token-hash needs it", "strowger call"},
		"listen with half a token": {[]string{"listen", "a", "--token-name", "n"}, "", nil, 2, "strowger: --token-hash is missing, --token-name needs it", "strowger listen"},
		"check of two files":       {[]string{"config", "check", "a", "b"}, "", nil, 2, `strowger: unexpected argument "b", write: strowger config check FILE`, "strowger config check"},
		"policies of two files":    {[]string{"config", "policies", "a", "b"}, "", nil, 2, `strowger: unexpected argument "b", write: strowger config policies [FILE]`, "strowger config policies"},
		"token for a user's class": {[]string{"token", "create", "--user", "a", "--class", "b"}, "", nil, 2, "strowger: --user and --class exclude each other", "strowger token create"},
		"service with extensions":  {[]string{"token", "create", "--service", "a", "--extension", "b@c"}, "", nil, 2, "strowger: --service and --extension exclude each other", "strowger token create"},
		"explain to two":           {[]string{"explain", "--token", "a", "--subscriber", "b", "--service", "s"}, "", nil, 2, "strowger: --token and --subscriber exclude each other", "strowger explain"},
		"settings in no file":      {[]string{"serve", "--config", ""}, "", nil, 2, "strowger: --config: FILE is empty", "strowger serve"},
		"settings shown of none":   {[]string{"config", "show", "--config", ""}, "", nil, 2, "strowger: --config: FILE is empty", "strowger config show"},
		"FusionPBX's in no file":   {[]string{"serve", "--fusionpbx="}, "", nil, 2, "strowger: --fusionpbx: FILE is empty", "strowger serve"},
		"call with an empty token": {[]string{"call", "a", "b", "--token-name", "", "--token-hash", ""}, "", nil, 2, "strowger: --token-name: NAME is empty", "strowger call"},
		"call in an empty domain":  {[]string{"call", "a", "b", "--domain-name", ""}, "", nil, 2, "strowger: --domain-name: NAME is empty", "strowger call"},
		"listen with an empty":     {[]string{"listen", "a", "--permission", "p", "--permission", ""}, "", nil, 2, "strowger: --permission: PERMISSION is empty", "strowger listen"},
		"explain an empty token":   {[]string{"explain", "--token", "", "--service", "s"}, "", nil, 2, "strowger: --token: FILE is empty", "strowger explain"},
		"explain no event":         {[]string{"explain", "--token", "t", "--service", "s", "--event", ""}, "", nil, 2, "strowger: --event: FILE is empty", "strowger explain"},
		"explain at a URL":         {[]string{"explain", "--subscriber", "i", "--service", "s", "--admin", "http://127.0.0.1:8081"}, "", nil, 2, `strowger: --admin: "http://127.0.0.1:8081" is not HOST:PORT or https://HOST:PORT`, "strowger explain"},
		"explain without a port":   {[]string{"explain", "--subscriber", "i", "--service", "s", "--admin", "localhost"}, "", nil, 2, `strowger: --admin: "localhost" is not HOST:PORT or https://HOST:PORT`, "strowger explain"},
		"explain a cut event":      {[]string{"explain", "--token", "t", "--service", "s", "--event", "-"}, "{\"topic\":\n", nil, 1, "strowger: --event: not JSON at byte 10: ", ""},
		"token with no time":       {[]string{"token", "create", "--user", "a", "--limit", "-1s"}, "", nil, 2, "strowger: --limit and --claim-within: a time is below 0", "strowger token create"},
		"token for a number":       {[]string{"token", "create", "--user", "a", "--extension", "1001"}, "", nil, 2, `strowger: --extension: "1001" is not USER@CONTEXT`, "strowger token create"},
		"token to hear nothing":    {[]string{"token", "create", "--user", "a", "--subscribe", ""}, "", nil, 2, "strowger: --subscribe: SERVICE is empty", "strowger token create"},
		"listen to an empty":       {[]string{"listen", "a", ""}, "", nil, 2, "strowger: SERVICE: the name of a service is empty", "strowger listen"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(test.args, strings.NewReader(test.stdin), &stdout, &stderr, test.environ); status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			if stdout.Len() > 0 {
				t.Errorf("stdout: %s", &stdout)
			}
			first, rest, _ := strings.Cut(stderr.String(), "\n")
			if !strings.HasPrefix(first, test.stderr) || strings.HasSuffix(test.stderr, ": ") == (first == test.stderr) {
				t.Errorf("stderr begins with\n%s\nwant\n%s", first, test.stderr)
			}
			hint := "Run '" + test.hint + " --help' for how to use it.\n"
			if test.hint != "" && rest != hint || test.hint == "" && strings.Contains(rest, "--help") {
				t.Errorf("stderr ends with %q, hint %q", rest, test.hint)
			}
		})
	}
}

func TestUnwritableStdout(t *testing.T) {
	for name, args := range map[string][]string{
		"check":           {"check"},
		"version":         {"version"},
		"version as JSON": {"version", "--json"},
		"version flag":    {"--version"},
		"config defaults": {"config", "defaults"},
		"config schema":   {"config", "schema"},
		"token create":    {"token", "create", "--user", "a", "--token-dir", t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			if status := run(args, strings.NewReader(""), fullWriter{}, &stderr, nil); status != 1 {
				t.Errorf("exit status %d, want 1", status)
			}
			if got := stderr.String(); !strings.HasPrefix(got, "strowger: ") || !strings.HasSuffix(got, ": disk is full\n") {
				t.Errorf("stderr %q", got)
			}
		})
	}
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("disk is full") }

// TestHelp checks that every command explains itself and that what the examples show exists.
func TestHelp(t *testing.T) {
	examples := 0
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, child := range cmd.Commands() {
			visit(child)
		}
		if cmd.Short == "" || cmd.Example == "" {
			t.Errorf("%s: no summary or no example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Example) {
			checkExample(t, line)
			examples++
		}
		var stdout, stderr bytes.Buffer
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		if status := run(args, strings.NewReader(""), &stdout, &stderr, nil); status != 0 || stderr.Len() > 0 {
			t.Errorf("%s: exit status %d, stderr %s", args, status, &stderr)
		}
		if !strings.Contains(stdout.String(), cmd.Example) {
			t.Errorf("%s: help without the example:\n%s", args, &stdout)
		}
	}
	visit((&program{}).rootCommand())
	if examples < 15 {
		t.Errorf("%d examples", examples)
	}
}

// checkExample parses one line of an example as the shell and cobra would.
func checkExample(t *testing.T, line string) {
	t.Helper()
	_, rest, found := strings.Cut(" "+line, " strowger ")
	if !found {
		t.Errorf("not an example: %s", line)
		return
	}
	rest, _, _ = strings.Cut(rest, " | ")
	rest, _, _ = strings.Cut(rest, " > ")
	// No example quotes a space.
	words := strings.Fields(strings.ReplaceAll(rest, "'", ""))
	cmd, args, err := (&program{}).rootCommand().Find(words)
	if err == nil {
		err = cmd.ParseFlags(args)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err == nil {
		err = errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups())
	}
	if err != nil || cmd.HasSubCommands() && cmd.Annotations[alone] == "" {
		t.Errorf("%s: %v", strings.TrimSpace(line), err)
	}
}
