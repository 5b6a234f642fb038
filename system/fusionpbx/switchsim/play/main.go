// Play plays a recording as the event socket of a switch, for work on services without a switch:
//
//	go run ./system/fusionpbx/switchsim/play -address 127.0.0.1:8021 testdata/fusionpbx/corpus/calls-busy
//
// It is a simulator and says so. It ends after the recording, or when it is interrupted.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"strowger/system/fusionpbx/switchsim"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "play:", err)
		os.Exit(1)
	}
}

func run() error {
	address := flag.String("address", "127.0.0.1:8021", "loopback address to listen on")
	speed := flag.Float64("speed", 1, "how many times faster than recorded; 0 is without pauses")
	linger := flag.Duration("linger", 2*time.Second, "how long to answer commands after the last event")
	flag.Parse()
	if flag.NArg() != 1 {
		return fmt.Errorf("want one directory of a recording, got %d", flag.NArg())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir := filepath.Clean(flag.Arg(0))
	recording, err := switchsim.Load(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	if err != nil {
		return err
	}
	sim, err := switchsim.Start(recording, switchsim.Options{Address: *address, Speed: *speed, Log: slog.Default()})
	if err != nil {
		return err
	}
	defer sim.Close()
	if err := sim.Play(ctx); err != nil {
		return err
	}
	select {
	case <-time.After(*linger):
	case <-ctx.Done():
	}
	return nil
}
