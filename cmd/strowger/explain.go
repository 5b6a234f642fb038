package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strowger/cmd/strowger/internal/adminpages"
	"strowger/cmd/strowger/internal/errno"
	"strowger/config"
	"strowger/system"
	"strowger/system/token"
)

// explainFlags are what explain is told.
type explainFlags struct {
	token, subscriber    string
	service, class       string
	event, config, admin string
	files                adminpages.Files
	timeout              time.Duration
	at                   *adminpages.Place // with subscriber
}

func (p *program) explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain (--token FILE | --subscriber ID) --service NAME",
		Short: "Tell what a subscriber gets of a service's message, and why",
		Long: `Explain prints what somebody gets of what a service says, field by field, and which
rule of the service's policy says so, as one line of JSON for each instance of the service.
Without --event it tells by which scope the subscriber sees messages, or why none at all.

"source" says whose policy counts: configuration (the settings file), service (a service
in the router has it in code), builtin or default (there is none). "policy" is its name.

With --token it asks nobody: the token file is read and left as it is, and the policies
are the built-in ones and those of --config. The class of the service's token is that of
FusionPBX's service of the name, or that of --class.

With --subscriber it asks the running daemon about somebody who is connected, by the
policies in use. That needs the daemon's admin listener, see --admin. The ID is in the log
and in what that listener answers at /subscribers?service=NAME.

There are two causes for a 403. If the router refuses a request before the service sees it,
"refused" says why, with the request as the event. If it drops the reply to a request that
was carried out, "rule" says why, with the reply as the event.

An event is a JSON object with topic and payload, as the service sends it.`,
		Example: `  strowger explain --token /dev/shm/TOKEN.php --service active.calls
  strowger explain --token alice.json --service weather --config /etc/strowger.yaml --event rain.json
  echo '{"topic":"x","payload":{"a":1}}' | strowger explain --subscriber ID --service weather --event -`,
		Args: noArguments,
	}
	var f explainFlags
	flags := cmd.Flags()
	flags.StringVar(&f.token, "token", "", "explain for the holder of the token `FILE`")
	flags.StringVar(&f.subscriber, "subscriber", "", "explain for the connected subscriber `ID`")
	flags.StringVar(&f.service, "service", "", "`NAME` of the service")
	flags.StringVar(&f.class, "class", "", "`CLASS` of the service's token, with --token")
	flags.StringVar(&f.event, "event", "", "message in `FILE`, - meaning stdin")
	flags.StringVar(&f.config, "config", "", "settings in `FILE`, with --token")
	flags.StringVar(&f.admin, "admin", "", "`HOST:PORT` of the daemon's admin port, or https://HOST:PORT, with --subscriber (default 127.0.0.1:8081)")
	addPageFiles(flags, &f.files)
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "longest `TIME` to wait for the daemon")
	cmd.RunE = verb(func([]string) error {
		if err := oneOf(flags, "token", "subscriber"); err != nil {
			return err
		}
		if err := notEmpty(flags, "token", "subscriber", "service", "class", "event", "config", "admin"); err != nil {
			return err
		}
		return p.explain(&f)
	})
	return cmd
}

func (p *program) explain(f *explainFlags) error {
	if f.service == "" {
		return usage("--service NAME is missing")
	}
	data, err := p.readEvent(f.event)
	if err != nil {
		return err
	}
	if f.token != "" {
		return p.explainToken(f, data)
	}
	return p.explainSubscriber(f, data)
}

// readEvent returns what is in the file of an event, nil where none is named.
func (p *program) readEvent(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	source := p.stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--event: %w", err)
		}
		defer file.Close()
		source = file
	}
	data, err := io.ReadAll(io.LimitReader(source, largestPayload+1))
	if err != nil {
		return nil, fmt.Errorf("--event: %w", err)
	}
	if len(data) > largestPayload {
		return nil, fmt.Errorf("--event: more than %d bytes", largestPayload)
	}
	var event json.RawMessage
	if err := json.Unmarshal(data, &event); err != nil {
		return nil, fmt.Errorf("--event: %w", notJSON(data, err))
	}
	if _, err := system.ParseEvent(data); err != nil {
		return nil, fmt.Errorf("--event: %w", err)
	}
	return data, nil
}

func (p *program) explainToken(f *explainFlags, event []byte) error {
	if f.admin != "" || f.files != (adminpages.Files{}) {
		return usage("--admin goes with --subscriber: with --token no daemon is asked")
	}
	cfg, err := config.Load(config.Options{File: f.config})
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	t, err := token.Read(f.token, system.TokenBounds(cfg))
	if err != nil {
		return err
	}
	var said *system.Event
	if event != nil {
		if said, err = system.ParseEvent(event); err != nil {
			return fmt.Errorf("--event: %w", err)
		}
	}
	explanation, err := system.ExplainToken(cfg, t, f.service, f.class, said)
	if err != nil {
		return err
	}
	return printJSON(p.stdout, explanation)
}

func (p *program) explainSubscriber(f *explainFlags, event []byte) error {
	switch {
	case f.config != "" || f.class != "":
		return usage("--config and --class go with --token: with --subscriber the daemon knows both")
	case f.timeout <= 0:
		return usage("--timeout: %v is not a time to wait", f.timeout)
	}
	if f.admin == "" {
		f.admin = config.Default().Admin.Address
	}
	var err error
	if f.at, err = adminpages.At(f.admin, f.files); err != nil {
		return usage("--admin: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
	defer cancel()
	explanations, err := askDaemon(ctx, f, event)
	if errors.Is(err, errno.Refused) {
		return fmt.Errorf("ask the daemon: %w; does strowger serve run, with its admin pages at %s? --admin names another address", err, f.admin)
	}
	if err != nil {
		return fmt.Errorf("ask the daemon: %w", err)
	}
	for _, explanation := range explanations {
		if err := printJSON(p.stdout, explanation); err != nil {
			return err
		}
	}
	return nil
}

// askDaemon has the admin listener explain.
func askDaemon(ctx context.Context, f *explainFlags, event []byte) ([]*system.Explanation, error) {
	query := url.Values{"subscriber": {f.subscriber}, "service": {f.service}}
	method := http.MethodGet
	if event != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, f.at.URL("/explain?"+query.Encode()), strings.NewReader(string(event)))
	if err != nil {
		return nil, err
	}
	response, err := f.at.Client().Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 2*largestPayload))
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %s; %s lists who watches a service",
			response.Status, strings.TrimSpace(string(body)), f.at.URL("/subscribers?service=NAME"))
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	var explanations []*system.Explanation
	if err := json.Unmarshal(body, &explanations); err != nil {
		return nil, errors.New("the answer is no explanation; is this the admin listener of a strowger?")
	}
	return explanations, nil
}
