package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"strowger/bench/dialect"
	"strowger/bench/feed"
	"strowger/bench/process"
)

// siteStarter makes the commands of a server with services that listen to a switch: the router and, unless they run in
// it, the services.
type siteStarter func(dir string, switchPort int) (site, error)

// site is a router with services.
type site struct {
	router   *exec.Cmd
	services []*exec.Cmd
	dialect  dialect.Dialect
	profiles string
	// listeners is how many connections the switch has when all services listen to channels.
	listeners int
	// settles is how long the services take from then until the router knows them. Who comes before gets everything from
	// the original.
	settles time.Duration
}

// StrowgerSite is strowger with FusionPBX's services inside.
func StrowgerSite(o StrowgerOptions, corpus string) Spec {
	return Spec{Name: "strowger", Title: "strowger", Keeps: true, Corpus: corpus, site: func(dir string, switchPort int) (site, error) {
		port, err := freePort()
		if err != nil {
			return site{}, err
		}
		admin := "127.0.0.1:" + strconv.Itoa(port)
		config, err := writeConfig(dir, limits+"admin: {address: \""+admin+"\", pprof: true}\n")
		if err != nil {
			return site{}, err
		}
		fusion := filepath.Join(dir, "config.conf")
		text := fmt.Sprintf("switch.event_socket.host = 127.0.0.1\nswitch.event_socket.port = %d\nswitch.event_socket.password = ClueCon\n", switchPort)
		if err := os.WriteFile(fusion, []byte(text), 0o600); err != nil {
			return site{}, fmt.Errorf("write configuration: %w", err)
		}
		cmd := exec.Command(o.Binary, "serve", "--fusionpbx="+fusion, "--config", config, "--token-dir", dir, "--listen", "127.0.0.1:0")
		cmd.Env = append(cleanEnviron(), o.Environ...)
		return site{router: cmd, dialect: &dialect.Strowger{Tokens: &dialect.Tokens{Dir: dir}}, listeners: 1,
			profiles: "http://" + admin + "/debug/pprof/"}, nil
	}}
}

// OriginalSite is the PHP router with three services in PHP, each a process of its own.
func OriginalSite(source, corpus string) Spec {
	return Spec{Name: "php", Title: "PHP original", MaxConnections: selectLimit, Corpus: corpus, site: func(dir string, switchPort int) (site, error) {
		script := filepath.Join(dir, "original.php")
		if err := os.WriteFile(script, launcher, 0o600); err != nil {
			return site{}, fmt.Errorf("write launcher: %w", err)
		}
		source, err := filepath.Abs(source)
		if err != nil {
			return site{}, err
		}
		port, err := freePort()
		if err != nil {
			return site{}, err
		}
		s := site{router: exec.Command("php", script, source, strconv.Itoa(port)), dialect: &dialect.Strowger{Tokens: &dialect.Tokens{Dir: "/dev/shm"}},
			listeners: 2, settles: 3 * time.Second} // the service of conferences does not listen to channels
		for _, class := range []string{"bench_calls", "bench_conferences", "bench_panel"} {
			s.services = append(s.services, exec.Command("php", script, source, strconv.Itoa(port), class, strconv.Itoa(switchPort)))
		}
		return s, nil
	}}
}

// startSite starts a switch and the server's processes, and waits until its services listen to the switch.
func (s Spec) startSite(dir string) (*Running, error) {
	sw, err := feed.Start(s.Corpus)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	r := &Running{Switch: sw, dir: dir}
	err = r.begin(s)
	if err == nil {
		return r, nil
	}
	err = fmt.Errorf("%s: %w", s.Name, err)
	if r.Process == nil {
		return nil, errors.Join(err, sw.Close(), os.RemoveAll(dir))
	}
	return nil, errors.Join(err, r.Stop())
}

// listenTimeout is how long services may take to listen. The original takes 40 ms for each of its filters.
const listenTimeout = 30 * time.Second

func (r *Running) begin(s Spec) error {
	parts, err := s.site(r.dir, r.Switch.Port())
	if err != nil {
		return err
	}
	r.Dialect, r.Profiles = parts.dialect, parts.profiles
	if r.Process, err = process.Start(pinned(parts.router, s.Core)); err != nil {
		return err
	}
	for _, cmd := range parts.services {
		p, err := process.Start(pinned(cmd, s.Core))
		if err != nil {
			return err
		}
		r.services = append(r.services, p)
	}
	ctx, cancel := context.WithTimeout(context.Background(), listenTimeout)
	defer cancel()
	for r.Switch.Listeners() < parts.listeners {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(errors.New("the services do not listen to the switch"), r.Alive())
		}
	}
	time.Sleep(parts.settles)
	return r.Alive()
}

// pinned has the command use these processors only.
func pinned(cmd *exec.Cmd, cores string) *exec.Cmd {
	if cores == "" {
		return cmd
	}
	with := exec.Command("taskset", append([]string{"--cpu-list", cores}, cmd.Args...)...)
	with.Env, with.Dir = cmd.Env, cmd.Dir
	return with
}
