package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"strowger/bench/server"
	"strowger/bench/workload"
)

// options are what the command line says.
type options struct {
	plan     string
	only     *regexp.Regexp
	servers  []string
	rounds   int
	times    workload.Times
	root     string
	strowger string
	json     bool
	service  string
	environ  []string
	// centrifuge are flags for that peer.
	centrifuge []string
	// programs are other servers that speak the hub's protocol.
	programs []server.Spec
	out      string
	// pin keeps the server and the generator on different processors.
	pin  bool
	args []string
}

func parseOptions(args []string) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "Measure strowger beside its peers.\n\n  go run . [flags]\n  go run . report [flags] RESULT.json...\n\n")
		flags.PrintDefaults()
	}
	o := options{args: args}
	flags.StringVar(&o.plan, "plan", "full", "`WHAT` to measure: "+strings.Join(planNames(), ", "))
	only := flags.String("only", "", "workloads whose name matches `REGEXP` only")
	servers := flags.String("servers", "", "comma separated `NAMES`; all unless given")
	flags.IntVar(&o.rounds, "rounds", 0, "`N` rounds; the plan's unless given")
	flags.DurationVar(&o.times.Warm, "warm", 0, "`TIME` of load before anything is counted; the plan's unless given")
	flags.DurationVar(&o.times.Measure, "measure", 0, "`TIME` of load that is counted; the plan's unless given")
	flags.DurationVar(&o.times.Settle, "settle", 0, "`TIME` that idle servers are left alone; the plan's unless given")
	flags.StringVar(&o.root, "root", "..", "build strowger from the module in `DIR`")
	flags.StringVar(&o.strowger, "strowger", "", "use this `PROGRAM` in place of building one")
	flags.BoolVar(&o.json, "json-tokens", false, "strowger's own token files in place of FusionPBX's")
	flags.StringVar(&o.service, "service", "dashboard.system.information/cpu_status", "ask this service inside strowger, `NAME/TOPIC`")
	environ := flags.String("strowger-env", "", "comma separated `NAME=VALUE` for strowger, such as GOGC=50")
	centrifuge := flags.String("centrifuge", "", "comma separated `FLAGS` for centrifuge, such as -write-delay=1ms")
	flags.Func("program", "`NAME=PROGRAM` takes part too: it speaks the hub's protocol and prints its address as the floor does; may be repeated", func(text string) error {
		name, program, ok := strings.Cut(text, "=")
		if !ok || name == "" || program == "" {
			return fmt.Errorf("%q is not NAME=PROGRAM", text)
		}
		o.programs = append(o.programs, server.Program(name, program))
		return nil
	})
	flags.BoolVar(&o.pin, "pin", false, "keep the server on the first processor and the generator on the others; for plan switch")
	flags.StringVar(&o.out, "out", "results", "`DIR` for results.json and results.md")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	if *servers != "" {
		o.servers = strings.Split(*servers, ",")
	}
	if *environ != "" {
		o.environ = strings.Split(*environ, ",")
	}
	if *centrifuge != "" {
		o.centrifuge = strings.Split(*centrifuge, ",")
	}
	if !slices.Contains(planNames(), o.plan) {
		return o, fmt.Errorf("-plan: %s is not one of %s", o.plan, strings.Join(planNames(), ", "))
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return o, fmt.Errorf("-out: %w", err)
	}
	return o, nil
}
