package system

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"strowger/config"
)

// heirVariable makes the test binary a router that takes over: the directory of its tokens. It ends with its standard
// input, so that none outlives the test.
const heirVariable = "TEST_HEIR"

func heirConfig(dir string) *config.Config {
	cfg := config.Default()
	cfg.Listen.Address, cfg.Admin.Address, cfg.Tokens.Directory = "127.0.0.1:0", "", dir
	cfg.Routing.UnknownService = "404"
	cfg.Upgrade.Timeout, cfg.Upgrade.Pause = patience, time.Minute // a machine under load is slow
	return cfg
}

func inheritAlone(dir string) int {
	if err := inherit(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func inherit(dir string) error {
	heir, err := OpenHeir(os.Getenv(UpgradeVariable))
	if err != nil {
		return err
	}
	o := Options{Config: heirConfig(dir), Log: slog.New(slog.DiscardHandler), Heir: heir}
	if os.Getenv(templatesVariable) != "" {
		o.Templates = map[string]Template{"echo": echoTemplate}
	}
	s, err := New(o)
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		heir.Fail(err)
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	_ = s.Stop(context.Background())
	return err
}

// templatesVariable gives the router the templates.
const templatesVariable = "TEST_TEMPLATES"
