package config_test

import (
	"errors"
	"fmt"

	"strowger/config"

	"github.com/spf13/pflag"
)

func ExampleLoad() {
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	flags.String("listen", "", "address to accept connections on")
	if err := flags.Parse([]string{"--listen", "127.0.0.1:9000"}); err != nil {
		fmt.Println(err)
		return
	}
	cfg, err := config.Load(config.Options{
		Environ:  []string{"STROWGER_LIMITS__CLIENT_BYTES=256KiB"},
		Flags:    flags,
		FlagKeys: map[string]string{"listen": "listen.address"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cfg.Listen.Address, cfg.Limits.ClientBytes, cfg.Limits.HeaderTimeout)
	// Output: 127.0.0.1:9000 256KiB 10s
}

func ExampleLoad_errors() {
	_, err := config.Load(config.Options{
		Environ: []string{"STROWGER_LIMITS__HEADER_TIMEOUT=3", "STROWGER_LOG__LEVEL=loud"},
	})
	fmt.Println(err)

	var first *config.Error
	if errors.As(err, &first) {
		fmt.Println(first.Key)
	}
	// Output:
	// STROWGER_LIMITS__HEADER_TIMEOUT: limits.header_timeout: 3 has no unit, write 3s
	// STROWGER_LOG__LEVEL: log.level: loud is not one of debug, info, warn, error
	// limits.header_timeout
}

func ExampleDiff() {
	before, after := config.Default(), config.Default()
	after.Log.Level = "debug"
	after.Listen.Address = ":9000"
	for _, change := range config.Diff(before, after) {
		fmt.Printf("%s: %s -> %s, without a restart: %v\n", change.Key, change.Old, change.New, change.Reloadable)
	}
	// Output:
	// listen.address: "127.0.0.1:8080" -> ":9000", without a restart: false
	// log.level: "info" -> "debug", without a restart: true
}
